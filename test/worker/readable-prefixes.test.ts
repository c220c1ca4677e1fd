import { describe, expect, it } from 'vitest';
import { createReadablePrefixes } from '../../src/worker/readable-prefixes.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const MINUTE_MS = 60_000;
const wants = (prefix: string, ttl: '5m' | '1h' = '5m', knownSentAtMs = 0) => ({
  prefix,
  ttl,
  knownSentAtMs,
});

describe('a prefix that was written', () => {
  it('is news to whoever knows nothing of it, with its age', async () => {
    const clock = createFakeClock();
    const readable = createReadablePrefixes(clock);
    readable.note([{ prefix: 'a', ttl: '5m' }], clock.wallMs());
    await clock.advance(MINUTE_MS);
    expect(readable.newsFor([wants('a'), wants('b')])).toEqual([{ prefix: 'a', ttl: '5m', ageMs: MINUTE_MS }]);
  });

  it('is no news to whoever knows of this write, and is again when it has been written anew', async () => {
    const clock = createFakeClock();
    const readable = createReadablePrefixes(clock);
    const sentAtMs = clock.wallMs();
    readable.note([{ prefix: 'a', ttl: '5m' }], sentAtMs);
    expect(readable.newsFor([wants('a', '5m', sentAtMs)])).toEqual([]);
    await clock.advance(MINUTE_MS);
    readable.note([{ prefix: 'a', ttl: '5m' }], clock.wallMs());
    expect(readable.newsFor([wants('a', '5m', sentAtMs)])).toHaveLength(1);
  });

  it('is forgotten when its life is over, counted from the request that wrote it', async () => {
    const clock = createFakeClock();
    const readable = createReadablePrefixes(clock);
    const written = [
      { prefix: 'a', ttl: '5m' },
      { prefix: 'b', ttl: '1h' },
    ] as const;
    readable.note(written, clock.wallMs() - MINUTE_MS);
    await clock.advance(4 * MINUTE_MS);
    expect(readable.newsFor([wants('a'), wants('b')]).map(({ prefix }) => prefix)).toEqual(['b']);
  });

  it('for an hour is not made shorter by what is heard late of an older write', async () => {
    const clock = createFakeClock();
    const readable = createReadablePrefixes(clock);
    readable.note([{ prefix: 'a', ttl: '1h' }], clock.wallMs());
    readable.note([{ prefix: 'a', ttl: '5m' }], clock.wallMs() - MINUTE_MS);
    await clock.advance(10 * MINUTE_MS);
    expect(readable.newsFor([wants('a', '1h')])).toEqual([{ prefix: 'a', ttl: '1h', ageMs: 10 * MINUTE_MS }]);
  });

  it('for five minutes does not stand for one that is wanted for an hour', () => {
    const clock = createFakeClock();
    const readable = createReadablePrefixes(clock);
    readable.note([{ prefix: 'a', ttl: '5m' }], clock.wallMs());
    expect(readable.newsFor([wants('a', '1h')])).toEqual([]);
  });

  it('is the first to go when there are too many and it was written longest ago', () => {
    const clock = createFakeClock();
    const readable = createReadablePrefixes(clock, 2);
    for (const prefix of ['a', 'b', 'a', 'c']) readable.note([{ prefix, ttl: '5m' }], clock.wallMs());
    expect(readable.newsFor(['a', 'b', 'c'].map((prefix) => wants(prefix))).map(({ prefix }) => prefix)).toEqual([
      'a',
      'c',
    ]);
  });
});
