import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSame } from '../../../src/node/same-bytes.ts';
import { scanRequest, type ScanResult } from '../../../src/prompt/scan/scan.ts';
import { bodyValues, render, renderedBodies, type BodyValue } from '../bodies.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** `body` scanned against `before`. */
function scanAgainst(before: Uint8Array, body: Uint8Array): ScanResult {
  const known = scanRequest(before);
  if (known.kind === 'invalid' || known.lists === null) return scanRequest(body);
  return scanRequest(body, { body: { bytes: before, lists: known.lists }, isSame });
}

/** All that a scan finds; how it has found it does not count. */
function found(result: ScanResult): unknown {
  return result.kind === 'invalid' ? result : { ...result, knownBytes: 0 };
}

function knownBytes(before: string, body: string): number {
  const result = scanAgainst(bytesOf(before), bytesOf(body));
  return result.kind === 'scanned' ? result.knownBytes : -1;
}

function expectTheSame(before: Uint8Array, body: Uint8Array): void {
  expect(found(scanAgainst(before, body))).toStrictEqual(found(scanRequest(body)));
}

const user = (text: string) => ({ role: 'user', content: [{ type: 'text', text }] });
const assistant = (text: string) => ({ role: 'assistant', content: [{ type: 'text', text }] });
const tool = (name: string) => ({ name, description: 'd', input_schema: { type: 'object' } });

describe('a body that is scanned against one before it', () => {
  it('shows what it shows when it is read whole, whatever came before', () => {
    fc.assert(
      fc.property(renderedBodies, renderedBodies, ({ text: before }, { text: body }) => {
        expectTheSame(bytesOf(before), bytesOf(body));
      }),
      { numRuns: 300 },
    );
  });

  it('shows the same where one begins as the other and ends as a third', () => {
    const cut = fc.tuple(renderedBodies, renderedBodies, fc.nat(), fc.nat());
    fc.assert(
      fc.property(cut, ([{ text: one }, { text: other }, from, to]) => {
        const [before, tail] = [bytesOf(one), bytesOf(other)];
        const head = before.subarray(0, from % (before.length + 1));
        expectTheSame(before, Buffer.concat([head, tail.subarray(to % (tail.length + 1))]));
      }),
      { numRuns: 500 },
    );
  });

  it('shows the same where any byte is another one', () => {
    fc.assert(
      fc.property(renderedBodies, fc.nat(), fc.nat({ max: 127 }), ({ text }, at, byte) => {
        const before = bytesOf(text);
        const body = Uint8Array.from(before);
        body[at % body.length] = byte;
        expectTheSame(before, body);
      }),
      { numRuns: 500 },
    );
  });

  it('shows the same where its lists have changed here and there, and stand elsewhere in it', () => {
    const changes = fc.record({
      dropTools: fc.boolean(),
      dropped: fc.nat({ max: 8 }),
      doubled: fc.nat({ max: 8 }),
      reversed: fc.boolean(),
    });
    fc.assert(
      fc.property(bodyValues, changes, fc.infiniteStream(fc.nat({ max: 1000 })), (value, change, stream) => {
        const dice = (): number => stream.next().value as number;
        const before = render(value, dice);
        expectTheSame(bytesOf(before), bytesOf(JSON.stringify(changed(value, change))));
        const plain = bytesOf(JSON.stringify(value));
        expectTheSame(plain, bytesOf(JSON.stringify(changed(value, change))));
      }),
      { numRuns: 300 },
    );
  });

  it('is read from its first new message on', () => {
    const turns = Array.from({ length: 100 }, (_, turn) => (turn % 2 ? assistant(`a${turn}`) : user(`q${turn}`)));
    const before = JSON.stringify({ tools: [tool('one'), tool('two')], system: 'You help.', messages: turns });
    const body = JSON.stringify({
      tools: [tool('one'), tool('two')],
      system: 'You help.',
      messages: [...turns, assistant('x'), user('y')],
    });
    const elements = [tool('one'), tool('two'), 'You help.', ...turns].map((element) => JSON.stringify(element).length);
    expect(knownBytes(before, body)).toBe(elements.reduce((sum, length) => sum + length, 0));
  });

  it('is not read where only one message differs, before it or behind it', () => {
    const turns = Array.from({ length: 9 }, (_, turn) => user(`question ${turn}`));
    const edited = turns.with(4, user('another thing'));
    const known = knownBytes(JSON.stringify({ messages: turns }), JSON.stringify({ messages: edited }));
    expect(known).toBe(8 * JSON.stringify(turns[0]).length);
  });

  it('is not read in lists that now stand elsewhere', () => {
    const messages = [user('one'), assistant('two')];
    const tools = [tool('run')];
    const before = JSON.stringify({ messages, tools });
    const body = JSON.stringify({ max_tokens: 5, messages: [...messages, user('three')], tools });
    const known = [...messages, ...tools].map((element) => JSON.stringify(element).length);
    expect(knownBytes(before, body)).toBe(known.reduce((sum, length) => sum + length, 0));
    expectTheSame(bytesOf(before), bytesOf(body));
  });

  it.each([
    ['a number that goes on', '{"messages":[1]}', '{"messages":[12]}'],
    ['a number that has ended', '{"messages":[12]}', '{"messages":[1]}'],
    ['a string in a list of blocks, now the system prompt', '{"system":["ab"]}', '{"system":"ab"}'],
    ['the system prompt, now in a list of blocks', '{"system":"ab"}', '{"system":["ab"]}'],
    ['a message that ends early', '{"messages":[{"role":"user","content":"a"}]}', '{"messages":[{"role":"user"'],
    [
      'a message in the place of the list',
      '{"messages":{"role":"user","content":"a"}}',
      '{"messages":[{"role":"user","content":"a"}]}',
    ],
    ['a tool in the place of the list', '{"tools":{"name":"a"}}', '{"tools":[{"name":"a"}]}'],
    [
      'a block in the place of the system prompt',
      '{"system":{"type":"text","text":"a"}}',
      '{"system":[{"type":"text","text":"a"}]}',
    ],
    [
      'a list that is a message now',
      '{"messages":[{"role":"user","content":"a"}]}',
      '{"messages":{"role":"user","content":"a"}}',
    ],
    ['a list that stood twice', '{"tools":[{"a":1}],"tools":[{"b":1}]}', '{"tools":[{"a":1},{"b":1}]}'],
    ['a list that stands twice', '{"tools":[{"a":1},{"b":1}]}', '{"tools":[{"a":1}],"tools":[{"a":1}]}'],
    ['a file, known', '{"tools":[{"source":{"file_id":"a"}}]}', '{"tools":[{"source":{"file_id":"a"}},{}]}'],
  ])('is not taken for it: %s', (_what, before, body) => {
    expectTheSame(bytesOf(before), bytesOf(body));
  });
});

interface Change {
  readonly dropTools: boolean;
  readonly dropped: number;
  readonly doubled: number;
  readonly reversed: boolean;
}

function changed(value: BodyValue, { dropTools, dropped, doubled, reversed }: Change): object {
  const messages = value.messages.flatMap((message, at) => {
    if (at === dropped) return [];
    return at === doubled ? [message, message] : [message];
  });
  const entries = Object.entries({ ...value, messages }).filter(([key]) => !(dropTools && key === 'tools'));
  return Object.fromEntries(reversed ? entries.toReversed() : entries);
}
