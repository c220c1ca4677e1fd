import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartialAnswer } from '../../../src/ingress/recovery/answer-record.ts';
import { approachOf } from '../../../src/ingress/recovery/approach.ts';
import { planContinuation, type Continuation } from '../../../src/ingress/recovery/continuation.ts';
import { bytesOf, jsonObjects, whitespaces, writeJson, type JsonMemberTree } from '../../core/json-texts.ts';

const PREFILLED = 'claude-sonnet-4-5';
const QUOTED = 'claude-opus-5';

function partial(text: string, model: string): PartialAnswer {
  return { model, text, openIndex: 0, nextIndex: 1, usage: {} };
}

function plan(body: object | string, { model = QUOTED, text = 'Hello, wor' } = {}): Continuation {
  const written = typeof body === 'string' ? body : JSON.stringify(body);
  return planContinuation(bytesOf(written), model, partial(text, model));
}

function messages(model: string, rest: object = {}, last: object = { role: 'user', content: 'Hi' }) {
  return { model, max_tokens: 50, stream: true, ...rest, messages: [{ role: 'user', content: 'Before' }, last] };
}

interface Asked {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

function asked(continuation: Continuation): Asked {
  if (continuation.kind === 'no') throw new Error(continuation.reason);
  return JSON.parse(new TextDecoder().decode(continuation.body)) as Asked;
}

const reason = (continuation: Continuation) => (continuation.kind === 'no' ? continuation.reason : 'asked');

describe('approachOf', () => {
  it.each([
    ['claude-3-opus-20240229', 'prefill'],
    ['claude-3-7-sonnet-latest', 'prefill'],
    ['claude-opus-4-0', 'prefill'],
    ['claude-sonnet-4-20250514', 'prefill'],
    ['claude-opus-4-1-20250805', 'prefill'],
    ['claude-haiku-4-5-20251001', 'prefill'],
    ['claude-opus-4-5', 'prefill'],
    ['claude-opus-4-6', 'quote'],
    ['claude-mythos-preview', 'quote'],
    ['claude-sonnet-5', 'quote'],
    ['claude-fable-5-2', 'quote'],
    ['claude-opus-10', 'quote'],
    ['qwen3-coder', null],
    ['anthropic.claude-sonnet-4-5-20250929-v1:0', null],
    [null, null],
  ])('%s: %s', (model, approach) => {
    expect(approachOf(model)).toBe(approach);
  });
});

describe('a continuation', () => {
  it('of a model up to 4.5 ends with the partial answer as a prefill', () => {
    const { messages: turns } = asked(plan(messages(PREFILLED), { model: PREFILLED }));
    expect(turns.slice(1)).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello, wor' },
    ]);
  });

  it('of a later model ends with a user turn that quotes it to the last character', () => {
    const { messages: turns } = asked(plan(messages(QUOTED), { text: 'Line\n "é😀" \n' }));
    expect(turns).toHaveLength(3);
    expect(turns[2]?.role).toBe('user');
    expect(turns[2]?.content).toContain('>Line\n "é😀" \n<');
  });

  it('takes white space off the end of a prefill, which the API refuses, and says which', () => {
    const continuation = plan(messages(PREFILLED), { model: PREFILLED, text: 'Hello \n\t' });
    expect(asked(continuation).messages[2]?.content).toBe('Hello');
    expect(continuation).toMatchObject({ untold: ' \n\t' });
    expect(plan(messages(QUOTED), { text: 'Hello ' })).toMatchObject({ untold: '' });
  });

  it.each([PREFILLED, QUOTED])('of %s asks the same again while there is no word to go on with', (model) => {
    const body = bytesOf(JSON.stringify(messages(model)));
    expect(planContinuation(body, model, partial(' \n', model))).toEqual({ kind: 'ask', body, untold: ' \n' });
  });

  it('is the caller’s bytes and one piece behind the last message, wherever the list stands', () => {
    const names = ['metadata', 'system', 'tools', 'temperature'];
    const lists = jsonObjects.map(({ members }) => {
      const turns = ['{"role":"user","content":"a"}', '{"content" : [ ], "role":"us\\u0065r" }'];
      const known: JsonMemberTree[] = members.slice(0, names.length).map(({ value }, index) => ({
        nameText: `"${names[index]}"`,
        value,
      }));
      const list = { nameText: '"messages"', value: { kind: 'scalar', text: `[ ${turns.join(' ,')}\n]` } } as const;
      return [...known.slice(0, 1), list, ...known.slice(1)];
    });
    fc.assert(
      fc.property(lists, whitespaces, fc.constantFrom(PREFILLED, QUOTED), (members, spaces, model) => {
        const body = writeJson({ kind: 'object', members }, spaces);
        const continuation = planContinuation(bytesOf(body), model, partial('Hel', model));
        if (continuation.kind === 'no') throw new Error(continuation.reason);
        const written = new TextDecoder().decode(continuation.body);
        const at = body.lastIndexOf('us\\u0065r" }') + 'us\\u0065r" }'.length;
        const tail = body.slice(at);
        expect(written.startsWith(`${body.slice(0, at)},{"role":`)).toBe(true);
        expect(written.endsWith(`}${tail}`)).toBe(true);
        expect(asked(continuation).messages).toHaveLength(3);
      }),
    );
  });
});

