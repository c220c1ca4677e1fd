import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMemorySlots } from '../../src/state/memory-slots.ts';
import type { Lease } from '../../src/state/slots.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { createSlotsModel, type AskState } from './slots-model.ts';

const MAX_WAITERS = 4;

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('ask' as const), maxWaitMs: fc.integer({ min: 1, max: 50 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('release' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('resize' as const), limit: fc.integer({ min: 1, max: 4 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The engine, driven by the same steps as the model. */
function createDriven(firstLimit: number) {
  const clock = createFakeClock();
  const slots = createMemorySlots(clock);
  let limit = firstLimit;
  const states = new Map<number, AskState>();
  const leases = new Map<number, Lease>();
  const callers = new Map<number, AbortController>();
  return {
    clock,
    slots,
    states,
    ask(id: number, maxWaitMs: number) {
      const caller = new AbortController();
      callers.set(id, caller);
      states.set(id, 'waiting');
      const rules = { limit, maxWaiters: MAX_WAITERS, maxWaitMs };
      void slots.acquire('acme', rules, caller.signal).then((grant) => {
        states.set(id, grant.kind);
        if (grant.kind === 'granted') leases.set(id, grant.lease);
      });
    },
    release(id: number) {
      if (!leases.has(id)) return;
      leases.get(id)?.release();
      states.set(id, 'released');
    },
    leave: (id: number) => callers.get(id)?.abort(),
    resize(next: number) {
      limit = next;
      slots.setLimit('acme', next);
    },
  };
}

it('memory slots do after any steps what an array and a set would', async () => {
  const firstLimit = fc.integer({ min: 1, max: 3 });
  await fc.assert(
    fc.asyncProperty(firstLimit, fc.array(step, { maxLength: 40 }), async (limit, steps) => {
      const model = createSlotsModel(limit, MAX_WAITERS);
      const driven = createDriven(limit);
      let asked = 0;
      const take = async (one: Step): Promise<void> => {
        const id = 'which' in one && asked > 0 ? one.which % asked : -1;
        if (one.kind === 'ask') {
          model.ask(asked, one.maxWaitMs);
          driven.ask(asked++, one.maxWaitMs);
        } else if (one.kind === 'advance') {
          model.advance(one.ms);
          await driven.clock.advance(one.ms);
        } else if (one.kind === 'resize') {
          model.resize(one.limit);
          driven.resize(one.limit);
        } else {
          model[one.kind](id);
          driven[one.kind](id);
        }
        await driven.clock.advance(0);
        expect(driven.states).toEqual(model.states);
        const { inUse, waiting } = driven.slots.counts().get('acme') ?? { inUse: 0, waiting: 0 };
        expect({ inUse, waiting }).toEqual({ inUse: model.inUse, waiting: model.waiting });
        expect(driven.clock.pending).toBe(waiting);
      };
      for (const one of steps) await take(one);
      for (let id = 0; id < asked; id++) await take({ kind: 'leave', which: id });
      for (let id = 0; id < asked; id++) await take({ kind: 'release', which: id });
      expect(driven.slots.counts().size).toBe(0);
      expect(driven.clock.pending).toBe(0);
    }),
    { numRuns: 300 },
  );
});
