import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Slots } from '../../src/state/slots.ts';
import { askSlot, type AskedSlot } from './asked-slot.ts';
import { createSlotsModel } from './slots-model.ts';
import type { ContractStage, MakeStage } from './stage.ts';

const NAME = 'acme';
const MAX_WAITERS = 4;
const FOREVER_MS = 60_000;

export interface SlotsModelRuns {
  readonly runs: number;
  /** `moved`: deadlines are among the steps, because the test moves the clock. `real`: nobody's time is ever up. */
  readonly time: 'moved' | 'real';
  /** Whether waiters are told of a new limit by `setLimit`; without it the limit is what it was at first. */
  readonly resizes: boolean;
  /** A look at the engine's inside after each step. */
  readonly inspect?: (waiting: number) => void;
}

function stepOf({ time, resizes }: SlotsModelRuns) {
  const maxWaitMs = time === 'moved' ? fc.integer({ min: 1, max: 50 }) : fc.constant(FOREVER_MS);
  return fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('ask' as const), maxWaitMs }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('release' as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }) },
    {
      weight: resizes ? 2 : 0,
      arbitrary: fc.record({ kind: fc.constant('resize' as const), limit: fc.integer({ min: 1, max: 4 }) }),
    },
    {
      weight: time === 'moved' ? 2 : 0,
      arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40 }) }),
    },
  );
}
type Step = ReturnType<typeof stepOf> extends fc.Arbitrary<infer T> ? T : never;

/** The engine, driven by the same steps as the model, all through one port: what two do at once has no order to hold it to. */
function createDriven(port: Slots, firstLimit: number) {
  let limit = firstLimit;
  const all: { readonly asked: AskedSlot; readonly caller: AbortController; isReleased: boolean }[] = [];
  return {
    get asked() {
      return all.length;
    },
    states: () => new Map(all.map(({ asked, isReleased }, id) => [id, isReleased ? 'released' : asked.state])),
    ask(maxWaitMs: number) {
      const caller = new AbortController();
      const rules = { limit, maxWaiters: MAX_WAITERS, maxWaitMs };
      all.push({ asked: askSlot(port, NAME, rules, caller.signal), caller, isReleased: false });
    },
    release(id: number) {
      const one = all[id];
      if (one?.asked.state !== 'granted') return;
      one.asked.release();
      one.isReleased = true;
    },
    leave: (id: number) => all[id]?.caller.abort(),
    resize(next: number) {
      limit = next;
      port.setLimit(NAME, next);
    },
  };
}

async function runSteps(
  stage: ContractStage<Slots>,
  firstLimit: number,
  steps: readonly Step[],
  look: (waiting: number) => void,
) {
  const [port] = stage.ports;
  const model = createSlotsModel(firstLimit, MAX_WAITERS);
  const driven = createDriven(port, firstLimit);
  const counted = async () =>
    stage.standing ? stage.standing(NAME) : (port.counts().get(NAME) ?? { inUse: 0, waiting: 0 });
  const take = async (one: Step): Promise<void> => {
    const id = 'which' in one && driven.asked > 0 ? one.which % driven.asked : -1;
    if (one.kind === 'ask') {
      model.ask(driven.asked, one.maxWaitMs);
      driven.ask(one.maxWaitMs);
    } else if (one.kind === 'advance') {
      model.advance(one.ms);
      await stage.pass(one.ms);
    } else if (one.kind === 'resize') {
      model.resize(one.limit);
      driven.resize(one.limit);
    } else {
      model[one.kind](id);
      driven[one.kind](id);
    }
    const seen = async () => {
      const { inUse, waiting } = await counted();
      return { inUse, waiting, states: [...driven.states()] };
    };
    const expected = () => ({ inUse: model.inUse, waiting: model.waiting, states: [...model.states] });
    const agrees = async (): Promise<boolean> => JSON.stringify(await seen()) === JSON.stringify(expected());
    await stage.until('the engine agrees with the model', agrees).catch(() => {});
    expect(await seen()).toEqual(expected());
    look(model.waiting);
  };
  for (const one of steps) await take(one);
  for (let id = 0; id < driven.asked; id++) await take({ kind: 'leave', which: id });
  for (let id = 0; id < driven.asked; id++) await take({ kind: 'release', which: id });
  await stage.until('the name is forgotten', () => port.counts().size === 0);
}

/** Slots do after any steps what an array and a set would. */
export function slotsModelContract(name: string, make: MakeStage<Slots>, kind: SlotsModelRuns): void {
  it(`${name} do after any steps what an array and a set would`, async () => {
    const firstLimit = fc.integer({ min: 1, max: 3 });
    const property = fc.asyncProperty(firstLimit, fc.array(stepOf(kind), { maxLength: 40 }), async (limit, steps) => {
      const stage = await make();
      try {
        await runSteps(stage, limit, steps, kind.inspect ?? (() => {}));
      } finally {
        await stage.cleanUp();
      }
    });
    await fc.assert(property, { numRuns: kind.runs });
  });
}
