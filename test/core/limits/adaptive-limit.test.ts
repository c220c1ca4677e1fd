import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttemptResult, FailureKind } from '../../../src/core/attempt.ts';
import { createAdaptiveLimit, type AdaptiveLimit } from '../../../src/core/limits/adaptive-limit.ts';
import { failed, ok, seeded, simulate, sum, type Served } from '../limited-upstream.ts';

const CEILING = 256;

/** One call in a hundred dropped, at a limit in full use: what a drop does where drops are rare. */
function afterManyGood(): AdaptiveLimit {
  const limit = createAdaptiveLimit(CEILING);
  for (let atMs = -5_000; atMs < 0; atMs += 50) limit.report(ok(), CEILING, atMs);
  return limit;
}

/** Good calls, twenty a second, at a limit in full use, until it has come this far. */
function secondsToReach(target: number, limit: AdaptiveLimit, fromMs: number): number {
  let atMs = fromMs;
  while (limit.current < target && atMs < fromMs + 600_000) limit.report(ok(), limit.current, (atMs += 50));
  return (atMs - fromMs) / 1_000;
}

describe('a report', () => {
  it('starts at its ceiling and stays there while calls go well', () => {
    expect(afterManyGood().current).toBe(CEILING);
  });

  it('cuts a tenth for a 529 among many good calls', () => {
    const limit = afterManyGood();
    limit.report(failed('overloaded'), CEILING, 0);
    expect(limit.current).toBe(230);
  });

  it('cuts once for all the calls that were in flight at the drop', () => {
    const limit = afterManyGood();
    for (let call = 0; call < 10; call++) limit.report(failed('overloaded'), CEILING, call * 50);
    expect(limit.current).toBe(230);
  });

  it('cuts a fifth where most calls are dropped', () => {
    const limit = createAdaptiveLimit(100);
    limit.report(failed('overloaded'), 100, 0);
    limit.report(failed('overloaded'), 80, 1_000);
    expect(limit.current).toBe(64);
  });

  it('takes a timeout for a drop', () => {
    const limit = afterManyGood();
    limit.report(failed('timeout'), CEILING, 0);
    expect(limit.current).toBe(230);
  });

  it('halves at most a limit of which little is in use', () => {
    const limit = afterManyGood();
    limit.report(failed('overloaded'), 2, 0);
    expect(limit.current).toBe(115);
  });

  it('never goes below four for overload', () => {
    const limit = createAdaptiveLimit(CEILING);
    for (let second = 0; second < 100; second++) limit.report(failed('overloaded'), limit.current, second * 1_000);
    expect(limit.current).toBe(4);
  });

  it('goes below the number in use for too many connections, whatever the limit was', () => {
    const limit = createAdaptiveLimit(CEILING);
    limit.report(failed('concurrent_connections'), 12, 0);
    expect(limit.current).toBe(10);
  });

  it('goes down to one for too many connections', () => {
    const limit = createAdaptiveLimit(CEILING);
    for (let second = 0; second < 5; second++)
      limit.report(failed('concurrent_connections'), limit.current, second * 1_000);
    limit.report(failed('concurrent_connections'), 2, 10_000);
    expect(limit.current).toBe(1);
  });

  it('stays below it for a minute and then takes another to find the way back', () => {
    const limit = createAdaptiveLimit(CEILING);
    limit.report(failed('concurrent_connections'), 12, 0);
    expect(secondsToReach(11, limit, 0)).toBeGreaterThan(60);
    expect(secondsToReach(12, limit, 70_000)).toBeLessThan(60);
  });

  it('stops growth and cuts a little for acceleration, for as long as the upstream says', () => {
    const limit = createAdaptiveLimit(CEILING);
    limit.report(failed('acceleration', 45_000), 100, 0);
    expect(limit.current).toBe(95);
    expect(secondsToReach(96, limit, 0)).toBeGreaterThan(45);
  });

  it('does not let an absurd retry-after of an acceleration limit stop growth for good', () => {
    const limit = createAdaptiveLimit(CEILING);
    limit.report(failed('acceleration', 2 ** 31 - 1), 100, 0);
    expect(secondsToReach(CEILING, limit, 0)).toBeLessThan(420);
  });

  it.each<FailureKind>([
    'rate_limited',
    'spend_limit',
    'credential_refused',
    'network',
    'server_error',
    'stream_error',
  ])('is not moved by %s', (kind) => {
    const limit = createAdaptiveLimit(CEILING);
    for (let call = 0; call < 100; call++) limit.report(failed(kind, 60_000), CEILING, call * 100);
    expect(limit.current).toBe(CEILING);
  });

  it('does not grow while little of it is in use', () => {
    const limit = afterManyGood();
    limit.report(failed('overloaded'), CEILING, 0);
    for (let atMs = 0; atMs < 600_000; atMs += 1_000) limit.report(ok(), 100, atMs);
    expect(limit.current).toBe(230);
  });

  it('is back from 20 to 256 within half a minute after the last 529, at 20 calls a second', () => {
    const limit = createAdaptiveLimit(CEILING);
    let atMs = 0;
    while (limit.current > 20) limit.report(failed('overloaded'), limit.current, (atMs += 1_000));
    expect(secondsToReach(CEILING, limit, atMs)).toBeLessThan(30);
  });
});

