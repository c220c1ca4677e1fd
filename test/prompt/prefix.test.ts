import { describe, expect, it } from 'vitest';
import { prefixOf, type Prefix } from '../../src/prompt/prefix.ts';
import { scanRequest } from '../../src/prompt/scan/scan.ts';

const options = { domainKey: 1, stripsAttribution: true };

function prefix(body: object, over: Partial<typeof options> = {}): Prefix {
  const result = scanRequest(new TextEncoder().encode(JSON.stringify(body)));
  if (result.kind !== 'scanned') throw new Error(result.code);
  return prefixOf(result.prompt, { ...options, ...over });
}

/** How many leading positions two prompts share. */
function shared(one: Prefix, other: Prefix): number {
  const parted = one.hashes.findIndex((hash, at) => hash !== other.hashes[at]);
  return parted < 0 ? one.hashes.length : parted;
}

const tools = [{ name: 'a', input_schema: {} }];
const messages = [
  { role: 'user', content: 'one' },
  { role: 'assistant', content: 'two' },
  { role: 'user', content: 'three' },
];
const base = { tools, system: 'be brief', messages };

describe('the chain of a prefix', () => {
  it('is the same for the same prompt in another order of fields', () => {
    expect(shared(prefix(base), prefix({ messages, system: 'be brief', tools }))).toBe(5);
  });

  it.each([
    ['another model or cache domain', prefix(base, { domainKey: 2 }), 0],
    ['another tool', prefix({ ...base, tools: [{ name: 'b', input_schema: {} }] }), 0],
    ['another system prompt', prefix({ ...base, system: 'be long' }), 1],
    ['fast mode', prefix({ ...base, speed: 'fast' }), 1],
    ['thinking', prefix({ ...base, thinking: { type: 'adaptive' } }), 1],
    ['another tool choice', prefix({ ...base, tool_choice: { type: 'any' } }), 2],
    ['another first message', prefix({ ...base, messages: messages.slice(1) }), 2],
    [
      'another answer',
      prefix({ ...base, messages: [messages[0], { role: 'assistant', content: '2' }, messages[2]] }),
      3,
    ],
    ['another max_tokens', prefix({ ...base, max_tokens: 5 }), 5],
  ])('parts two prompts with %s where the cache does', (_what, other, sharedPositions) => {
    expect(shared(prefix(base), other)).toBe(sharedPositions);
  });

  it("does not see Claude Code's attribution block where the upstream strips it", () => {
    const attributed = (version: string) => ({
      ...base,
      system: [
        { type: 'text', text: `x-anthropic-billing-header: cc_version=${version};` },
        { type: 'text', text: 'be brief' },
      ],
    });
    expect(shared(prefix(attributed('1')), prefix(attributed('2')))).toBe(5);
    expect(prefix(attributed('1')).systemEnd).toBe(2);
    const kept = { stripsAttribution: false };
    expect(shared(prefix(attributed('1'), kept), prefix(attributed('2'), kept))).toBe(1);
    expect(prefix(attributed('1'), kept).systemEnd).toBe(3);
  });

  it("names the caller's marks by position, and grows in bytes", () => {
    const marked = prefix({
      system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }] }],
    });
    expect(marked.callerMarks).toStrictEqual([
      { at: 0, ttl: '1h' },
      { at: 1, ttl: '5m' },
    ]);
    expect([...marked.bytes]).toStrictEqual([...marked.bytes].toSorted((a, b) => a - b));
  });
});
