import type { AdaptiveLimit } from '../../src/core/limits/adaptive-limit.ts';
import type { AttemptResult, FailureKind } from '../../src/core/attempt.ts';
import type { HeaderMap } from '../../src/core/headers.ts';
import type { CapacityAsk, CapacityGrant, UpstreamCapacity } from '../../src/state/upstream-capacity.ts';

export const FINE: AttemptResult = { kind: 'ok', ttftMs: null, uncachedTokens: null };
export const failed = (kind: FailureKind, retryAfterMs: number | null = null): AttemptResult => ({
  kind: 'failed',
  failure: { kind, retryAfterMs, shouldRetry: null },
});
/** 600,000 tokens a minute are 10 in a millisecond. */
export const tokensLeft = (remaining: number): HeaderMap => ({
  'anthropic-ratelimit-input-tokens-limit': '600000',
  'anthropic-ratelimit-input-tokens-remaining': String(remaining),
});

/** The limit that engines under contract are made with where they can be: the ceiling, whatever happens. */
export function createCeilingLimit(ceiling: number): AdaptiveLimit {
  let current = ceiling;
  return {
    get current() {
      return current;
    },
    setCeiling: (next) => void (current = next),
    report: () => {},
  };
}

/** One call that wants to be on its way and what has become of it so far. */
export interface AskedCapacity {
  readonly grant: Promise<CapacityGrant>;
  readonly state: CapacityGrant['kind'] | 'waiting';
  head(headers: HeaderMap): void;
  release(result?: AttemptResult): void;
}

export function askCapacity(
  port: UpstreamCapacity,
  upstream: string,
  ask: CapacityAsk,
  signal: AbortSignal,
): AskedCapacity {
  let settled: CapacityGrant | null = null;
  const grant = port.acquire(upstream, ask, signal);
  void grant.then((one) => (settled = one));
  const current = (): CapacityGrant | null => settled;
  const lease = () => {
    const one = current();
    return one?.kind === 'granted' ? one.lease : null;
  };
  return {
    grant,
    get state() {
      return current()?.kind ?? 'waiting';
    },
    head: (headers) => lease()?.head(headers),
    release: (result = FINE) => lease()?.release(result),
  };
}
