import { describe, expect, test } from 'vitest';
import {
  createExpectationQueues,
  createReturnCounts,
  markReturn,
  settle,
  watch,
} from '../../../src/prompt/learn/expectations.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../views.ts';

describe('expectations', () => {
  test('an end that is not met again counts against its group little by little over 5 minutes', () => {
    const queues = createExpectationQueues();
    const counts = createReturnCounts();
    watch(queues, 0, [counts]);
    settle(queues, 30 * SECOND_MS);
    const early = counts.shortSeen;
    expect(early).toBeGreaterThan(0);
    expect(early).toBeLessThan(1);
    settle(queues, 6 * MINUTE_MS);
    expect(counts.shortSeen).toBeCloseTo(1);
    expect(counts.shortReturns).toBe(0);
  });

  test('quick returns do not make the others look as if they came back as well', () => {
    const queues = createExpectationQueues();
    const counts = createReturnCounts();
    for (let at = 0; at < 400; at++) {
      const nowMs = at * SECOND_MS;
      settle(queues, nowMs);
      const expectation = watch(queues, nowMs, [counts]);
      if (at % 4 === 0) markReturn(queues, expectation, 'exact', nowMs + 5 * SECOND_MS);
    }
    settle(queues, 2 * HOUR_MS);
    expect(counts.shortReturns / counts.shortSeen).toBeCloseTo(0.25, 1);
  });

  test('a return at the very edge of an age counts', () => {
    const queues = createExpectationQueues();
    const counts = createReturnCounts();
    const expectation = watch(queues, 0, [counts]);
    settle(queues, 5 * MINUTE_MS);
    markReturn(queues, expectation, 'exact', 5 * MINUTE_MS);
    settle(queues, HOUR_MS);
    expect(counts).toMatchObject({ shortReturns: 1, longSeen: 0 });
  });

  test('long returns are counted among those that were not back within 5 minutes', () => {
    const queues = createExpectationQueues();
    const counts = createReturnCounts();
    const [soon, later] = [watch(queues, 0, [counts]), watch(queues, 0, [counts])];
    watch(queues, 0, [counts]);
    markReturn(queues, soon, 'exact', MINUTE_MS);
    markReturn(queues, later, 'exact', 20 * MINUTE_MS);
    settle(queues, 2 * HOUR_MS);
    expect(counts.shortSeen).toBeCloseTo(3);
    expect(counts.longSeen).toBeCloseTo(2);
    expect(counts).toMatchObject({ shortReturns: 1, longReturns: 1 });
    expect(queues.open).toBe(0);
  });
});
