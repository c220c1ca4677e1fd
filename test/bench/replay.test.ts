import { describe, expect, test } from 'vitest';
import { fixedPolicy, slipstreamPolicy, type DepthMark } from '../../bench/cache/policy.ts';
import { replay, type ReplayOptions } from '../../bench/cache/replay.ts';
import { createRouter } from '../../bench/cache/routing.ts';
import type { TraceRequest } from '../../bench/cache/trace.ts';
import { traceOf } from './traces.ts';

const options = (rest: Partial<ReplayOptions> = {}): ReplayOptions => ({
  prolong: false,
  readable: 'ttft',
  positions: 'turns',
  minimumFor: () => 1024,
  maxHoldMs: 5000,
  router: createRouter('single', 1),
  ...rest,
});

const last = (request: TraceRequest): DepthMark[] => [{ depth: request.nodes.length, ttl: '5m' }];

const slipstream = (singleFlight: boolean) =>
  slipstreamPolicy({
    name: 'Slipstream',
    singleFlight,
    prolong: false,
    rulesFor: () => ({ minimumTokens: 1024, read: 0.1, write5m: 1.25, write1h: 2 }),
    maxPositions: 10_000,
  });

describe('the replay', () => {
  test('bills a second turn as a read of the first', () => {
    const billed = replay(
      traceOf([
        [0, 'a b'],
        [10, 'a b c'],
      ]),
      fixedPolicy('last', last),
      options(),
    );
    expect(billed[1]).toMatchObject({ readTokens: 4000, write5mTokens: 2000, ttftMs: 500 + 0.05 * 2000 });
  });

  test('what is still being read by the model cannot be read from the cache', () => {
    const billed = replay(
      traceOf([
        [0, 'a b'],
        [0.5, 'a b c'],
      ]),
      fixedPolicy('last', last),
      options(),
    );
    expect(billed[1]?.readTokens).toBe(0);
  });

  test('an answer has begun when its own conversation goes on', () => {
    const trace = traceOf([
      [0, 'a b', 's'],
      [0.5, 'a b c', 's'],
    ]);
    const billed = replay(trace, fixedPolicy('last', last), options({ readable: 'conversation' }));
    expect(billed[1]?.readTokens).toBe(4000);
  });

  test('with single-flight 64 requests on one cold prefix make one write and 63 reads', () => {
    const burst = Array.from({ length: 64 }, (_, at) => [at / 1000, `tools system | q${at}`] as const);
    const billed = replay(traceOf(burst), slipstream(true), options());
    expect(billed.filter((one) => one.readTokens === 4000)).toHaveLength(63);
    expect(billed.filter((one) => one.write1hTokens + one.write5mTokens >= 4000)).toHaveLength(1);
    expect(billed.every((one) => one.heldMs <= 5000)).toBe(true);
  });

  test('without it nobody but the first pays for writing the cold prefix', () => {
    const burst = Array.from({ length: 64 }, (_, at) => [at / 1000, `tools system | q${at}`] as const);
    const billed = replay(traceOf(burst), slipstream(false), options());
    expect(billed.filter((one) => one.write1hTokens + one.write5mTokens >= 4000)).toHaveLength(1);
    expect(billed.filter((one) => one.uncachedTokens === 6000)).toHaveLength(63);
  });

  test('domains share nothing, and affinity keeps a conversation where it was', () => {
    const turns = Array.from({ length: 12 }, (_, at) => {
      const said = Array.from({ length: at + 1 }, (__, word) => `w${word}`).join(' ');
      return [at * 20, `tools system | ${said}`, 's'] as const;
    });
    const affinity = replay(traceOf(turns), slipstream(false), options({ router: createRouter('affinity', 4) }));
    const scattered = replay(traceOf(turns), slipstream(false), options({ router: createRouter('round-robin', 4) }));
    const read = (all: typeof affinity) => all.reduce((sum, one) => sum + one.readTokens, 0);
    expect(read(affinity)).toBeGreaterThan(read(scattered));
  });
});
