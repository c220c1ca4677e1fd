import { describe, expect, it } from 'vitest';
import { createTrafficHistory } from '../../src/console/traffic-history.ts';
import { noteOf, usageOf } from '../pipeline/scripted.ts';
import { finishedOf, ZERO_WALL_MS } from './records.ts';

const MINUTE_MS = 60_000;

describe('the history of the last half hour', () => {
  it('begins with the gateway and has no gaps', () => {
    const traffic = createTrafficHistory(ZERO_WALL_MS + 4_000);
    traffic.add(finishedOf({ endedAtMs: 25_000 }));
    const { bucketMs, buckets } = traffic.history(ZERO_WALL_MS + 31_000);
    expect(bucketMs).toBe(10_000);
    expect(buckets.map(({ startAtMs, requests }) => [startAtMs - ZERO_WALL_MS, requests])).toEqual([
      [0, 0],
      [10_000, 0],
      [20_000, 1],
      [30_000, 0],
    ]);
  });

  it('ends after half an hour', () => {
    const traffic = createTrafficHistory(ZERO_WALL_MS);
    traffic.add(finishedOf({ endedAtMs: 5_000 }));
    const { buckets } = traffic.history(ZERO_WALL_MS + 30 * MINUTE_MS);
    expect(buckets).toHaveLength(180);
    expect(buckets.every(({ requests }) => requests === 0)).toBe(true);
  });

  it('counts an exchange when it ends, with its tokens, its cost, its retries and whether it failed', () => {
    const traffic = createTrafficHistory(ZERO_WALL_MS);
    const usage = usageOf({ uncachedInput: 10, cacheRead: 80, cacheWrite5m: 6, cacheWrite1h: 4, output: 9 });
    const attempts = [noteOf(), noteOf(), noteOf()];
    traffic.add(finishedOf({ receivedAtMs: 1_000, endedAtMs: 12_000, usage, attempts }));
    traffic.add(finishedOf({ receivedAtMs: 1_000, endedAtMs: 13_000, status: 529 }));
    expect(traffic.newest(ZERO_WALL_MS + 15_000)).toMatchObject([
      { requests: 0 },
      {
        requests: 2,
        errors: 1,
        retries: 2,
        inputTokens: 100,
        cacheReadTokens: 80,
        cacheWriteTokens: 10,
        outputTokens: 9,
      },
    ]);
    expect(traffic.newest(ZERO_WALL_MS + 15_000)[1]?.costUsd).toBeGreaterThan(0);
  });

  it('keeps the first tokens of hits apart from those of the rest, and knows none where none came', () => {
    const traffic = createTrafficHistory(ZERO_WALL_MS);
    const hit = usageOf({ cacheRead: 100 });
    for (const firstContentAtMs of [100, 110, 120]) {
      traffic.add(finishedOf({ endedAtMs: 500, usage: hit, timings: { firstContentAtMs } }));
    }
    traffic.add(
      finishedOf({ endedAtMs: 500, usage: usageOf({ cacheWrite5m: 9 }), timings: { firstContentAtMs: 900 } }),
    );
    const [bucket] = traffic.newest(ZERO_WALL_MS + 900);
    expect((bucket?.hitTtftP50Ms ?? 0) / 110).toBeCloseTo(1, 1);
    expect((bucket?.missTtftP50Ms ?? 0) / 900).toBeCloseTo(1, 1);
    expect((bucket?.ttftP95Ms ?? 0) / 120).toBeCloseTo(1, 1);
    expect(bucket?.queueP95Ms).toBeNull();
  });
});
