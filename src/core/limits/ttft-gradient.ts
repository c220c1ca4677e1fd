/**
 * Whether answers begin later than they use to, which is how a queue upstream is seen before it refuses (the idea of
 * Netflix's gradient2). The time to the first token follows the uncached part of the prompt, so what is averaged is how
 * many times longer it took than such a prompt should: prompts that become longer change nothing. The time to the last
 * token follows the answer's length and is not looked at.
 */
export interface TtftGradient {
  add(ttftMs: number, uncachedTokens: number, nowMs: number): void;
  readonly verdict: TtftVerdict;
  /** The latest samples' ratio; only its change means anything. */
  readonly recent: number;
  /** What is slow now is how it is: no limit of ours has helped. */
  adopt(): void;
}

/** `swollen` carries the share of the calls at once that would bring it back, were each as much to blame as the next. */
export type TtftVerdict =
  { readonly kind: 'steady' } | { readonly kind: 'slower' } | { readonly kind: 'swollen'; readonly share: number };

/** What a prompt should take; only its shape counts, since a whole upstream that is faster or slower is its own measure. */
const BASE_MS = 500;
const PER_TOKEN_MS = 0.05;
/** No verdict on fewer. */
const MIN_SAMPLES = 30;
const RECENT_SAMPLES = 20;
const LONG_SAMPLES = 100;
const LONG_MS = 600_000;
/** One gap in the traffic must not make the next sample the long-term average. */
const LONG_WEIGHT_MAX = 0.05;
/** Generous: models and hours of the day differ by less, a queue worth fearing by more. */
const SWOLLEN = 2;
const SLOWER = 1.5;
/** One absurd sample (a stalled connection, a clock) weighs no more than this many ordinary ones. */
const OUTLIER = 10;

export function createTtftGradient(): TtftGradient {
  let samples = 0;
  let recent = 0;
  let long = 0;
  let lastMs = 0;

  return {
    add(ttftMs, uncachedTokens, nowMs) {
      const plain = ttftMs / (BASE_MS + PER_TOKEN_MS * uncachedTokens);
      if (!Number.isFinite(plain) || plain <= 0) return;
      const ratio = samples === 0 ? plain : Math.min(plain, OUTLIER * long);
      samples++;
      recent += (ratio - recent) * Math.max(1 / samples, 1 / RECENT_SAMPLES);
      const byTime = Math.min(LONG_WEIGHT_MAX, Math.max(0, nowMs - lastMs) / LONG_MS);
      long += (Math.min(ratio, samples === 1 ? ratio : SWOLLEN * long) - long) * longWeight(samples, byTime);
      lastMs = nowMs;
    },
    get verdict(): TtftVerdict {
      if (samples < MIN_SAMPLES || recent <= SLOWER * long) return { kind: 'steady' };
      if (recent <= SWOLLEN * long) return { kind: 'slower' };
      return { kind: 'swollen', share: (SWOLLEN * long) / recent };
    },
    get recent() {
      return recent;
    },
    adopt() {
      long = recent;
    },
  };
}

/** A plain mean to begin with, then by time, so that much traffic does not make a swollen minute the norm. */
function longWeight(samples: number, byTime: number): number {
  return samples <= LONG_SAMPLES ? Math.max(1 / samples, byTime) : byTime;
}
