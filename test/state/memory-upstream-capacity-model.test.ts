import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AttemptResult } from '../../src/core/attempt.ts';
import { createMemoryUpstreamCapacity } from '../../src/state/memory-upstream-capacity.ts';
import type { CapacityLease } from '../../src/state/upstream-capacity.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { createCapacityModel } from './upstream-capacity-model.ts';

const FINE: AttemptResult = { kind: 'ok', ttftMs: null, uncachedTokens: null };
const PAUSE_MS = 30;
const LIMITED: AttemptResult = {
  kind: 'failed',
  failure: { kind: 'rate_limited', retryAfterMs: PAUSE_MS, shouldRetry: null },
};

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      tenant: fc.constantFrom('a', 'b', 'c'),
      lane: fc.constantFrom('opus', 'haiku'),
      maxWaitMs: fc.integer({ min: 31, max: 90 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('release' as const), which: fc.nat(), isLimited: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize' as const), limit: fc.integer({ min: 1, max: 4 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The engine and the model, which hears from the engine who got what and says whether that may be. */
function createDriven(firstLimit: number) {
  const clock = createFakeClock();
  const model = createCapacityModel(firstLimit);
  const limit = { current: firstLimit, setCeiling: (next: number) => void (limit.current = next), report: () => {} };
  const capacity = createMemoryUpstreamCapacity({ clock, createLimit: () => limit });
  capacity.setCeiling('main', firstLimit);
  const leases = new Map<number, CapacityLease>();
  const callers: AbortController[] = [];
  const shutUntilMs = new Map<string, number>();
  const ask = (tenant: string, lane: string, maxWaitMs: number): void => {
    const caller = new AbortController();
    const id = callers.push(caller) - 1;
    model.ask({ id, tenant, lane, untilMs: clock.nowMs() + maxWaitMs });
    const asked = { tenant, weight: 1, modelClass: lane, inputTokens: 1, maxWaitMs };
    void capacity.acquire('main', asked, caller.signal).then((grant) => {
      if (grant.kind === 'abandoned') return;
      model.nowMs = clock.nowMs();
      model.settle(id, grant.kind);
      if (grant.kind === 'granted') leases.set(id, grant.lease);
    });
  };
  const release = (id: number, isLimited: boolean): void => {
    const asked = model.inside.get(id);
    if (!asked) return leases.get(id)?.release(LIMITED); // twice, or never granted: nothing happens
    model.release(id);
    if (isLimited) shutUntilMs.set(asked.lane, clock.nowMs() + PAUSE_MS);
    leases.get(id)?.release(isLimited ? LIMITED : FINE);
  };
  const take = async (one: Step): Promise<void> => {
    const id = 'which' in one && callers.length > 0 ? one.which % callers.length : -1;
    if (one.kind === 'ask') ask(one.tenant, one.lane, one.maxWaitMs);
    else if (one.kind === 'release') release(id, one.isLimited);
    else if (one.kind === 'advance') await clock.advance(one.ms);
    else if (one.kind === 'resize') {
      model.limit = one.limit;
      capacity.setCeiling('main', one.limit);
    } else {
      callers[id]?.abort();
      model.leave(id);
    }
    await clock.advance(0);
    model.nowMs = clock.nowMs();
    expect(model.faults((lane) => (shutUntilMs.get(lane) ?? 0) > clock.nowMs())).toEqual([]);
    const { inUse, waiting } = capacity.load('main');
    expect({ inUse, waiting }).toEqual({ inUse: model.inside.size, waiting: model.waiting.size });
    expect(clock.pending).toBeLessThanOrEqual(waiting + Number(waiting > 0));
  };
  return { clock, capacity, take, asked: () => callers.length };
}

it('never more than the limit are in, in the order of each line, and nobody waits in vain, is lost or leaves a timer', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 40 }), async (limit, steps) => {
      const driven = createDriven(limit);
      for (const one of steps) await driven.take(one);
      for (let id = 0; id < driven.asked(); id++) await driven.take({ kind: 'leave', which: id });
      for (let id = 0; id < driven.asked(); id++) await driven.take({ kind: 'release', which: id, isLimited: false });
      expect(driven.capacity.load('main')).toMatchObject({ inUse: 0, waiting: 0 });
      expect(driven.clock.pending).toBe(0);
    }),
    { numRuns: 200 },
  );
});
