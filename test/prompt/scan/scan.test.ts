import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeOf, type ScannedPrompt } from '../../../src/core/scanned-prompt.ts';
import { scanRequest } from '../../../src/prompt/scan/scan.ts';
import { renderedBodies, type BodyValue } from '../bodies.ts';

const encoder = new TextEncoder();

function scan(value: unknown): ScannedPrompt {
  const result = scanRequest(encoder.encode(typeof value === 'string' ? value : JSON.stringify(value)));
  if (result.kind !== 'scanned') throw new Error(`not scanned: ${result.code}`);
  return result.prompt;
}

const user = (content: unknown) => ({ role: 'user', content });
const textBlock = (text: string, extra: object = {}) => ({ type: 'text', text, ...extra });
const marked = { cache_control: { type: 'ephemeral' } };

/** The places that a reader of the documentation would list, from the parsed body. */
function expectedPlaces(body: BodyValue): string[] {
  const tools = (body.tools ?? []).map((_, index) => `tools[${index}]`);
  const system =
    typeof body.system === 'string' ? ['system'] : (body.system ?? []).map((_, index) => `system[${index}]`);
  const messages = body.messages.flatMap(({ content }, index) =>
    typeof content === 'string'
      ? [`messages[${index}].content`]
      : content.map((_, block) => `messages[${index}].content[${block}]`),
  );
  return [...tools, ...system, ...messages];
}

