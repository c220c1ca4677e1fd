import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRetryBudget, type RetryBudget } from '../../../src/core/failures/retry-budget.ts';

const FREE = 10;
const SHARE = 0.3;

const calls = (budget: RetryBudget, count: number, nowMs: number): void => {
  for (let at = 0; at < count; at++) budget.noteCall(nowMs);
};

/** Takes until there is none left. */
function takeAll(budget: RetryBudget, nowMs: number): number {
  let taken = 0;
  while (taken < 10_000 && budget.take(nowMs)) taken++;
  return taken;
}

describe('the budget for retries', () => {
  it('has ten for a gateway that is quiet', () => {
    expect(takeAll(createRetryBudget(), 0)).toBe(10);
  });

  it('is three to ten requests', () => {
    const budget = createRetryBudget();
    calls(budget, 1_000, 0);
    expect(takeAll(budget, 9_999)).toBe(300);
  });

  it('tells what is left of it: all, then none, and never less than that when calls leave the window', () => {
    const budget = createRetryBudget();
    expect(budget.remainingRatio(0)).toBe(1);
    calls(budget, 100, 0);
    for (let taken = 0; taken < 12; taken++) budget.take(9_000);
    expect(budget.remainingRatio(9_000)).toBeCloseTo(0.6, 12);
    takeAll(budget, 9_000);
    expect([budget.remainingRatio(9_000), budget.remainingRatio(11_000)]).toEqual([0, 0]);
    expect(budget.remainingRatio(19_000)).toBe(1);
  });

  it('does not feed on itself: what was taken is no reason for more', () => {
    const budget = createRetryBudget();
    calls(budget, 100, 0);
    expect([takeAll(budget, 0), takeAll(budget, 0), takeAll(budget, 5_000)]).toEqual([30, 0, 0]);
  });

  it('forgets calls and retries after ten seconds', () => {
    const budget = createRetryBudget();
    calls(budget, 100, 500);
    expect(takeAll(budget, 500)).toBe(30);
    expect(takeAll(budget, 9_999)).toBe(0);
    expect(takeAll(budget, 10_000)).toBe(10);
  });

  it('is whole again after any time without traffic', () => {
    const budget = createRetryBudget();
    calls(budget, 1_000, 0);
    expect(takeAll(budget, 0)).toBe(300);
    expect(takeAll(budget, 1e9 + 0.5)).toBe(10);
  });
});

const traffic = fc.array(
  fc.record({
    kind: fc.constantFrom('calls' as const, 'takes' as const, 'pause' as const),
    count: fc.nat({ max: 40 }),
    ms: fc.nat({ max: 6_000 }),
  }),
  { maxLength: 60 },
);

/** Runs the traffic and shows every decision with what a list of all events says of its window. */
function decisions(steps: readonly { kind: string; count: number; ms: number }[], windowOf: (nowMs: number) => number) {
  const budget = createRetryBudget();
  const events: { readonly atMs: number; readonly isRetry: boolean }[] = [];
  const seen: { readonly isTaken: boolean; readonly calls: number; readonly retries: number }[] = [];
  let nowMs = 0;
  for (const { kind, count, ms } of steps) {
    if (kind === 'pause') nowMs += ms;
    for (let at = 0; at < count; at++) {
      if (kind === 'calls') events.push({ atMs: nowMs, isRetry: false });
      if (kind === 'calls') budget.noteCall(nowMs);
      if (kind !== 'takes') continue;
      const recent = events.filter(({ atMs }) => atMs >= windowOf(nowMs));
      const retries = recent.filter(({ isRetry }) => isRetry).length;
      const isTaken = budget.take(nowMs);
      if (isTaken) events.push({ atMs: nowMs, isRetry: true });
      seen.push({ isTaken, calls: recent.length - retries, retries });
    }
  }
  return seen;
}

/** A second at a time: this one and the nine before it. */
const tenSeconds = (nowMs: number): number => (Math.floor(nowMs / 1_000) - 9) * 1_000;

describe('in any ten seconds', () => {
  it('retries are never more than ten or three to ten requests', () => {
    fc.assert(
      fc.property(traffic, (steps) => {
        for (const { isTaken, calls: made, retries } of decisions(steps, tenSeconds)) {
          if (isTaken) expect(retries + 1).toBeLessThanOrEqual(Math.max(FREE, SHARE * made));
        }
      }),
    );
  });

  it('no retry is refused that would leave it so', () => {
    fc.assert(
      fc.property(traffic, (steps) => {
        for (const { isTaken, calls: made, retries } of decisions(steps, tenSeconds)) {
          if (!isTaken) expect(retries + 1).toBeGreaterThan(Math.max(FREE, SHARE * made));
        }
      }),
    );
  });
});
