import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../src/core/attempt.ts';
import type { Outcome } from '../../src/core/exchange.ts';
import {
  attemptOutcome,
  retryReason,
  type AttemptOutcome,
  type RetryReason,
} from '../../src/pipeline/attempt-labels.ts';
import { answeredOf, failureOf, heldOf } from './scripted.ts';

const KINDS: readonly [FailureKind, AttemptOutcome, RetryReason][] = [
  ['rate_limited', 'rate_limited', 'rate_limited'],
  ['acceleration', 'rate_limited', 'rate_limited'],
  ['concurrent_connections', 'rate_limited', 'rate_limited'],
  ['spend_limit', 'rate_limited', 'rate_limited'],
  ['overloaded', 'overloaded', 'overloaded'],
  ['server_error', 'server_error', 'server_error'],
  ['stream_error', 'stream_error', 'stream_error'],
  ['network', 'network', 'network'],
  ['timeout', 'timeout', 'network'],
  ['credential_refused', 'credential_refused', 'credential_refused'],
];

describe('a failure', () => {
  it.each(KINDS)('%s is the outcome %s of a call and the reason %s of a retry', (kind, outcome, reason) => {
    expect(retryReason(kind)).toBe(reason);
    const failure = failureOf(kind);
    const refused: Outcome = { kind: 'refused', refusal: { code: 'upstream_broken' }, failure };
    for (const one of [heldOf(599, failure), refused, answeredOf({ failure })]) {
      expect(attemptOutcome(one, 200)).toBe(outcome);
    }
  });
});

describe('a call without a failure', () => {
  it.each<[AttemptOutcome, string, Outcome, number | null]>([
    ['ok', 'an answer', answeredOf(), 200],
    ['ok', 'an answer not modified', answeredOf({ status: 304 }), 304],
    ['ok', 'a stream whose caller left', answeredOf({ end: 'client_abort' }), 200],
    ['ok', 'a stream whose reader stalled', answeredOf({ end: 'reader_stalled' }), 200],
    ['client_error', 'an error that was the request’s', heldOf(400, null), 400],
    ['client_error', 'a long error that was sent at once', answeredOf({ status: 413 }), 413],
    ['client_abort', 'a caller that left before the head', { kind: 'abandoned' }, null],
    ['client_abort', 'a caller that left before anything was sent', { kind: 'abandoned' }, 200],
  ])('is %s for %s', (label, _what, outcome, status) => {
    expect(attemptOutcome(outcome, status)).toBe(label);
  });
});
