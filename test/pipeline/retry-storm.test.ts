import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/exchange.ts';
import { createRetryBudget } from '../../src/core/failures/retry-budget.ts';
import type { Service } from '../../src/pipeline/service.ts';
import { withRetry } from '../../src/pipeline/with-retry.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { answeredOf, contextOf, failureOf, heldOf, noteOf, requestOf, tenantOf } from './scripted.ts';

/** Many requests against an upstream that fails by chance: the real budget and policy, on a fake clock. */

/** mulberry32: the same numbers for the same seed on every machine. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Storm {
  readonly requests: number;
  readonly perSecond: number;
  readonly failing: number;
  readonly seed: number;
}

async function weather({ requests, perSecond, failing, seed }: Storm) {
  const clock = createFakeClock();
  const random = randomOf(seed);
  const tenant = tenantOf({ slots: { limit: 1_000, maxWaiters: 0, maxWaitMs: 30_000 } });
  const [calls, retries]: [number[], number[]] = [[], []];
  const upstream: Service = async (_request, { attempt, timings, notes }) => {
    timings.firstSentAtMs ??= clock.nowMs();
    (attempt.retryOf ? retries : calls).push(clock.nowMs());
    notes.attempts.push(noteOf());
    return random() < failing ? heldOf(529, failureOf('overloaded')) : answeredOf();
  };
  const service = withRetry({
    clock,
    retryBudget: createRetryBudget(),
    random,
    maxRetries: () => 4,
    hasElsewhere: () => false,
  })(upstream);
  const outcomes: Promise<Outcome>[] = [];
  const arrive = (): void => {
    outcomes.push(service(requestOf({ receivedAtMs: clock.nowMs() }), contextOf(clock, tenant)));
    if (outcomes.length < requests) clock.after((-Math.log(1 - random()) * 1_000) / perSecond, arrive);
  };
  arrive();
  while (clock.pending > 0) await clock.advance(10_000);
  const failed = (await Promise.all(outcomes)).filter((one) => one.kind !== 'answered' || one.status !== 200).length;
  return { failures: failed / requests, callsPerRequest: (calls.length + retries.length) / requests, calls, retries };
}

describe('with one upstream call in five answered 529', () => {
  it.each([
    [20, 1],
    [50, 2],
    [100, 3],
  ])(
    'at %d requests a second, fewer than one caller in 500 sees a failure, at 1.3 calls a request or less',
    async (perSecond, seed) => {
      const { failures, callsPerRequest } = await weather({ requests: 5_000, perSecond, failing: 0.2, seed });
      expect(failures).toBeLessThan(0.002);
      expect(callsPerRequest).toBeLessThanOrEqual(1.3);
    },
  );
});

describe('with every upstream call answered 529', () => {
  it('there are three retries to ten requests in any ten seconds, and ten that are free: they do not multiply', async () => {
    const { callsPerRequest, calls, retries } = await weather({ requests: 500, perSecond: 30, failing: 1, seed: 4 });
    expect(callsPerRequest).toBeLessThanOrEqual(1.3 + (3 * 10) / 500); // it lasts for three windows
    for (const untilMs of retries) {
      const sinceMs = (Math.floor(untilMs / 1_000) - 9) * 1_000; // as the budget counts: this second and nine before it
      const within = (times: number[]) => times.filter((atMs) => atMs >= sinceMs && atMs <= untilMs).length;
      expect(within(retries)).toBeLessThanOrEqual(Math.max(10, 0.3 * within(calls)));
    }
  });
});
