import { resultOfFailure, type AttemptResult, type UpstreamFailure } from '../core/attempt.ts';
import type { ExchangeTimings, Outcome } from '../core/exchange.ts';
import type { TokenUsage } from '../core/usage.ts';

/** What one call's outcome says about its upstream. */
export function attemptResult(outcome: Outcome, timings: ExchangeTimings): AttemptResult {
  const failure = failureOf(outcome);
  if (failure) return resultOfFailure(failure);
  if (outcome.kind !== 'answered' || outcome.status >= 400) return { kind: 'ignored' };
  const { upstreamSentAtMs, firstContentAtMs } = timings;
  const isSeen = upstreamSentAtMs !== null && firstContentAtMs !== null;
  return {
    kind: 'ok',
    ttftMs: isSeen ? firstContentAtMs - upstreamSentAtMs : null,
    uncachedTokens: outcome.usage && notRead(outcome.usage),
  };
}

/** null: nothing was wrong with the upstream. */
export function failureOf(outcome: Outcome): UpstreamFailure | null {
  return outcome.kind === 'abandoned' ? null : (outcome.failure ?? null);
}

function notRead(usage: TokenUsage): number {
  return usage.uncachedInput + usage.cacheWrite5m + usage.cacheWrite1h;
}
