import { beforeEach, describe, expect, test } from 'vitest';
import { type CacheEngine, createCacheEngine } from '../../../src/simulator/cache/engine.ts';
import { begin, conversation, mark, MINUTE_MS, prompt, request, send } from './prompts.ts';

let engine: CacheEngine;
beforeEach(() => {
  engine = createCacheEngine({ prolong: false });
});

describe('reading and writing (§3.4)', () => {
  test('without a marker nothing is cached, however often the prompt is sent', () => {
    send(engine, request(conversation(5), []));
    const second = send(engine, request(conversation(5), []));
    expect(second.usage).toEqual({ uncachedTokens: 5000, readTokens: 0, write5mTokens: 0, write1hTokens: 0 });
    expect(engine.entries).toBe(0);
  });

  test('one entry is written per breakpoint and none at other positions', () => {
    send(engine, request(conversation(10), [mark(2), mark(9)]));
    expect(engine.entries).toBe(2);
    const between = send(engine, request(conversation(6), [mark(5)]));
    expect(between.hit).toEqual({ kind: 'hit', at: 2, tokens: 3000 });
  });

  test('a read finds a shorter prefix only if some request wrote exactly there', () => {
    send(engine, request(conversation(10), [mark(9)]));
    expect(send(engine, request(conversation(8), [mark(7)])).hit.kind).toBe('miss');
  });

  test('a breakpoint finds an entry 19 positions below itself and none 20 below: 20 positions including its own', () => {
    send(engine, request(conversation(16), [mark(15)]));
    expect(begin(engine, request(conversation(35), [mark(34)])).hit).toMatchObject({ kind: 'hit', at: 15 });
    expect(begin(engine, request(conversation(36), [mark(35)])).hit.kind).toBe('miss');
  });

  test('after 20 positions the search goes on from the next explicit breakpoint', () => {
    send(engine, request(conversation(4), [mark(3)]));
    const asked = request(conversation(60), [mark(20), mark(59)]);
    expect(begin(engine, asked).hit).toMatchObject({ at: 3 });
  });

  test('the highest entry wins, not that of the first breakpoint', () => {
    send(engine, request(conversation(10), [mark(2), mark(9)]));
    expect(begin(engine, request(conversation(12), [mark(2), mark(11)])).hit).toMatchObject({ at: 9 });
  });

  test('a change in the middle leaves what was written before it readable', () => {
    send(engine, request(prompt('tools system one two'), [mark(1), mark(3)]));
    const changed = begin(engine, request(prompt('tools system other two'), [mark(1), mark(3)]));
    expect(changed.hit).toMatchObject({ at: 1, tokens: 2000 });
  });

  test('a breakpoint below the hit is free and leaves an entry for prompts that branch off there', () => {
    send(engine, request(conversation(10), [mark(9)]));
    const second = send(engine, request(conversation(10), [mark(4), mark(9)]));
    expect(second.usage).toMatchObject({ readTokens: 10_000, write5mTokens: 0 });
    expect(begin(engine, request(prompt('b0 b1 b2 b3 b4 other'), [mark(5)])).hit).toMatchObject({ at: 4 });
  });
});

describe('concurrency (§3.4)', () => {
  test('parallel requests on a cold prefix all miss and all pay the write', () => {
    const lookups = [1, 2, 3].map(() => begin(engine, request(conversation(5), [mark(4)])));
    expect(lookups.map((lookup) => lookup.usage.write5mTokens)).toEqual([5000, 5000, 5000]);
    lookups.forEach((lookup) => engine.commit(lookup));
    expect(engine.entries).toBe(1);
  });

  test('an entry can be read from the moment the first answer begins', () => {
    const leader = begin(engine, request(conversation(5), [mark(4)]));
    expect(begin(engine, request(conversation(5), [mark(4)])).hit.kind).toBe('miss');
    engine.commit(leader);
    expect(begin(engine, request(conversation(5), [mark(4)])).hit.kind).toBe('hit');
  });

  test('a request that fails before its answer begins writes nothing', () => {
    begin(engine, request(conversation(5), [mark(4)]));
    expect(engine.entries).toBe(0);
  });
});