describe('scanning a body', () => {
  it('finds every position in prefix order, with the bytes of its value, whatever the order of the fields', () => {
    fc.assert(
      fc.property(renderedBodies, ({ value, text }) => {
        const bytes = encoder.encode(text);
        const { positions } = scan(text);
        expect(positions.map(placeOf)).toStrictEqual(expectedPlaces(value));
        for (const position of positions) {
          const slice: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(position.start, position.end)));
          expect(slice).toStrictEqual(valueAt(value, placeOf(position)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('counts every marker the caller set, and takes nothing in tool inputs or metadata for one', () => {
    fc.assert(
      fc.property(renderedBodies, ({ value, text }) => {
        expect(scan(text).callerMarkers).toBe(countMarkers(value));
      }),
      { numRuns: 300 },
    );
  });

  it('refuses every truncation of a body', () => {
    const text = JSON.stringify({ model: 'm', system: 'a\u00e9"b', messages: [user([textBlock('x', marked)])] });
    const bytes = encoder.encode(text);
    for (let length = 0; length < bytes.length; length++) {
      expect(scanRequest(bytes.subarray(0, length))).toMatchObject({ kind: 'invalid', code: 'body_not_json' });
    }
  });

  it.each([
    ['[]', 'body_not_object'],
    ['"text"', 'body_not_object'],
    ['{"stream":"yes"}', 'stream_not_boolean'],
    ['{"stream":null}', 'stream_not_boolean'],
    ['{"a":1}x', 'body_not_json'],
    ['{"a":01}', 'body_not_json'],
    ['', 'body_not_json'],
  ])('refuses %s as %s', (text, code) => {
    expect(scanRequest(encoder.encode(text))).toMatchObject({ kind: 'invalid', code });
  });

  it.each([
    ['a thread, whose beginning only the upstream has', { thread: { type: 'create' }, messages: [user('x')] }],
    ['a marker of an unknown type', { messages: [user([textBlock('x', { cache_control: { type: 'eternal' } })])] }],
    [
      'a marker of an unknown TTL',
      { messages: [user([textBlock('x', { cache_control: { type: 'ephemeral', ttl: '2h' } })])] },
    ],
    ['a block that is no object', { messages: [user(['x'])] }],
    ['messages that are no array', { messages: {} }],
    ['a role of tomorrow', { messages: [{ role: 'judge', content: 'x' }] }],
    ['a system prompt of another type', { system: 7, messages: [user('x')] }],
  ])('is uncertain about %s', (_what, body) => {
    expect(scan(body).uncertain).not.toBeNull();
  });

  it('is uncertain about duplicate keys that decide where a marker stands', () => {
    expect(scan('{"messages":[],"messages":[]}').uncertain).toBe('messages twice');
    expect(
      scan('{"messages":[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}]}').uncertain,
    ).not.toBeNull();
    expect(scan('{"messages":[{"role":"user","content":"a","content":"b"}]}').uncertain).not.toBeNull();
  });

  it('is certain about ordinary bodies', () => {
    const body = { model: 'm', system: 's', tools: [{ name: 't', input_schema: {} }], messages: [user('x')], top_k: 1 };
    expect(scan(body).uncertain).toBeNull();
  });

  it.each([
    ['thinking', { type: 'thinking', thinking: 'x', signature: 'y' }],
    ['redacted thinking', { type: 'redacted_thinking', data: 'x' }],
    ['empty text', textBlock('')],
    ['white space', textBlock(' \n\t\u00a0\u3000')],
    ['an already marked block', textBlock('x', marked)],
    ['a block with a null marker', textBlock('x', { cache_control: null })],
    ['a block of tomorrow', { type: 'of_tomorrow' }],
  ])('does not offer %s for marking', (_what, block) => {
    expect(scan({ messages: [user([block])] }).positions[0]?.markable).toBe(false);
  });

  it.each([['日本語'], ['é'], ['x'], [' x'], ['\\'], ['😀']])('offers the text %j for marking', (text) => {
    expect(scan({ messages: [user([textBlock(text)])] }).positions[0]?.markable).toBe(true);
    expect(scan({ messages: [user(text)] }).positions[0]?.markable).toBe(true);
  });

  it('does not offer a deferred tool for marking: it is not in the prefix yet', () => {
    const tools = [
      { name: 'a', input_schema: {}, defer_loading: true },
      { name: 'b', input_schema: {}, defer_loading: false },
    ];
    expect(scan({ tools, messages: [] }).positions.map(({ markable }) => markable)).toStrictEqual([false, true]);
  });
});

describe('a message with a field of its own', () => {
  const plain = { messages: [user('a'), user('b')] };
  const apart = (field: object) => scan({ messages: [{ ...user('a'), ...field }, user('b')] });

  it('leaves the rest of the body certain, and takes no marker itself', () => {
    const { uncertain, positions } = apart({ output_config: { effort: 'low' } });
    expect(uncertain).toBeNull();
    expect(positions.map(({ markable }) => markable)).toStrictEqual([false, true]);
  });

  it('is another message than without it, or with another value', () => {
    const first = (prompt: ScannedPrompt) => prompt.positions[0]?.hash;
    const hashesOfFirst = [
      scan(plain),
      apart({ output_config: 1 }),
      apart({ output_config: 2 }),
      apart({ other: 1 }),
    ].map(first);
    expect(new Set(hashesOfFirst).size).toBe(4);
  });

  it('keeps the marker its caller set', () => {
    const message = { ...user([textBlock('x', marked)]), output_config: {} };
    expect(scan({ messages: [message] }).positions[0]?.marker).toBe('5m');
  });
});

describe('hashes of positions', () => {
  const hashes = (body: unknown) => scan(body).positions.map(({ hash }) => hash);

  it('are the same for a string and its one-block form, marked or not', () => {
    const [asString] = hashes({ messages: [user('hello')] });
    expect(hashes({ messages: [user([textBlock('hello')])] })).toStrictEqual([asString]);
    expect(hashes({ messages: [user([textBlock('hello', marked)])] })).toStrictEqual([asString]);
    expect(hashes({ system: 'hello', messages: [] })).toStrictEqual(
      hashes({ system: [textBlock('hello')], messages: [] }),
    );
  });

  it('do not see a marker, first, last or in the middle of a block', () => {
    const plain = '{"messages":[{"role":"user","content":[{"type":"tool_use","id":"a","name":"b","input":{}}]}]}';
    const first = plain.replace('{"type":"tool_use"', '{"cache_control":{"type":"ephemeral"}, "type":"tool_use"');
    const middle = plain.replace('"id":"a"', '"id":"a", "cache_control":{"type":"ephemeral","ttl":"1h"}');
    const last = plain.replace('"input":{}', '"input":{}, "cache_control":{"type":"ephemeral"}');
    for (const text of [first, middle, last]) expect(hashes(text)).toStrictEqual(hashes(plain));
  });

  it('tell roles, sections and contents apart', () => {
    const all = [
      ...hashes({ messages: [user('x')] }),
      ...hashes({ messages: [{ role: 'assistant', content: 'x' }] }),
      ...hashes({ messages: [{ role: 'system', content: 'x' }] }),
      ...hashes({ system: 'x', messages: [] }),
      ...hashes({ messages: [user('y')] }),
      ...hashes({ messages: [user('x ')] }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('see the order of keys in a tool input, as the API does', () => {
    const use = (input: object) =>
      hashes({ messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'b', input }] }] });
    expect(use({ a: 1, b: 2 })).not.toStrictEqual(use({ b: 2, a: 1 }));
  });
});

describe('keys of a prefix', () => {
  const keys = (extra: object) => scan({ messages: [user('x')], ...extra }).keys;

  it('change at the level the documentation names', () => {
    const base = keys({});
    expect(keys({ tool_choice: { type: 'any' } })).toMatchObject({ tools: base.tools, system: base.system });
    expect(keys({ tool_choice: { type: 'any' } }).messages).not.toBe(base.messages);
    expect(keys({ thinking: { type: 'adaptive' } }).system).not.toBe(base.system);
    expect(keys({ speed: 'fast' }).tools).toBe(base.tools);
    expect(keys({ max_tokens: 1, stream: true, metadata: {}, stop_sequences: ['a'] })).toStrictEqual(base);
  });

  it('do not depend on the order of the fields', () => {
    const one = scan('{"thinking":{"type":"adaptive"},"speed":"fast","messages":[]}').keys;
    expect(scan('{"speed":"fast","messages":[],"thinking":{"type":"adaptive"}}').keys).toStrictEqual(one);
  });

  it('change for messages when an image appears, also inside a tool result', () => {
    const image = { type: 'image', source: { type: 'url', url: 'http://x' } };
    const without = keys({}).messages;
    expect(scan({ messages: [user([textBlock('x'), image])] }).keys.messages).not.toBe(without);
    const result = { type: 'tool_result', tool_use_id: 'a', content: [image] };
    expect(scan({ messages: [user([result])] }).keys.messages).not.toBe(without);
  });
});

function valueAt(body: BodyValue, place: string): unknown {
  return place
    .split(/[.[\]]+/)
    .filter((step) => step !== '')
    .reduce<unknown>((value, step) => (value as Record<string, unknown>)[step], body);
}

/** Counted on the parsed body: tools, system, blocks, blocks inside tool results, and the top level. */
function countMarkers(body: BodyValue): number {
  const has = (value: unknown): number => Number((value as { cache_control?: unknown }).cache_control !== undefined);
  const list = (value: unknown): object[] => (Array.isArray(value) ? (value as object[]) : []);
  const blocks = body.messages.flatMap(({ content }) => list(content));
  const nested = blocks.flatMap((block) => list((block as { content?: unknown }).content));
  return (
    has(body) +
    [...list(body.tools), ...list(body.system), ...blocks, ...nested].reduce((sum, one) => sum + has(one), 0)
  );
}

describe("Claude Code's attribution block", () => {
  const attribution = 'x-anthropic-billing-header: cc_version=2.1.330.839; cc_entrypoint=sdk-cli;';

  it('is recognised where Anthropic takes it out: first, in a block of its own', () => {
    expect(scan({ system: [textBlock(attribution), textBlock('s')], messages: [] }).hasAttribution).toBe(true);
  });

  it.each([
    ['as the whole system string', attribution],
    ['as the second block', [textBlock('s'), textBlock(attribution)]],
    ['quoted in other text', [textBlock(`see ${attribution}`)]],
  ])('is ordinary text %s', (_where, system) => {
    expect(scan({ system, messages: [] }).hasAttribution).toBe(false);
  });
});
