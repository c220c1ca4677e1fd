import type { Bucket } from '../../contract.ts';

/**
 * The last half hour as the page keeps it: one history when it connects, then the newest two buckets with every
 * snapshot. A bucket that comes again replaces the one that began at the same time; what is too old is dropped.
 */
export const HISTORY_MS = 30 * 60_000;

export function mergeBuckets(known: readonly Bucket[], news: readonly Bucket[]): readonly Bucket[] {
  const byStart = new Map([...known, ...news].map((bucket) => [bucket.startAtMs, bucket]));
  const merged = [...byStart.values()].toSorted((one, other) => one.startAtMs - other.startAtMs);
  const newestAtMs = merged.at(-1)?.startAtMs ?? 0;
  return merged.filter(({ startAtMs }) => startAtMs > newestAtMs - HISTORY_MS);
}

/** Without the newest while it is still growing: half a bucket looks like a fall. */
export function completeBuckets(buckets: readonly Bucket[], bucketMs: number, nowMs: number): readonly Bucket[] {
  return buckets.filter(({ startAtMs }) => startAtMs + bucketMs <= nowMs);
}

/** Requests that ended within the last full minute of complete buckets. */
export function requestsPerMinute(complete: readonly Bucket[], bucketMs: number, nowMs: number): number {
  const fromMs = Math.floor(nowMs / bucketMs) * bucketMs - 60_000;
  return complete.filter(({ startAtMs }) => startAtMs >= fromMs).reduce((sum, { requests }) => sum + requests, 0);
}

export function hitRatio({ inputTokens, cacheReadTokens }: Pick<Bucket, 'inputTokens' | 'cacheReadTokens'>) {
  return inputTokens > 0 ? cacheReadTokens / inputTokens : null;
}

/** Columns for charts: a time and a value for every bucket's length, null where there is no bucket. */
export interface Columns {
  /** Seconds since 1970, where a bucket begins. */
  readonly timesS: number[];
  readonly rows: readonly (Bucket | null)[];
}

/** The first minutes of a gateway are shown as such, not as a nearly empty half hour; steps, so that the axis stands still. */
const SPANS_S = [5, 10, 20, 30].map((minutes) => minutes * 60);

/** What a chart's axis spans, in seconds since 1970: the shortest step that holds it all. */
export function spanOf(timesS: readonly number[]): { readonly min: number; readonly max: number } {
  const max = timesS.at(-1) ?? 0;
  const neededS = max - (timesS[0] ?? max);
  return { min: max - (SPANS_S.find((spanS) => spanS >= neededS) ?? HISTORY_MS / 1000), max };
}

export function columnsOf(complete: readonly Bucket[], bucketMs: number): Columns {
  const first = complete[0];
  const last = complete.at(-1);
  if (!first || !last) return { timesS: [], rows: [] };
  const byStart = new Map(complete.map((bucket) => [bucket.startAtMs, bucket]));
  const length = Math.round((last.startAtMs - first.startAtMs) / bucketMs) + 1;
  const starts = Array.from({ length }, (_, at) => first.startAtMs + at * bucketMs);
  return { timesS: starts.map((startAtMs) => startAtMs / 1000), rows: starts.map((at) => byStart.get(at) ?? null) };
}
