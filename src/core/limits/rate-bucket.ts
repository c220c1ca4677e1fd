/**
 * Our picture of one of an upstream's token buckets (docs: rate limits, continuous refill). It is drawn from the newest
 * answer and what was sent after that answer's call, and errs low: the figure counts as of when it arrived.
 * Invariant: the level is never below minus one limit, so that no wait is longer than two minutes, whatever was said.
 */
export interface RateBucket {
  /** @param burst share of the limit that may be used at once since the last `restrain`. */
  level(nowMs: number, burst: number): number;
  take(amount: number, nowMs: number): void;
  /** More was sent at once than is borne: what may go at once begins at nothing and fills from here. */
  restrain(): void;
  /** @param sentSince what was sent after the call whose answer this is. */
  learn(figures: BucketFigures, sentSince: number, nowMs: number): void;
  /** Until this much fits; the whole bucket suffices for what is larger. */
  waitMs(amount: number, nowMs: number, burst: number): number;
  readonly limit: number;
  resetInMs(nowMs: number): number | null;
}

/** What an answer's headers say of a bucket. */
export interface BucketFigures {
  readonly limit: number;
  readonly remaining: number;
  /** From now until it is full again; null where that cannot be read. */
  readonly resetInMs: number | null;
}

const MINUTE_MS = 60_000;
/** Fractions of a token that lie between a computed moment and the level at it. */
const ROUNDING = 1e-6;

export function createRateBucket(figures: BucketFigures, sentSince: number, nowMs: number): RateBucket {
  let limit = figures.limit;
  let held = 0;
  let atOnce = 0; // the same bucket with less depth; counts only while a burst is restrained
  let atMs = nowMs;
  let resetAtMs: number | null = null;

  const settle = (untilMs: number): void => {
    const refill = (Math.max(0, untilMs - atMs) * limit) / MINUTE_MS;
    held = Math.min(limit, held + refill);
    atOnce = Math.min(limit, atOnce + refill);
    atMs = Math.max(atMs, untilMs);
  };
  const set = (next: number): void => {
    held = Math.max(-limit, Math.min(limit, next));
  };
  const level = (at: number, burst: number): number => {
    settle(at);
    if (burst >= 1) return held;
    atOnce = Math.min(depthOf(limit, burst), atOnce);
    return Math.min(held, atOnce);
  };
  const bucket: RateBucket = {
    level,
    get limit() {
      return limit;
    },
    take(amount, at) {
      settle(at);
      set(held - amount);
      atOnce = Math.max(-limit, atOnce - amount);
    },
    restrain() {
      atOnce = 0;
    },
    learn(next, since, at) {
      settle(at);
      limit = next.limit;
      resetAtMs = next.resetInMs === null ? null : at + next.resetInMs;
      set(heldBy(next) - since);
    },
    waitMs(amount, at, burst) {
      const missing = Math.min(amount, depthOf(limit, burst)) - level(at, burst) - ROUNDING;
      return missing <= 0 ? 0 : Math.ceil((missing / limit) * MINUTE_MS);
    },
    resetInMs: (at) => (resetAtMs === null ? null : Math.max(0, resetAtMs - at)),
  };
  bucket.learn(figures, sentSince, nowMs);
  return bucket;
}

/** At least a single unit, or nothing would ever fit. */
function depthOf(limit: number, burst: number): number {
  return Math.max(1, limit * burst);
}

/** An empty bucket may be overdrawn, which `remaining` does not show, but the time until it is full does. */
function heldBy({ limit, remaining, resetInMs }: BucketFigures): number {
  if (remaining > 0 || resetInMs === null) return remaining;
  return Math.min(0, limit - (Math.min(resetInMs, 2 * MINUTE_MS) * limit) / MINUTE_MS);
}