describe('a ceiling that is changed', () => {
  it('is followed at once by a limit that stood at it', () => {
    const limit = createAdaptiveLimit(10);
    limit.setCeiling(20);
    expect(limit.current).toBe(20);
    limit.setCeiling(5);
    expect(limit.current).toBe(5);
  });

  it('does not lift a limit that was learnt', () => {
    const limit = createAdaptiveLimit(100);
    limit.report(failed('overloaded'), 100, 0);
    limit.setCeiling(1_000);
    expect(limit.current).toBe(80);
  });
});

const spread = (aroundMs: number, random: () => number): number => aroundMs * (0.5 + random());

describe('an upstream that answers 529 above what it can serve', () => {
  const bounded =
    (capacity: number) =>
    ({ serving, random }: { serving: number; random: () => number }): Served =>
      serving < capacity
        ? { tookMs: spread(5_000, random), result: ok() }
        : { tookMs: spread(200, random), result: failed('overloaded') };

  it.each([20, 40, 80, 150])('is found out within a minute and held within bounds: %i at once', (capacity) => {
    const course = simulate({
      limit: createAdaptiveLimit(CEILING),
      seconds: 240,
      demand: 400,
      serve: bounded(capacity),
    });
    const settled = course.limits.slice(60);
    expect(Math.min(...settled)).toBeGreaterThanOrEqual(0.7 * capacity);
    expect(Math.max(...settled)).toBeLessThanOrEqual(1.15 * capacity);
    const [served, dropped] = [sum(course.served.slice(60)), sum(course.dropped.slice(60))];
    expect(dropped / (served + dropped)).toBeLessThan(0.05);
    expect(served).toBeGreaterThan((0.85 * (180 * capacity)) / 5);
  });
});

describe('an upstream that answers some calls with 529, whatever we send it', () => {
  it.each([
    [0.05, 20],
    [0.05, 100],
    [0.2, 20],
    [0.2, 100],
    [0.2, 400],
    [0.3, 20],
  ])('keeps its callers served: a share of %f, %i calls at once wanted', (share, demand) => {
    const serve = ({ random }: { random: () => number }): Served =>
      random() < share
        ? { tookMs: spread(200, random), result: failed('overloaded') }
        : { tookMs: spread(5_000, random), result: ok() };
    const course = simulate({ limit: createAdaptiveLimit(CEILING), seconds: 300, demand, serve });
    const possible = (300 * Math.min(demand, CEILING)) / 5;
    expect(sum(course.served)).toBeGreaterThan(0.85 * possible);
  });
});

