import type { FailureKind, UpstreamFailure } from '../attempt.ts';

/**
 * Whether a call that failed before any content is made again, and when. Each wait is at least what the upstream asked for,
 * grows otherwise, and is jittered, so that callers who failed together do not come back together.
 */
export type RetryDecision =
  | { readonly kind: 'retry'; readonly afterMs: number }
  | {
      readonly kind: 'give_up';
      /** We have tried what there is to try: the caller should not start all over. */
      readonly isSpent: boolean;
    };

export interface RetryFacts {
  readonly failure: UpstreamFailure;
  /** Retries of this request so far, and how many there may be. */
  readonly retries: number;
  readonly maxRetries: number;
  /** Since the first call went upstream. */
  readonly elapsedMs: number;
  /** Another upstream serves this tenant and has not failed this request. */
  readonly hasElsewhere: boolean;
  /** How long this caller may still be kept waiting for a rate limit to pass. */
  readonly patienceMs: number;
  /** In [0, 1). */
  readonly random: number;
}

/** Longer than this nobody is kept for the sake of a retry, but for a rate limit that says when it ends. */
const MAX_ELAPSED_MS = 20_000;
/** As Anthropic's SDKs: 0.5 s, doubled, at most 8 s, a quarter of it random. */
const BACKOFF_BASE_MS = 500;
const BACKOFF_MAX_MS = 8_000;
const JITTER = 0.25;
/** Elsewhere nothing has failed yet: just enough that a crowd does not arrive as one. */
const ELSEWHERE_MS = 50;

type Kindness = 'again' | 'elsewhere' | 'never';

/**
 * A timeout has been paid for once and is likely to come again; money that has run out does not come back; a credential
 * that was refused is refused again.
 */
const KINDNESS: Readonly<Record<FailureKind, Kindness>> = {
  rate_limited: 'again',
  acceleration: 'again',
  concurrent_connections: 'again',
  spend_limit: 'never',
  overloaded: 'again',
  server_error: 'again',
  stream_error: 'again',
  network: 'again',
  timeout: 'never',
  credential_refused: 'elsewhere',
};

/** The upstream's own word wins, as in Anthropic's SDKs. */
function kindnessOf({ shouldRetry, kind }: UpstreamFailure): Kindness {
  if (shouldRetry === null) return KINDNESS[kind];
  return shouldRetry ? 'again' : 'never';
}

export function decideRetry(facts: RetryFacts): RetryDecision {
  const { failure, retries, maxRetries, elapsedMs, hasElsewhere, patienceMs, random } = facts;
  const kindness = kindnessOf(failure);
  if (kindness === 'never' || (kindness === 'elsewhere' && !hasElsewhere)) return { kind: 'give_up', isSpent: false };
  if (retries >= maxRetries) return { kind: 'give_up', isSpent: retries > 0 };
  if (hasElsewhere) return { kind: 'retry', afterMs: random * ELSEWHERE_MS };
  const askedMs = failure.retryAfterMs;
  if (askedMs !== null && askedMs > patienceMs) return { kind: 'give_up', isSpent: false }; // the caller can wait longer
  const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** retries) * (1 - JITTER * random);
  const afterMs = askedMs === null ? backoffMs : Math.max(askedMs * (1 + JITTER * random), backoffMs);
  const isTooLate = elapsedMs + afterMs > Math.max(MAX_ELAPSED_MS, askedMs === null ? 0 : patienceMs * (1 + JITTER));
  return isTooLate ? { kind: 'give_up', isSpent: true } : { kind: 'retry', afterMs };
}
