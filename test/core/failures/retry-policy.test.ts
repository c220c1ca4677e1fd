import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureKind, UpstreamFailure } from '../../../src/core/attempt.ts';
import { decideRetry, type RetryFacts } from '../../../src/core/failures/retry-policy.ts';

const failureOf = (kind: FailureKind, part: Partial<UpstreamFailure> = {}): UpstreamFailure => ({
  kind,
  retryAfterMs: null,
  shouldRetry: null,
  ...part,
});

const factsOf = (part: Partial<RetryFacts> = {}): RetryFacts => ({
  failure: failureOf('overloaded'),
  retries: 0,
  maxRetries: 4,
  elapsedMs: 0,
  hasElsewhere: false,
  patienceMs: 30_000,
  random: 0,
  ...part,
});

const decide = (part: Partial<RetryFacts>) => decideRetry(factsOf(part));
const asked = (retryAfterMs: number): UpstreamFailure => failureOf('rate_limited', { retryAfterMs });

const AGAIN: readonly FailureKind[] = [
  'rate_limited',
  'acceleration',
  'concurrent_connections',
  'overloaded',
  'server_error',
  'stream_error',
  'network',
];
const KINDS: readonly FailureKind[] = [...AGAIN, 'spend_limit', 'timeout', 'credential_refused'];

describe('what failed', () => {
  it.each(AGAIN)('%s is asked again, where it was and elsewhere', (kind) => {
    for (const hasElsewhere of [false, true]) {
      expect(decide({ failure: failureOf(kind), hasElsewhere }).kind).toBe('retry');
    }
  });

  it.each<FailureKind>(['spend_limit', 'timeout'])(
    '%s is never asked again, and that is not for lack of trying',
    (kind) => {
      for (const hasElsewhere of [false, true]) {
        const decision = decide({ failure: failureOf(kind), hasElsewhere });
        expect(decision).toEqual({ kind: 'give_up', isSpent: false });
      }
    },
  );

  it('by a refused credential is asked elsewhere or not at all', () => {
    const failure = failureOf('credential_refused');
    expect(decide({ failure, hasElsewhere: true }).kind).toBe('retry');
    expect(decide({ failure })).toEqual({ kind: 'give_up', isSpent: false });
  });

  it.each(KINDS)('%s with x-should-retry: false is not asked again anywhere', (kind) => {
    const failure = failureOf(kind, { shouldRetry: false });
    expect(decide({ failure, hasElsewhere: true })).toEqual({ kind: 'give_up', isSpent: false });
  });

  it.each(AGAIN)('%s with x-should-retry: true is asked again', (kind) => {
    expect(decide({ failure: failureOf(kind, { shouldRetry: true }) }).kind).toBe('retry');
  });

  it('has been tried enough after so many retries, wherever else it could be asked', () => {
    for (const hasElsewhere of [false, true]) {
      expect(decide({ retries: 3, hasElsewhere }).kind).toBe('retry');
      expect(decide({ retries: 4, hasElsewhere })).toEqual({ kind: 'give_up', isSpent: true });
    }
  });

  it('is the caller’s to ask again where no retries are allowed: nothing was tried', () => {
    expect(decide({ maxRetries: 0, hasElsewhere: true })).toEqual({ kind: 'give_up', isSpent: false });
  });
});

describe('the wait before the same upstream is asked again', () => {
  it.each([
    [0, 500],
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
  ])('after %d retries is %d ms, and up to a quarter less by chance', (retries, waitMs) => {
    expect(decide({ retries })).toEqual({ kind: 'retry', afterMs: waitMs });
    expect(decide({ retries, random: 0.5 })).toEqual({ kind: 'retry', afterMs: waitMs * 0.875 });
  });

  it('is what it asked for, and up to a quarter more: never less', () => {
    expect(decide({ failure: asked(8_000) })).toEqual({ kind: 'retry', afterMs: 8_000 });
    expect(decide({ failure: asked(8_000), random: 0.5 })).toEqual({ kind: 'retry', afterMs: 9_000 });
  });

  it('still grows where it asks for next to nothing', () => {
    expect(decide({ failure: asked(1), retries: 2 })).toEqual({ kind: 'retry', afterMs: 2_000 });
  });

  it('that is longer than the caller would be kept anyway is the caller’s: it is told at once, and may come again', () => {
    expect(decide({ failure: asked(30_001) })).toEqual({ kind: 'give_up', isSpent: false });
    expect(decide({ failure: asked(30_000), random: 0.999 }).kind).toBe('retry');
    expect(decide({ failure: asked(2 ** 31 - 1) })).toEqual({ kind: 'give_up', isSpent: false });
  });

  it('ends 20 s after the first call, but for a rate limit that says when it is over', () => {
    expect(decide({ elapsedMs: 19_500 }).kind).toBe('retry');
    expect(decide({ elapsedMs: 19_501 })).toEqual({ kind: 'give_up', isSpent: true });
    expect(decide({ elapsedMs: 5_000, failure: asked(25_000) }).kind).toBe('retry');
  });
});

describe('elsewhere', () => {
  it('is asked within 50 ms, spread by chance: nothing has failed there yet', () => {
    expect(decide({ hasElsewhere: true, retries: 3 })).toEqual({ kind: 'retry', afterMs: 0 });
    expect(decide({ hasElsewhere: true, random: 0.5 })).toEqual({ kind: 'retry', afterMs: 25 });
  });

  it('is asked whatever the one that failed asked for, and however late it is', () => {
    expect(decide({ hasElsewhere: true, failure: asked(3_600_000) }).kind).toBe('retry');
    expect(decide({ hasElsewhere: true, elapsedMs: 60_000 }).kind).toBe('retry');
  });
});

it('no wait is negative, beyond a quarter more than was asked for, or made where there is no more to try', () => {
  const facts = fc.record({
    failure: fc.record({
      kind: fc.constantFrom(...KINDS),
      retryAfterMs: fc.option(fc.double({ min: 1, max: 2 ** 31, noNaN: true })),
      shouldRetry: fc.option(fc.boolean()),
    }),
    retries: fc.nat({ max: 6 }),
    maxRetries: fc.nat({ max: 6 }),
    elapsedMs: fc.nat({ max: 60_000 }),
    hasElsewhere: fc.boolean(),
    patienceMs: fc.integer({ min: -10_000, max: 60_000 }),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  fc.assert(
    fc.property(facts, (given) => {
      const decision = decideRetry(given);
      if (decision.kind === 'give_up') return;
      const { retryAfterMs } = given.failure;
      const leastMs = given.hasElsewhere ? 0 : (retryAfterMs ?? 375);
      const mostMs = given.hasElsewhere ? 50 : Math.max(8_000, (retryAfterMs ?? 0) * 1.25);
      expect(decision.afterMs).toBeGreaterThanOrEqual(leastMs);
      expect(decision.afterMs).toBeLessThanOrEqual(mostMs);
      expect(given.retries).toBeLessThan(given.maxRetries);
    }),
  );
});