describe('life (§3.4)', () => {
  test('an entry lives five minutes from the start of the request that wrote it, not from the beginning of its answer', () => {
    const slow = begin(engine, request(conversation(5), [mark(4)], 0));
    engine.commit(slow);
    expect(begin(engine, request(conversation(5), [mark(4)], 5 * MINUTE_MS)).hit.kind).toBe('miss');
    const other = createCacheEngine({ prolong: false });
    send(other, request(conversation(5), [mark(4)], 0));
    expect(begin(other, request(conversation(5), [mark(4)], 5 * MINUTE_MS - 1)).hit.kind).toBe('hit');
  });

  test('a read gives five more minutes from the start of the reading request', () => {
    send(engine, request(conversation(5), [mark(4)], 0));
    begin(engine, request(conversation(5), [mark(4)], 4 * MINUTE_MS));
    expect(begin(engine, request(conversation(5), [mark(4)], 8.9 * MINUTE_MS)).hit.kind).toBe('hit');
  });

  test('a 1h entry read through a 5m marker is refreshed for the hour', () => {
    send(engine, request(conversation(5), [mark(4, '1h')], 0));
    send(engine, request(conversation(5), [mark(4, '5m')], 30 * MINUTE_MS));
    expect(begin(engine, request(conversation(5), [mark(4)], 89 * MINUTE_MS)).hit.kind).toBe('hit');
  });

  test('a 5m entry read through a 1h marker stays a 5m entry, since nothing was paid', () => {
    send(engine, request(conversation(5), [mark(4, '5m')], 0));
    const read = send(engine, request(conversation(5), [mark(4, '1h')], MINUTE_MS));
    expect(read.usage.write1hTokens).toBe(0);
    expect(begin(engine, request(conversation(5), [mark(4)], 6 * MINUTE_MS)).hit.kind).toBe('miss');
  });

  test('reading a long prefix refreshes the shorter ones it stands on', () => {
    send(engine, request(conversation(3), [mark(2)], 0));
    send(engine, request(conversation(6), [mark(5)], 2 * MINUTE_MS));
    send(engine, request(conversation(6), [mark(5)], 6 * MINUTE_MS));
    expect(begin(engine, request(prompt('b0 b1 b2 other'), [mark(3)], 10 * MINUTE_MS)).hit).toMatchObject({ at: 2 });
  });

  test('peeking refreshes nothing', () => {
    send(engine, request(conversation(5), [mark(4)], 0));
    engine.peek(request(conversation(5), [mark(4)], 4 * MINUTE_MS));
    expect(begin(engine, request(conversation(5), [mark(4)], 6 * MINUTE_MS)).hit.kind).toBe('miss');
  });

  test('a later 5m write never shortens a living 1h entry', () => {
    const both = [mark(4, '1h'), mark(4, '5m')].map((m) => begin(engine, request(conversation(5), [m], 0)));
    both.forEach((lookup) => engine.commit(lookup));
    expect(begin(engine, request(conversation(5), [mark(4)], 50 * MINUTE_MS)).hit.kind).toBe('hit');
  });

  test('entries whose time is over are forgotten, so memory is bounded', () => {
    for (let minute = 0; minute < 600; minute++) {
      send(engine, request(prompt(`only-${minute} end`), [mark(1)], minute * MINUTE_MS));
    }
    expect(engine.entries).toBeLessThan(10);
  });
});

