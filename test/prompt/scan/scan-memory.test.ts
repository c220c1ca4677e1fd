import { describe, expect, it } from 'vitest';
import { isSame } from '../../../src/node/same-bytes.ts';
import { createScanMemory, type ScanMemory } from '../../../src/prompt/scan/scan-memory.ts';
import { scanRequest } from '../../../src/prompt/scan/scan.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const KIB = 1024;

const text = (seed: string, bytes: number): string => `${seed} `.repeat(Math.ceil(bytes / (seed.length + 1)));
const user = (seed: string, bytes: number) => ({ role: 'user', content: text(seed, bytes) });

/** A conversation of so many turns of 1 KiB, whose first words are its own. */
function body(name: string, turns: number, extra: object = {}): Uint8Array {
  const messages = Array.from({ length: turns }, (_, turn) => user(`${name}-${turn}`, KIB));
  return new TextEncoder().encode(JSON.stringify({ model: 'claude-sonnet-5', messages, ...extra }));
}

/** What it is held at: its bytes, and what is remembered of each message or tool, which is one position. */
const sizeOf = (bytes: Uint8Array, elements: number): number => bytes.length + elements * 450;

function createStage({ maxBytes = 1024 * KIB } = {}) {
  const clock = createFakeClock();
  const memory = createScanMemory({ clock, maxBytes, isSame });
  return { clock, memory };
}

/** What share of the body did not have to be read. */
function knownShare(memory: ScanMemory, tenantId: string, bytes: Uint8Array): number {
  const result = memory.scan(tenantId, bytes);
  if (result.kind === 'invalid') throw new Error(result.code);
  expect({ ...result, knownBytes: 0 }).toStrictEqual(scanRequest(bytes));
  return result.knownBytes / bytes.length;
}

describe('the bodies that were scanned last', () => {
  it('let a conversation be read from its last turn on, and are one of each conversation', () => {
    const { memory } = createStage();
    expect(knownShare(memory, 'acme', body('a', 40))).toBe(0);
    for (let turns = 41; turns < 60; turns++) {
      expect(knownShare(memory, 'acme', body('a', turns))).toBeGreaterThan(1 - 1.2 / turns);
    }
    expect(memory.heldBytes).toBe(sizeOf(body('a', 59), 59));
  });

  it('are kept apart by conversation, however many go on in turns', () => {
    const { memory } = createStage({ maxBytes: 4 * 1024 * KIB });
    const names = Array.from({ length: 30 }, (_, name) => `conversation ${name}`);
    for (const name of names) expect(knownShare(memory, 'acme', body(name, 20))).toBe(0);
    for (const name of names) expect(knownShare(memory, 'acme', body(name, 21))).toBeGreaterThan(0.9);
  });

  it('share what is before the first turn', () => {
    const { memory } = createStage();
    const tools = Array.from({ length: 30 }, (_, name) => ({ name: `t${name}`, description: text('does', KIB) }));
    const of = (name: string): Uint8Array => {
      const messages = [user(name, KIB)];
      return new TextEncoder().encode(JSON.stringify({ tools, messages }));
    };
    knownShare(memory, 'acme', of('one'));
    expect(knownShare(memory, 'acme', of('two'))).toBeGreaterThan(0.9);
    expect(memory.heldBytes, 'the later one').toBe(sizeOf(of('two'), 31));
  });

  it('are those of the same tenant', () => {
    const { memory } = createStage();
    knownShare(memory, 'acme', body('a', 40));
    expect(knownShare(memory, 'other', body('a', 40))).toBe(0);
    expect(knownShare(memory, 'acme', body('a', 40))).toBeGreaterThan(0.9);
  });

  it('take no more than they may, and the least recently used goes first', () => {
    const { memory } = createStage({ maxBytes: 150 * KIB });
    for (const name of ['a', 'b', 'c']) knownShare(memory, 'acme', body(name, 24));
    knownShare(memory, 'acme', body('a', 24));
    for (const name of ['d', 'e']) {
      knownShare(memory, 'acme', body(name, 24));
      expect(memory.heldBytes).toBeLessThanOrEqual(150 * KIB);
    }
    expect(knownShare(memory, 'acme', body('a', 24))).toBeGreaterThan(0.9);
    expect(knownShare(memory, 'acme', body('b', 24))).toBe(0);
  });

  it('do not make room for one that is larger than a quarter of all, nor hold what is small', () => {
    const { memory } = createStage({ maxBytes: 150 * KIB });
    knownShare(memory, 'acme', body('a', 20));
    const { heldBytes } = memory;
    expect(heldBytes).toBe(sizeOf(body('a', 20), 20));
    knownShare(memory, 'acme', body('large', 30));
    knownShare(memory, 'acme', body('small', 5));
    expect(memory.heldBytes).toBe(heldBytes);
  });

  it('count with what was found in them, so that tiny blocks take no more than large ones', () => {
    const { memory } = createStage({ maxBytes: 100 * KIB });
    const content = Array.from({ length: 400 }, () => ({ type: 'text', text: 'x' }));
    const bytes = new TextEncoder().encode(JSON.stringify({ messages: [{ role: 'user', content }] }));
    expect(bytes.length).toBeLessThan(25 * KIB);
    knownShare(memory, 'acme', bytes);
    expect(memory.heldBytes).toBe(0);
  });

  it.each(['{}', '{"role":"user"}', '{"role":"user","content":[]}'])(
    'count with messages of nothing: %s',
    (nothing) => {
      const { memory } = createStage({ maxBytes: 100 * KIB });
      const messages = Array.from({ length: (20 * KIB) / (nothing.length + 1) }, () => nothing);
      knownShare(memory, 'acme', new TextEncoder().encode(`{"messages":[${messages.join(',')}]}`));
      expect(memory.heldBytes).toBe(0);
    },
  );

  it('stay where a conversation has outgrown them', () => {
    const { memory } = createStage({ maxBytes: 150 * KIB });
    knownShare(memory, 'acme', body('a', 22));
    const { heldBytes } = memory;
    for (const turns of [26, 27]) expect(knownShare(memory, 'acme', body('a', turns))).toBeGreaterThan(0.75);
    expect(memory.heldBytes).toBe(heldBytes);
  });

  it('are forgotten five minutes after they were last of use', async () => {
    const { clock, memory } = createStage();
    knownShare(memory, 'acme', body('a', 40));
    knownShare(memory, 'acme', body('b', 40));
    await clock.advance(4 * 60_000);
    expect(knownShare(memory, 'acme', body('a', 41))).toBeGreaterThan(0.9);
    await clock.advance(2 * 60_000);
    expect(knownShare(memory, 'acme', body('a', 42))).toBeGreaterThan(0.9);
    expect(memory.heldBytes).toBe(sizeOf(body('a', 42), 42));
    expect(knownShare(memory, 'acme', body('b', 41))).toBe(0);
    expect(clock.pending, 'timers').toBe(0);
    await clock.advance(5 * 60_000);
    knownShare(memory, 'acme', body('small', 1));
    expect(memory.heldBytes, 'by whatever request comes next').toBe(0);
  });

  it('are none that is no JSON, nor one with a list twice', () => {
    const { memory } = createStage();
    const broken = body('a', 40).subarray(0, -5);
    expect(memory.scan('acme', broken).kind).toBe('invalid');
    const doubled = new TextDecoder().decode(body('a', 40)).replace('{', '{"messages":[],');
    expect(memory.scan('acme', new TextEncoder().encode(doubled)).kind).toBe('scanned');
    expect(memory.heldBytes).toBe(0);
  });
});
