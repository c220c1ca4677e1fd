/**
 * One budget for all retries, so that they cannot multiply what an upstream in trouble has to bear: over ten seconds at
 * most 0.3 retries to a request, 1.3 calls. One failure in five needs 0.25 to be ridden out (0.2 + 0.04 + …); a budget of
 * just that much is a queue at full load, and would fail what chance adds. A few are always free, or a quiet gateway could
 * not retry at all.
 */
export interface RetryBudget {
  /** A call goes upstream for the first time. */
  noteCall(nowMs: number): void;
  /** Takes one retry; false: none is left now. */
  take(nowMs: number): boolean;
  /** What is left, as a share of what may be taken in all: 1 is all of it. */
  remainingRatio(nowMs: number): number;
}

const WINDOW_MS = 10_000;
const SLICES = 10;
/** Retries to a request. */
const MAX_SHARE = 0.3;
const ALWAYS_FREE = 10;

interface Slice {
  at: number;
  calls: number;
  retries: number;
}

export function createRetryBudget(): RetryBudget {
  const slices: Slice[] = Array.from({ length: SLICES }, () => ({ at: -1, calls: 0, retries: 0 }));

  /** Slices form a ring: one that is a whole window old is taken anew. */
  const sliceOf = (nowMs: number): Slice => {
    const at = Math.floor(nowMs / (WINDOW_MS / SLICES));
    const slice = slices[((at % SLICES) + SLICES) % SLICES] as Slice;
    if (slice.at !== at) Object.assign(slice, { at, calls: 0, retries: 0 });
    return slice;
  };
  const standing = (nowMs: number): { retries: number; allowed: number } => {
    const newest = sliceOf(nowMs).at;
    let [calls, retries] = [0, 0];
    for (const slice of slices) {
      if (slice.at <= newest - SLICES) continue;
      calls += slice.calls;
      retries += slice.retries;
    }
    return { retries, allowed: Math.max(ALWAYS_FREE, Math.floor(MAX_SHARE * calls)) };
  };

  return {
    noteCall(nowMs) {
      sliceOf(nowMs).calls++;
    },
    take(nowMs) {
      const { retries, allowed } = standing(nowMs);
      const isFree = retries < allowed;
      if (isFree) sliceOf(nowMs).retries++;
      return isFree;
    },
    remainingRatio(nowMs) {
      const { retries, allowed } = standing(nowMs);
      return Math.max(0, allowed - retries) / allowed; // calls leave the window before the retries they allowed
    },
  };
}