describe('nothing is continued', () => {
  const byModel = [PREFILLED, QUOTED].map((model) => [model] as const);

  it.each(byModel)('on %s where a field may make the second call another thing than the rest of the first', (model) => {
    const fields: object[] = [
      { stream: false },
      { output_config: { format: { type: 'json_schema', schema: {} } } },
      { output_config: 7 },
      { output_format: { type: 'json_schema' } },
      { tool_choice: { type: 'any' } },
      { tool_choice: { type: 'tool', name: 'x' } },
      { thread: { type: 'create' } },
      { fallbacks: [] },
      { mcp_servers: [] },
      { container: 'container_1' },
      { compaction: {} },
      { context_management: { edits: [{ type: 'compact_20260112' }] } },
      { context_management: { edits: 'all' } },
      { stop_sequences: ['END'] },
      { stop_sequences: 'END' },
      { what_comes_next: true },
      JSON.parse('{"__proto__": 1}') as object,
      { constructor: 1 },
    ];
    for (const field of fields) {
      expect([field, reason(plan(messages(model, field), { model, text: 'and E' }))]).toEqual([field, 'field']);
    }
  });

  it('as a prefill under thinking, which takes none', () => {
    const thinking = { thinking: { type: 'enabled', budget_tokens: 2000 } };
    expect(reason(plan(messages(PREFILLED, thinking), { model: PREFILLED }))).toBe('field');
    expect(reason(plan(messages(PREFILLED, { thinking: { type: 'disabled' } }), { model: PREFILLED }))).toBe('asked');
    expect(reason(plan(messages(QUOTED, { thinking: { type: 'adaptive' } })))).toBe('asked');
  });

  it('where an automatic marker may be one too many on our turn', () => {
    const marked = (count: number) =>
      Array.from({ length: count }, () => ({ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }));
    const body = (count: number) => messages(QUOTED, { cache_control: { type: 'ephemeral' }, system: marked(count) });
    expect(reason(plan(body(3)))).toBe('asked');
    expect(reason(plan(body(4)))).toBe('field');
    expect(reason(plan(messages(QUOTED, { system: marked(4) })))).toBe('asked');
  });

  it.each([
    ['a prefill of the caller’s own', { role: 'assistant', content: 'Sure:' }],
    ['a system message', { role: 'system', content: 'Be brief.' }],
    ['a message without a role', { content: 'x' }],
    ['a message with a role that is no text', { role: ['user'], content: 'x' }],
    ['something else', 'x' as unknown as object],
  ])('behind %s', (_what, last) => {
    expect(reason(plan(messages(QUOTED, {}, last)))).toBe('last_message');
  });

  it.each([
    ['is no JSON', '\u001f\u008b\u0008'],
    ['is no object', '[]'],
    ['has no messages', '{"model":"m"}'],
    ['has an empty list', '{"messages":[]}'],
    ['has messages that are no list', '{"messages":"Hi"}'],
    ['has a field twice', '{"messages":[{"role":"user"}],"messages":[{"role":"user"}]}'],
    ['goes on behind its end', '{"messages":[{"role":"user"}]} {}'],
    ['ends early', '{"messages":[{"role":"user"}]'],
  ])('of a body that %s', (_what, body) => {
    expect(reason(plan(body))).toBe('body');
  });

  it('with a model that is not known, or of an answer by another one', () => {
    const body = bytesOf(JSON.stringify(messages(QUOTED)));
    expect(reason(planContinuation(body, 'qwen3', partial('a', 'qwen3')))).toBe('model');
    expect(reason(planContinuation(body, null, partial('a', QUOTED)))).toBe('model');
    expect(reason(planContinuation(body, QUOTED, partial('a', PREFILLED)))).toBe('model');
  });

  it('that broke off inside a character', () => {
    expect(reason(plan(messages(QUOTED), { text: 'a\ud83d' }))).toBe('text');
  });
});

describe('a stop sequence', () => {
  const continued = (text: string, stops: readonly string[]) =>
    reason(plan(messages(QUOTED, { stop_sequences: stops }), { text }));

  it('hinders only where the text ends with its beginning', () => {
    expect(continued('and E', ['END'])).toBe('field');
    expect(continued('and EN', ['x', 'END'])).toBe('field');
    expect(continued('line\n', ['\n\nHuman:'])).toBe('field');
    expect(continued('E and', ['END'])).toBe('asked');
    expect(continued('and E', ['e'])).toBe('asked');
    expect(continued('and E', [])).toBe('asked');
  });
});