describe('the time to the first token', () => {
  const usual = (uncachedTokens: number, random: () => number): number =>
    (400 + 0.07 * uncachedTokens) * (0.7 + 0.6 * random());

  it('moves nothing when prompts become twenty times longer', () => {
    const limit = createAdaptiveLimit(CEILING);
    const random = seeded(3);
    for (let call = 0; call < 4_000; call++) {
      const tokens = call < 2_000 ? 1_000 : 20_000;
      limit.report(ok(usual(tokens, random), tokens), CEILING, call * 50);
      expect(limit.current).toBe(CEILING);
    }
  });

  it('is ignored where it or the prompt is not known', () => {
    const limit = createAdaptiveLimit(CEILING);
    for (let call = 0; call < 200; call++) limit.report(ok(500, 1_000), CEILING, call * 50);
    for (let call = 0; call < 200; call++)
      limit.report(ok(call % 2 ? 60_000 : null, call % 2 ? null : 1_000), CEILING, 10_000 + call * 50);
    expect(limit.current).toBe(CEILING);
  });

  it('shows a queue upstream before anything is dropped', () => {
    const limit = createAdaptiveLimit(CEILING);
    const queueing = ({ serving, random }: { serving: number; random: () => number }): Served => ({
      tookMs: spread(5_000, random),
      result: ok(550 * Math.max(1, serving / 40), 1_000),
    });
    simulate({ limit, seconds: 60, demand: 30, serve: queueing });
    expect(limit.current).toBe(CEILING);
    const course = simulate({ limit, seconds: 60, demand: 200, serve: queueing, startMs: 60_000 });
    expect(course.limits.at(-1)).toBeLessThan(100);
  });

  it('gives back what it cut when that did not help: the upstream has become slower for everybody', () => {
    const limit = createAdaptiveLimit(CEILING);
    for (let call = 0; call < 1_000; call++) limit.report(ok(550, 1_000), CEILING, call * 50);
    let least = CEILING;
    for (let call = 0; call < 1_200; call++) {
      limit.report(ok(1_650, 1_000), limit.current, 50_000 + call * 50);
      least = Math.min(least, limit.current);
    }
    expect(least).toBeLessThan(CEILING / 2);
    expect(limit.current).toBe(CEILING);
  });
});

const kinds: readonly FailureKind[] = [
  'rate_limited',
  'acceleration',
  'concurrent_connections',
  'spend_limit',
  'overloaded',
  'server_error',
  'stream_error',
  'network',
  'timeout',
  'credential_refused',
];
const anyNumber = fc.oneof(fc.integer({ min: -10, max: 100_000 }), fc.double());
const anyResult: fc.Arbitrary<AttemptResult> = fc.oneof(
  fc.tuple(fc.option(anyNumber), fc.option(anyNumber)).map(([ttftMs, tokens]) => ok(ttftMs, tokens)),
  fc.tuple(fc.constantFrom(...kinds), fc.option(anyNumber)).map(([kind, wait]) => failed(kind, wait)),
  fc.constant<AttemptResult>({ kind: 'ignored' }),
);
const anyReport = fc.record({ result: anyResult, inUse: anyNumber, passedMs: fc.nat({ max: 120_000 }) });

it('is an integer between one and its ceiling after any reports', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.array(anyReport, { maxLength: 200 }), (ceiling, reports) => {
      const limit = createAdaptiveLimit(ceiling);
      let nowMs = 0;
      for (const { result, inUse, passedMs } of reports) {
        limit.report(result, inUse, (nowMs += passedMs));
        expect(Number.isInteger(limit.current)).toBe(true);
        expect(limit.current).toBeGreaterThanOrEqual(1);
        expect(limit.current).toBeLessThanOrEqual(ceiling);
      }
    }),
  );
});

it('comes back to its ceiling after any reports, once calls go well', () => {
  fc.assert(
    fc.property(fc.array(anyReport, { maxLength: 60 }), (reports) => {
      const limit = createAdaptiveLimit(64);
      let nowMs = 0;
      for (const { result, inUse, passedMs } of reports) limit.report(result, inUse, (nowMs += passedMs));
      expect(secondsToReach(64, limit, nowMs)).toBeLessThan(600);
    }),
    { numRuns: 50 },
  );
});