describe('a 1h mark above a 5m entry (traces README, last paragraph)', () => {
  const head = request(conversation(3), [mark(2, '5m')], 0);
  const above = request(conversation(6), [mark(5, '1h')], MINUTE_MS);

  test('only what lies above the highest hit is billed as a 1h write', () => {
    send(engine, head);
    expect(send(engine, above).usage).toMatchObject({ readTokens: 3000, write1hTokens: 3000, write5mTokens: 0 });
  });

  test('by default the new entry dies with the 5m entry it stands on', () => {
    send(engine, head);
    send(engine, above);
    expect(begin(engine, { ...above, startedAtMs: 5.9 * MINUTE_MS }).hit).toMatchObject({ at: 5 });
    const cautious = createCacheEngine({ prolong: false });
    send(cautious, head);
    send(cautious, above);
    expect(begin(cautious, { ...above, startedAtMs: 7 * MINUTE_MS }).hit.kind).toBe('miss');
  });

  test('with `prolong` the whole prefix lives for the hour, the shorter entry too', () => {
    const generous = createCacheEngine({ prolong: true });
    send(generous, head);
    send(generous, above);
    expect(begin(generous, { ...head, startedAtMs: 40 * MINUTE_MS }).hit).toMatchObject({ at: 2 });
    expect(begin(generous, { ...above, startedAtMs: 60 * MINUTE_MS }).hit).toMatchObject({ at: 5 });
  });

  test('a 1h mark at or below the hit buys no hour even with `prolong`', () => {
    const generous = createCacheEngine({ prolong: true });
    send(generous, head);
    send(generous, request(conversation(3), [mark(2, '1h')], MINUTE_MS));
    expect(begin(generous, { ...head, startedAtMs: 7 * MINUTE_MS }).hit.kind).toBe('miss');
  });
});

describe('billing (§3.5)', () => {
  test('A is read, B−A is written for 1h, C−B for 5m, the rest is uncached', () => {
    send(engine, request(conversation(2), [mark(1, '1h')]));
    const asked = request(conversation(10), [mark(1, '1h'), mark(4, '1h'), mark(7, '5m')]);
    expect(begin(engine, asked).usage).toEqual({
      readTokens: 2000,
      write1hTokens: 3000,
      write5mTokens: 3000,
      uncachedTokens: 2000,
    });
  });

  test('a 1h marker below the hit is not billed again', () => {
    send(engine, request(conversation(6), [mark(1, '1h'), mark(5, '5m')]));
    const usage = begin(engine, request(conversation(8), [mark(1, '1h'), mark(7, '5m')])).usage;
    expect(usage).toMatchObject({ readTokens: 6000, write1hTokens: 0, write5mTokens: 2000 });
  });

  test('the four kinds always sum to the whole prompt', () => {
    for (let count = 1; count < 50; count += 7) {
      const usage = send(
        engine,
        request(conversation(count, 700), [mark(Math.floor(count / 2), '1h'), mark(count - 1)]),
      ).usage;
      expect(usage.uncachedTokens + usage.readTokens + usage.write1hTokens + usage.write5mTokens).toBe(count * 700);
    }
  });
});

describe('minimum (§3.7)', () => {
  test('a prefix below the minimum is neither written nor an error, and both counters stay 0', () => {
    const asked = request(conversation(3, 300), [mark(2)]);
    send(engine, asked);
    expect(send(engine, asked).usage).toEqual({
      readTokens: 0,
      write5mTokens: 0,
      write1hTokens: 0,
      uncachedTokens: 900,
    });
  });

  test('the minimum counts the whole prefix, not what the last marker adds', () => {
    const usage = send(engine, request(conversation(4, 300), [mark(2), mark(3)])).usage;
    expect(usage.write5mTokens).toBe(1200);
    expect(engine.entries).toBe(1);
  });

  test('a prefix of exactly the minimum is written', () => {
    expect(send(engine, request(conversation(4, 256), [mark(3)])).usage.write5mTokens).toBe(1024);
  });
});

describe('isolation (§3.10)', () => {
  test('an entry of one workspace or model is never read by another', () => {
    send(engine, request(conversation(5), [mark(4)], 0, { domain: 'a/model' }));
    expect(begin(engine, request(conversation(5), [mark(4)], 0, { domain: 'b/model' })).hit.kind).toBe('miss');
    expect(begin(engine, request(conversation(5), [mark(4)], 0, { domain: 'a/model' })).hit.kind).toBe('hit');
  });
});
