import { describe, expect, it } from 'vitest';
import type { HeaderMap } from '../../src/core/headers.ts';
import { affinityOf, threadKey, type Affinity } from '../../src/prompt/affinity.ts';
import { scanRequest } from '../../src/prompt/scan/scan.ts';
import { text, user } from './prefixes.ts';

const SESSION = '0f8fad5b-d9cb-469f-a165-70867728950e';
const BASE = { model: 'claude-opus-5-5', system: 'Be brief.', messages: [user('hello')] };
const assistant = (content: unknown): object => ({ role: 'assistant', content });

function affinity(body: object, headers: HeaderMap = {}, tenantId = 'acme'): Affinity {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const result = scanRequest(bytes);
  if (result.kind !== 'scanned') throw new Error(result.code);
  return affinityOf({ headers, body: bytes, model: result.model, prompt: result.prompt }, tenantId);
}

const session = (body: object, headers: HeaderMap = {}, tenantId = 'acme'): number | null =>
  affinity(body, headers, tenantId).session;
const naming = (userId: string): object => ({ ...BASE, metadata: { user_id: userId } });

describe('the session of a request', () => {
  it.each(['x-claude-code-session-id', 'x-session-id', 'x-session-affinity'])('is what %s names', (name) => {
    const one = session(BASE, { [name]: 's1' });
    expect(session({ ...BASE, system: 'Another.' }, { [name]: 's1' })).toBe(one);
    expect(session(BASE, { [name]: 's2' })).not.toBe(one);
  });

  it('is the same whether Claude Code names it in its header or in either form of its user id', () => {
    const named = session(BASE, { 'x-claude-code-session-id': SESSION });
    const json = JSON.stringify({ device_id: 'd', account_uuid: '', session_id: SESSION });
    expect(session(naming(json))).toBe(named);
    expect(session(naming(`user_ab12_account__session_${SESSION}`))).toBe(named);
  });

  it('is another for each subagent', () => {
    const header = { 'x-claude-code-session-id': SESSION };
    const agent = session(BASE, { ...header, 'x-claude-code-agent-id': 'a1' });
    expect(agent).not.toBe(session(BASE, header));
    expect(agent).toBe(session(BASE, { ...header, 'x-claude-code-agent-id': 'a1' }));
  });

  it('is another for each conversation of a user whom an application names', () => {
    const one = session(naming('user-7'));
    expect(session({ ...naming('user-7'), messages: [user('something else')] })).not.toBe(one);
    expect(session(naming('user-8'))).not.toBe(one);
  });

  it('is that of the head where nothing is named, and goes on as the conversation does', () => {
    const first = session(BASE);
    const later = { ...BASE, messages: [user([text('hello')]), assistant('hi'), user('and now?')] };
    expect(session(later)).toBe(first);
    for (const part of [{ model: 'claude-haiku-5-5' }, { system: 'Be long.' }, { messages: [user('bye')] }]) {
      expect(session({ ...BASE, ...part })).not.toBe(first);
    }
    expect(session({ ...BASE, tools: [{ name: 'run', input_schema: {} }] })).not.toBe(first);
  });

  it("does not change with Claude Code's attribution block", () => {
    const attributed = (version: string) => ({
      ...BASE,
      system: [text(`x-anthropic-billing-header: cc_version=${version};`), text('Be brief.')],
    });
    expect(session(attributed('2.1'))).toBe(session(attributed('2.2')));
  });

  it("never meets another tenant's", () => {
    for (const headers of [{}, { 'x-session-id': 's1' }]) {
      expect(session(BASE, headers, 'acme')).not.toBe(session(BASE, headers, 'globex'));
    }
  });

  it('is unknown for a body that was not read, unless a header names it', () => {
    const unread = { model: null, prompt: null, body: null };
    expect(affinityOf({ ...unread, headers: {} }, 'acme')).toStrictEqual({ session: null, thread: null });
    expect(affinityOf({ ...unread, headers: { 'x-session-id': 's1' } }, 'acme').session).toBe(
      session(BASE, { 'x-session-id': 's1' }),
    );
  });

  it('is unknown where there is no message yet', () => {
    expect(session({ model: 'm', messages: [] })).toBeNull();
  });
});

describe('a message thread', () => {
  const going = { ...BASE, thread: { type: 'continue', previous_message_id: 'msg_1' } };

  it('is known by the answer that it goes on from', () => {
    expect(affinity(going).thread).toBe(threadKey('acme', 'msg_1'));
    expect(affinity(going).thread).not.toBe(threadKey('globex', 'msg_1'));
  });

  it('has no head of its own after its first request, whose head is that of any other', () => {
    expect(affinity(going).session).toBeNull();
    expect(affinity({ ...BASE, thread: { type: 'create' } })).toStrictEqual(affinity(BASE));
  });
});
