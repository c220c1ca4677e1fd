import { describe, expect, it } from 'vitest';
import { FIXED_POLICIES, fixedPolicy, slipstreamPolicy, watchWith, type Policy } from '../../bench/cache/policy.ts';
import { replay, type Billed } from '../../bench/cache/replay.ts';
import { createRouter, ROUTER_KINDS, type RouterKind } from '../../bench/cache/routing.ts';
import { createPlacementIndex } from '../../src/prompt/learn/placement-index.ts';
import { traceOf } from './traces.ts';

const RULES = {
  prolong: false,
  rulesFor: () => ({ minimumTokens: 1024, read: 0.1, write5m: 1.25, write1h: 2 }),
  maxPositions: 10_000,
} as const;

/** Eight conversations of two teams, six turns each, a turn every 20 s. */
const TRACE = traceOf(
  Array.from({ length: 48 }, (_, at) => {
    const [who, turn] = [at % 8, Math.floor(at / 8)];
    const said = Array.from({ length: turn + 1 }, (__, word) => `c${who}w${word}`).join(' ');
    return [turn * 20 + who, `team${who % 2} system | ${said}`, `s${who}`] as const;
  }),
);

function routed(
  kind: RouterKind,
  policy: Policy = slipstreamPolicy({ ...RULES, name: 'Slipstream', singleFlight: false }),
) {
  const router = createRouter(kind, 4);
  const rest = { prolong: false, readable: 'conversation', positions: 'turns', maxHoldMs: 5000 } as const;
  return replay(TRACE, policy, { ...rest, minimumFor: () => 1024, router });
}

const domainsBySession = (billed: readonly Billed[]): number[] =>
  Array.from(
    { length: 8 },
    (_, who) => new Set(billed.filter(({ line }) => line % 8 === who).map(({ domain }) => domain)).size,
  );
const readTokens = (billed: readonly Billed[]): number => billed.reduce((sum, one) => sum + one.readTokens, 0);

describe('routing in the replay', () => {
  it.each(ROUTER_KINDS.filter((kind) => kind !== 'round-robin'))('by %s never tears a conversation apart', (kind) => {
    expect(domainsBySession(routed(kind))).toStrictEqual(Array.from({ length: 8 }, () => 1));
  });

  it('by affinity brings conversations of a team together, and reads more than by session hash or in turns', () => {
    const read = (kind: RouterKind): number => readTokens(routed(kind));
    expect(read('affinity')).toBeGreaterThan(read('session'));
    expect(read('affinity')).toBeGreaterThan(read('round-robin'));
  });

  it('finds the prefixes of a fixed placement that is watched, and of none that is not', () => {
    const { name, place } = FIXED_POLICIES.find((one) => one.name.startsWith('system + last')) ?? {
      name: '',
      place: () => [],
    };
    const watched = fixedPolicy(name, place, watchWith(createPlacementIndex(RULES), RULES));
    expect(readTokens(routed('prefix', watched))).toBeGreaterThan(
      readTokens(routed('prefix', fixedPolicy(name, place))),
    );
  });
});
