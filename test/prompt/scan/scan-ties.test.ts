import { describe, expect, it } from 'vitest';
import type { ByteRange, ScannedPrompt } from '../../../src/core/scanned-prompt.ts';
import { scanRequest } from '../../../src/prompt/scan/scan.ts';
import { text, user } from '../prefixes.ts';

const encoder = new TextEncoder();

function scan(body: object): ScannedPrompt {
  const result = scanRequest(encoder.encode(JSON.stringify(body)));
  if (result.kind !== 'scanned') throw new Error(result.code);
  return result.prompt;
}

const cut = (body: object, range: ByteRange | null | undefined): unknown =>
  range
    ? JSON.parse(new TextDecoder().decode(encoder.encode(JSON.stringify(body)).subarray(range.start, range.end)))
    : null;

const tieOf = (...messages: object[]): string => scan({ messages }).tie;
const assistant = (...content: object[]): object => ({ role: 'assistant', content });
const thinking = { type: 'thinking', thinking: 'hm', signature: 'c2ln' };
const file = { type: 'document', source: { type: 'file', file_id: 'file_1' } };

describe('what ties a prompt to where it ran', () => {
  it('is nothing before there is an answer in it, and no more than its turns after', () => {
    expect(tieOf(user('hello'))).toBe('none');
    expect(tieOf(user('hello'), assistant(text('hi')), user('and?'))).toBe('turns');
    expect(tieOf(user('hello'), { role: 'assistant', content: 'hi' })).toBe('turns');
  });

  it.each([thinking, { type: 'redacted_thinking', data: 'x' }])('is thinking, plain or redacted', (block) => {
    expect(tieOf(user('hello'), assistant(block, text('hi')), user('and?'))).toBe('thinking');
  });

  it('is a file wherever its id stands, but not one that comes with the body or by its address', () => {
    expect(tieOf(user([file, text('read it')]))).toBe('file');
    expect(tieOf(user([{ type: 'container_upload', file_id: 'file_1' }]))).toBe('file');
    expect(tieOf(user([{ type: 'tool_result', tool_use_id: 't', content: [file] }]))).toBe('file');
    expect(tieOf(user([{ type: 'image', source: { type: 'url', url: 'https://example.com/file_id' } }]))).toBe('none');
    expect(tieOf(user([{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } }]))).toBe(
      'none',
    );
  });

  it('is not what a text or the input of a tool only speaks of', () => {
    expect(tieOf(user('{"file_id":"file_1"}'))).toBe('none');
    const input = { source: { file_id: 'file_1' }, type: 'thinking' };
    expect(tieOf(user('go'), assistant({ type: 'tool_use', id: 't', name: 'run', input }))).toBe('turns');
  });

  it('is a container by its id, not one that is yet to be made', () => {
    const messages = [user('go')];
    expect(scan({ messages, container: 'container_1' }).tie).toBe('container');
    expect(scan({ messages, container: { id: 'container_1', skills: [] } }).tie).toBe('container');
    expect(scan({ messages, container: { skills: [{ skill_id: 'xlsx' }] } }).tie).toBe('none');
    expect(scan({ messages, container: null }).tie).toBe('none');
  });

  it('is the strongest of several, in whatever order they come', () => {
    expect(tieOf(user([file]), assistant(thinking, text('hi')), user('and?'))).toBe('file');
    expect(tieOf(user('a'), assistant(thinking), user([file]))).toBe('file');
    expect(scan({ container: 'container_1', messages: [user('a'), assistant(thinking)] }).tie).toBe('container');
  });

  it('is a thread that goes on, not one that begins', () => {
    const going = {
      thread: { type: 'continue', previous_message_id: 'msg_1' },
      messages: [user('a'), assistant(thinking)],
    };
    expect(scan(going).tie).toBe('thread');
    expect(cut(going, scan(going).thread?.previousMessageId)).toBe('msg_1');
    expect(scan({ messages: [user('a')], thread: { type: 'create' } })).toMatchObject({
      tie: 'none',
      thread: { previousMessageId: null },
      uncertain: 'thread',
    });
    expect(scan({ messages: [user('a')] }).thread).toBeNull();
  });
});

describe('the user id of a body', () => {
  it('is found with its escapes, wherever metadata stands', () => {
    const body = { metadata: { other: [1], user_id: '{"session_id":"s"}' }, messages: [user('a')] };
    expect(cut(body, scan(body).userId)).toBe('{"session_id":"s"}');
  });

  it.each([{ user_id: null }, { user_id: { user_id: 'u' } }, 'u', ['u'], { user_id: 'u'.repeat(5000) }])(
    'is not there in metadata of another form, which passes all the same',
    (metadata) => {
      expect(scan({ messages: [user('a')], metadata })).toMatchObject({ userId: null, uncertain: null });
    },
  );
});
