import { describe, expect, it } from 'vitest';
import type { ScannedPrompt } from '../../src/core/scanned-prompt.ts';
import { scanRequest } from '../../src/prompt/scan/scan.ts';
import { text, user } from './prefixes.ts';

/** What a scan says of callers' markers and of streams, where the gateway's own markers could otherwise do harm. */
function scan(body: object | string): ScannedPrompt {
  const json = typeof body === 'string' ? body : JSON.stringify(body);
  const result = scanRequest(new TextEncoder().encode(json));
  if (result.kind !== 'scanned') throw new Error(result.code);
  return result.prompt;
}

const mark = { cache_control: { type: 'ephemeral' } };
const schema = { input_schema: { type: 'object' } };
const result = (content: unknown, extra: object = {}) =>
  user([{ type: 'tool_result', tool_use_id: 'toolu_1', content, ...extra }]);

describe('a caller’s marker', () => {
  it.each<[string, object]>([
    ['on a deferred tool', { tools: [{ name: 'a', ...schema, defer_loading: true, ...mark }], messages: [] }],
    ['on empty text', { messages: [user([{ ...text(''), ...mark }])] }],
    ['on white space', { system: [{ ...text(' \n'), ...mark }], messages: [] }],
    [
      'on thinking',
      { messages: [{ role: 'assistant', content: [{ type: 'thinking', thinking: 'x', signature: 'y', ...mark }] }] },
    ],
    [
      'on redacted thinking',
      { messages: [{ role: 'assistant', content: [{ type: 'redacted_thinking', data: 'x', ...mark }] }] },
    ],
    ['inside a tool result, where it may clash with ours', { messages: [result([{ ...text('x'), ...mark }])] }],
    ['twice on a block', { messages: [user([{ ...text('x'), ...mark }])] }],
    [
      'of a form of tomorrow',
      { messages: [user([{ ...text('x'), cache_control: { type: 'ephemeral', scope: 'global', ttl: '7d' } }])] },
    ],
  ])('%s leaves the body to the upstream', (what, body) => {
    const json = JSON.stringify(body);
    const twice = json.replace('"type":"text"', '"cache_control":null,"type":"text"');
    expect(scan(what.startsWith('twice') ? twice : json).uncertain).not.toBeNull();
  });

  it.each<[string, object]>([
    ['on a tool', { tools: [{ name: 'a', ...schema, ...mark }], messages: [] }],
    ['on a tool result', { messages: [result([text('x')], mark)] }],
    ['on a block that this version does not know', { messages: [user([{ type: 'of_tomorrow', ...mark }])] }],
    [
      'with a field beside its TTL',
      { messages: [user([{ ...text('x'), cache_control: { type: 'ephemeral', scope: 'global' } }])] },
    ],
    ['that is null', { messages: [result([{ ...text('x'), cache_control: null }])] }],
  ])('%s is understood', (_what, body) => {
    expect(scan(body).uncertain).toBeNull();
  });
});

describe('an answer asked for', () => {
  it.each([
    ['"stream":true,', true],
    ['"str\\u0065am" : true ,', true],
    ['"stream":false,', false],
    ['', false],
    ['"metadata":{"stream":true},', false],
  ])('with %s comes as a stream: %s', (member, isStream) => {
    expect(scan(`{${member}"messages":[]}`).isStream).toBe(isStream);
  });
});

describe('a body of more than any prompt has', () => {
  const many = (what: string): string => Array.from({ length: 100_010 }, () => what).join(',');
  const file = '{"source":{"file_id":"file_1"},"cache_control":{"type":"ephemeral"}}';

  it.each([
    ['tools', `{"tools":[${many('{}')},${file}]}`],
    ['tools that are none', `{"tools":[${many('1')},${file}]}`],
    ['messages of nothing', `{"messages":[${many('{}')},{"role":"user","content":[${file}]}]}`],
    ['blocks in one message', `{"messages":[{"role":"user","content":[${many('{}')},${file}]}]}`],
    [
      'blocks, and messages behind them',
      `{"messages":[{"role":"user","content":[${many('{}')}]},${many('{}')},${file}]}`,
    ],
  ])('is left to the upstream, with no more places remembered than the API has messages: %s', (_what, body) => {
    const { positions, uncertain, namesFile } = scan(body);
    expect(positions.length).toBeLessThanOrEqual(100_000);
    expect(uncertain).not.toBeNull();
    expect(namesFile, 'behind them').toBe(true);
  });

  it('is none that has as many messages as the API takes', () => {
    const body = `{"messages":[${Array.from({ length: 100_000 }, () => '{"role":"user","content":"a"}').join(',')}]}`;
    const { positions, uncertain } = scan(body);
    expect(positions.length).toBe(100_000);
    expect(uncertain).toBeNull();
  });
});
