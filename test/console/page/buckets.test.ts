import { describe, expect, it } from 'vitest';
import type { Bucket } from '../../../src/console/contract.ts';
import {
  columnsOf,
  completeBuckets,
  hitRatio,
  mergeBuckets,
  requestsPerMinute,
  spanOf,
} from '../../../src/console/page/data/buckets.ts';
import { foldEvent, NOTHING_YET } from '../../../src/console/page/data/live-state.ts';
import { bucketAt, bucketsUntil, snapshotAt } from '../fixture-data.ts';

const BUCKET_MS = 10_000;
const NOW_MS = Date.UTC(2026, 10, 22, 9, 30, 4);

function bucket(startAtMs: number, requests: number): Bucket {
  return { ...bucketAt(startAtMs), requests };
}

describe('the last half hour', () => {
  it('a bucket that comes again replaces what it was', () => {
    const merged = mergeBuckets([bucket(0, 1), bucket(BUCKET_MS, 2)], [bucket(BUCKET_MS, 5), bucket(2 * BUCKET_MS, 1)]);
    expect(merged.map(({ requests }) => requests)).toEqual([1, 5, 1]);
  });

  it('forgets what is more than half an hour before the newest', () => {
    const merged = mergeBuckets(bucketsUntil(NOW_MS - BUCKET_MS, 180), [bucketAt(NOW_MS - (NOW_MS % BUCKET_MS))]);
    expect(merged).toHaveLength(180);
    expect(merged[0]?.startAtMs).toBe(merged.at(-1)!.startAtMs - 179 * BUCKET_MS);
  });

  it('does not draw a bucket that is still growing', () => {
    const complete = completeBuckets(bucketsUntil(NOW_MS, 3), BUCKET_MS, NOW_MS);
    expect(complete).toHaveLength(2);
  });

  it('counts requests of a minute in six complete buckets', () => {
    const buckets = bucketsUntil(NOW_MS, 20).map((one) => ({ ...one, requests: 10 }));
    const complete = completeBuckets(buckets, BUCKET_MS, NOW_MS);
    expect(requestsPerMinute(complete, BUCKET_MS, NOW_MS)).toBe(60);
  });

  it('counts none of them when the last minute was quiet', () => {
    const buckets = bucketsUntil(NOW_MS - 120_000, 20);
    expect(requestsPerMinute(buckets, BUCKET_MS, NOW_MS)).toBe(0);
  });

  it('shows time without a bucket as a gap', () => {
    const { timesS, rows } = columnsOf([bucket(0, 1), bucket(3 * BUCKET_MS, 2)], BUCKET_MS);
    expect(timesS).toEqual([0, 10, 20, 30]);
    expect(rows.map((row) => row?.requests ?? null)).toEqual([1, null, null, 2]);
  });

  it.each([
    [1, 5],
    [5, 5],
    [6, 10],
    [19, 20],
    [25, 30],
  ])('%d minutes of it are drawn on an axis of %d', (knownMinutes, drawnMinutes) => {
    const newestS = NOW_MS / 1000;
    const { min, max } = spanOf([newestS - knownMinutes * 60, newestS]);
    expect([max, max - min]).toEqual([newestS, drawnMinutes * 60]);
  });

  it('has no hit rate where there was no input', () => {
    expect(hitRatio({ inputTokens: 0, cacheReadTokens: 0 })).toBeNull();
    expect(hitRatio({ inputTokens: 200, cacheReadTokens: 150 })).toBe(0.75);
  });
});

describe('the live state', () => {
  it('is a history, and then what snapshots add to it', () => {
    const history = { bucketMs: BUCKET_MS, buckets: bucketsUntil(NOW_MS - BUCKET_MS, 5) };
    const first = foldEvent(NOTHING_YET, 'history', JSON.stringify(history), NOW_MS);
    const snapshot = snapshotAt(NOW_MS, NOW_MS);
    const then = foldEvent(first, 'snapshot', JSON.stringify(snapshot), NOW_MS - 250);
    expect(then.buckets).toHaveLength(6);
    expect(then.snapshot).toEqual(snapshot);
    expect(then.aheadMs).toBe(250);
  });

  it('begins anew with a history that comes after a break', () => {
    const old = { ...NOTHING_YET, buckets: bucketsUntil(NOW_MS - 600_000, 5) };
    const fresh = { bucketMs: BUCKET_MS, buckets: bucketsUntil(NOW_MS, 2) };
    expect(foldEvent(old, 'history', JSON.stringify(fresh), NOW_MS).buckets).toHaveLength(2);
  });

  it.each([
    ['ping', '{}'],
    ['snapshot', '{"atMs": 1'],
    ['history', ''],
  ])('is not moved by an event %s with data %j', (type, data) => {
    expect(foldEvent(NOTHING_YET, type, data, NOW_MS)).toBe(NOTHING_YET);
  });
});
