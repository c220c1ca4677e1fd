/** A bucket that holds one minute's allowance and refills continuously (docs: rate limits). It may be overdrawn by what was only known later. */
export interface TokenBucket {
  readonly perMinute: number;
  level(nowMs: number): number;
  take(amount: number, nowMs: number): void;
  /** Milliseconds until the level reaches `amount`, or the full bucket if that is less. */
  waitMs(amount: number, nowMs: number): number;
}

const MINUTE_MS = 60_000;

export function createTokenBucket(perMinute: number): TokenBucket {
  let held = perMinute;
  let atMs = Number.NEGATIVE_INFINITY;
  const level = (nowMs: number) => {
    if (nowMs > atMs) {
      held = Math.min(perMinute, held + ((nowMs - Math.max(atMs, nowMs - 10 * MINUTE_MS)) / MINUTE_MS) * perMinute);
      atMs = nowMs;
    }
    return held;
  };
  return {
    perMinute,
    level,
    take(amount, nowMs) {
      held = level(nowMs) - amount;
    },
    waitMs(amount, nowMs) {
      const missing = Math.min(amount, perMinute) - level(nowMs);
      return missing <= 0 ? 0 : (missing / perMinute) * MINUTE_MS;
    },
  };
}
