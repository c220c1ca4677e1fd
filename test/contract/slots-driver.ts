import type { SlotRules, Slots } from '../../src/state/slots.ts';
import { askSlot, type AskedSlot } from './asked-slot.ts';
import { PATIENT_MS, STAYS } from './caller.ts';
import type { ContractStage } from './stage.ts';

export const NAME = 'acme';

export const rulesOf = (limit: number, rules: Partial<SlotRules> = {}): SlotRules => ({
  limit,
  maxWaiters: 10,
  maxWaitMs: PATIENT_MS,
  ...rules,
});

/** Asks a stage for slots and waits for what becomes of it. */
export interface SlotsDriver {
  /** Through the first port, for a caller that stays and for `acme`, unless told otherwise. */
  ask(rules: SlotRules, port?: Slots, signal?: AbortSignal, tenant?: string): AskedSlot;
  /** Asked one after the other, each in its place before the next one comes. */
  line(rules: SlotRules, ports: readonly Slots[]): Promise<AskedSlot[]>;
  areIn(all: readonly AskedSlot[], states: readonly AskedSlot['state'][]): Promise<void>;
  remainIn(all: readonly AskedSlot[], states: readonly AskedSlot['state'][]): Promise<void>;
  areWaiting(count: number): Promise<void>;
  /** Each as soon as it has its slot. */
  releaseInTurn(all: readonly AskedSlot[]): Promise<void>;
  nothingIsLeft(): Promise<void>;
  /** Nothing was lost: so many are to be had, together, and not one more. */
  areAllToBeHad(limit: number): Promise<void>;
}

export function createSlotsDriver(stage: ContractStage<Slots>): SlotsDriver {
  const [here, there] = stage.ports;
  /** Each replica counts its own: a scrape adds them up. */
  const total = async (): Promise<{ readonly inUse: number; readonly waiting: number }> => {
    if (stage.standing) return stage.standing(NAME);
    const counts = [...new Set(stage.ports)].map((port) => port.counts().get(NAME) ?? { inUse: 0, waiting: 0 });
    const sum = (of: 'inUse' | 'waiting'): number => counts.reduce((all, one) => all + one[of], 0);
    return { inUse: sum('inUse'), waiting: sum('waiting') };
  };
  const isIn = (all: readonly AskedSlot[], states: readonly string[]): boolean =>
    all.every(({ state }, index) => state === states[index]);
  const driver: SlotsDriver = {
    ask: (rules, port = here, signal = STAYS, tenant = NAME) => askSlot(port, tenant, rules, signal),
    async line(rules, ports) {
      const all: AskedSlot[] = [];
      for (const port of ports) {
        all.push(driver.ask(rules, port));
        await stage.remains(`${all.length} have come`, async () => {
          const { inUse, waiting } = await total();
          return inUse + waiting === all.length;
        });
      }
      return all;
    },
    areIn: (all, states) => stage.until(`they are ${states.join(', ')}`, () => isIn(all, states)),
    remainIn: (all, states) => stage.remains(`they are ${states.join(', ')}`, () => isIn(all, states)),
    areWaiting: (count) => stage.until(`${count} wait`, async () => (await total()).waiting === count),
    async releaseInTurn(all) {
      for (const one of all) {
        await driver.areIn([one], ['granted']);
        one.release();
      }
      await driver.nothingIsLeft();
    },
    async nothingIsLeft() {
      await stage.until('every name is forgotten', () => stage.ports.every((port) => port.counts().size === 0));
      await stage.until('nothing is held, and nobody waits', async () => {
        const { inUse, waiting } = await total();
        return inUse === 0 && waiting === 0;
      });
    },
    async areAllToBeHad(limit) {
      await driver.nothingIsLeft();
      await stage.until(`${limit} slots are free, and no more`, async () => {
        const ports = Array.from({ length: limit + 1 }, (_, index) => (index % 2 ? there : here));
        const all = ports.map((port) => driver.ask(rulesOf(limit, { maxWaiters: 0 }), port));
        const grants = await Promise.all(all.map(({ grant }) => grant));
        for (const one of all) one.release();
        return grants.filter(({ kind }) => kind === 'granted').length === limit;
      });
      await driver.nothingIsLeft();
    },
  };
  return driver;
}
