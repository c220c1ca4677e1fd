import type { HeaderMap } from './headers.ts';

/**
 * How one call to an upstream went, as whoever steers by it needs to know: the limit, the quota, the breaker, the retry.
 * What a failure means is decided once, in upstream-failure.ts; nobody else looks at a status.
 */
export type AttemptResult =
  | {
      readonly kind: 'ok';
      /** From sending to the first content; null where that cannot be seen (an answer in one piece). */
      readonly ttftMs: number | null;
      /** Input tokens that were not read from a cache, as the answer says; null where it says nothing. */
      readonly uncachedTokens: number | null;
    }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure }
  | {
      /** Says nothing about the upstream: the caller left, or the request itself was wrong. */ readonly kind: 'ignored';
    };

export interface UpstreamFailure {
  readonly kind: FailureKind;
  /** From `retry-after-ms` or `retry-after`; null where neither can be read. */
  readonly retryAfterMs: number | null;
  /** `x-should-retry`, which wins over everything; null where it was not sent. */
  readonly shouldRetry: boolean | null;
  /**
   * How far it reaches, where not to everybody who is served there. `caller`: the account behind the caller's own key, so
   * that nothing others share may move by it. `perhaps_request`: perhaps this request or its model alone (403).
   */
  readonly reach?: 'caller' | 'perhaps_request';
}

/** What the limit, the quota and the breaker are told of a failure; the retry looks at the failure itself. */
export function resultOfFailure(failure: UpstreamFailure): AttemptResult {
  return failure.reach === 'caller' ? { kind: 'ignored' } : { kind: 'failed', failure };
}

/**
 * `rate_limited`: a class of models is out of requests or tokens for a while (429). `acceleration`: traffic grew too fast
 * (429, ramp_limit_exceeded). `concurrent_connections`: too many calls at once (429). `spend_limit`: money has run out
 * (429, 402 and two wordings of 400; no retry helps). `overloaded`: 529. `server_error`: any other 5xx. `stream_error`: an error event, or an early end,
 * in a stream that had begun. `network`: no connection, or it broke. `timeout`: nothing came
 * in the time that we wait; an upstream's own 504 is a `server_error`.
 * `credential_refused`: 401, 403 or an organization on hold, on a key of the gateway's own.
 */
export type FailureKind =
  | 'rate_limited'
  | 'acceleration'
  | 'concurrent_connections'
  | 'spend_limit'
  | 'overloaded'
  | 'server_error'
  | 'stream_error'
  | 'network'
  | 'timeout'
  | 'credential_refused';

/** An upstream's error answer: its status, headers and, as far as it was kept, its body. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
}
