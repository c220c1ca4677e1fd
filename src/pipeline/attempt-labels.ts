import type { FailureKind } from '../core/attempt.ts';
import type { Outcome } from '../core/exchange.ts';
import { failureOf } from './attempt-result.ts';
import type { UpstreamEnd } from './upstream.ts';

/** How calls and retries are named in metrics: closed sets, held against docs/metrics.md by a test. */

export type AttemptOutcome =
  | 'ok'
  | 'rate_limited'
  | 'overloaded'
  | 'server_error'
  | 'stream_error'
  | 'network'
  | 'timeout'
  | 'credential_refused'
  | 'client_error'
  | 'client_abort';

export type RetryReason = Exclude<AttemptOutcome, 'ok' | 'timeout' | 'client_error' | 'client_abort'> | 'cache_control';

const OUTCOME_OF: Readonly<Record<FailureKind, Exclude<AttemptOutcome, 'ok' | 'client_error' | 'client_abort'>>> = {
  rate_limited: 'rate_limited',
  acceleration: 'rate_limited',
  concurrent_connections: 'rate_limited',
  spend_limit: 'rate_limited',
  overloaded: 'overloaded',
  server_error: 'server_error',
  stream_error: 'stream_error',
  network: 'network',
  timeout: 'timeout',
  credential_refused: 'credential_refused',
};

export function retryReason(kind: FailureKind): RetryReason {
  const outcome = OUTCOME_OF[kind];
  return outcome === 'timeout' ? 'network' : outcome; // a timeout is never retried
}

/** @param status of the answer's head; null where none came. */
export function attemptOutcome(outcome: Outcome, status: number | null): AttemptOutcome {
  const failure = failureOf(outcome);
  if (failure) return OUTCOME_OF[failure.kind];
  if (status === null || outcome.kind === 'abandoned') return 'client_abort';
  return status >= 400 ? 'client_error' : 'ok';
}

/** Of a call that goes on with a stream: its answer is judged where it is joined. */
export function endOutcome(end: UpstreamEnd, status: number | null): AttemptOutcome {
  if (end.kind === 'failed') return end.code === 'upstream_timeout' ? 'timeout' : 'network';
  if (status === null || end.kind === 'aborted') return 'client_abort';
  if (status === 429) return 'rate_limited';
  if (status === 529) return 'overloaded';
  return status >= 500 ? 'server_error' : status >= 400 ? 'client_error' : 'ok';
}
