import { describe, expect, it } from 'vitest';
import type { AttemptResult } from '../../src/core/attempt.ts';
import type { ExchangeTimings, Outcome } from '../../src/core/exchange.ts';
import { attemptResult } from '../../src/pipeline/attempt-result.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { answeredOf, contextOf, failureOf, heldOf, usageOf } from './scripted.ts';

const timingsOf = (part: Partial<ExchangeTimings> = {}): ExchangeTimings => ({
  ...contextOf(createFakeClock()).timings,
  ...part,
});

describe('what a call says about its upstream', () => {
  it('is the time to its first content, from when this call was sent, and the tokens that no cache gave', () => {
    const usage = usageOf({ uncachedInput: 5, cacheRead: 700, cacheWrite5m: 30, cacheWrite1h: 200, output: 9 });
    const timings = timingsOf({ firstSentAtMs: 10, upstreamSentAtMs: 1_000, firstContentAtMs: 1_400 });
    expect(attemptResult(answeredOf({ usage }), timings)).toEqual({ kind: 'ok', ttftMs: 400, uncachedTokens: 235 });
  });

  it('is no time where content was not seen to begin, and no tokens where the answer names none', () => {
    const timings = timingsOf({ upstreamSentAtMs: 1_000 });
    expect(attemptResult(answeredOf(), timings)).toEqual({ kind: 'ok', ttftMs: null, uncachedTokens: null });
  });

  it.each<[string, Outcome]>([
    ['the request’s own error', heldOf(400, null)],
    ['the request’s own error, long enough to be sent at once', answeredOf({ status: 413 })],
    ['a caller’s leaving before anything was sent', { kind: 'abandoned' }],
    ['a refusal of the gateway’s own', { kind: 'refused', refusal: { code: 'upstream_busy' } }],
    ['a failure on the caller’s own account', heldOf(429, failureOf('rate_limited', { reach: 'caller' }))],
  ])('is nothing for %s', (_what, outcome) => {
    expect(attemptResult(outcome, timingsOf())).toEqual({ kind: 'ignored' });
  });

  it.each<[string, Outcome]>([
    ['before content', heldOf(529, failureOf('overloaded'))],
    ['without an answer', { kind: 'refused', refusal: { code: 'upstream_broken' }, failure: failureOf('overloaded') }],
    ['behind content, though all of it was relayed', answeredOf({ failure: failureOf('overloaded') })],
    ['while its caller left', answeredOf({ failure: failureOf('overloaded'), end: 'client_abort' })],
  ])('is its failure, %s', (_when, outcome) => {
    const result: AttemptResult = { kind: 'failed', failure: failureOf('overloaded') };
    expect(attemptResult(outcome, timingsOf())).toEqual(result);
  });
});
