import { beforeEach, describe, expect, it } from 'vitest';
import type { Slots } from '../../src/state/slots.ts';
import { STAYS } from './caller.ts';
import { createSlotsDriver, NAME, rulesOf, type SlotsDriver } from './slots-driver.ts';
import { useStages, type ContractStage, type MakeStage } from './stage.ts';

/** What is promised of a limit that changes with the requests that bring it. */
export function slotsLimitContract(name: string, makeStage: MakeStage<Slots>): void {
  describe(name, () => {
    const make = useStages(makeStage);

    it('a limit that has risen serves those in line before the one whose asking brings it', async () => {
      const stage = await make();
      const [here, there] = stage.ports;
      const driver = createSlotsDriver(stage);
      const all = await driver.line(rulesOf(1), [here, here]);
      all.push(driver.ask(rulesOf(2), there));
      await driver.remainIn(all, ['granted', 'granted', 'waiting']);
      await driver.releaseInTurn(all);
    });

    it('is the newest one: a lease of the old one does not bring the old one back', async () => {
      const stage = await make();
      const [here] = stage.ports;
      const driver = createSlotsDriver(stage);
      const held = await driver.line(rulesOf(3), [here, here, here]);
      const waiting = [driver.ask(rulesOf(1)), driver.ask(rulesOf(1))];
      await driver.areWaiting(2);
      held[0]?.release();
      await driver.remainIn(waiting, ['waiting', 'waiting']);
      for (const one of held) one.release();
      await driver.remainIn(waiting, ['granted', 'waiting']);
      await driver.releaseInTurn(waiting);
    });
  });
}

/** Of the replica that is told of a new limit by `setLimit`, and of what it counts. */
export function localSlotsContract(name: string, makeStage: MakeStage<Slots>): void {
  describe(name, () => {
    const make = useStages(makeStage);
    let stage: ContractStage<Slots>;
    let here: Slots;
    let driver: SlotsDriver;
    beforeEach(async () => {
      stage = await make();
      [here] = stage.ports;
      driver = createSlotsDriver(stage);
    });

    it('a slot is counted where it was asked for, and so is who waits for one', async () => {
      const all = await driver.line(rulesOf(1), [here, here]);
      expect(here.counts().get(NAME)).toEqual({ inUse: 1, waiting: 1, limit: 1 });
      all[0]?.release();
      await driver.areIn(all, ['granted', 'granted']);
      expect(here.counts().get(NAME)).toEqual({ inUse: 1, waiting: 0, limit: 1 });
      all[1]?.release();
      await driver.nothingIsLeft();
    });

    it('names are counted apart', async () => {
      const all = ['a', 'b'].map((tenant) => driver.ask(rulesOf(1), here, STAYS, tenant));
      await driver.areIn(all, ['granted', 'granted']);
      expect([...here.counts().keys()].toSorted()).toEqual(['a', 'b']);
      await driver.releaseInTurn(all);
    });

    it('a limit that has risen serves at once as many more, in their order', async () => {
      const all = await driver.line(rulesOf(1), [here, here, here, here]);
      here.setLimit(NAME, 3);
      await driver.remainIn(all, ['granted', 'granted', 'granted', 'waiting']);
      expect(here.counts().get(NAME)).toEqual({ inUse: 3, waiting: 1, limit: 3 });
      await driver.releaseInTurn(all);
    });

    it('that has fallen takes nothing away, and lets nobody in until fewer run', async () => {
      const all = await driver.line(rulesOf(3), [here, here, here, here]);
      here.setLimit(NAME, 1);
      all[0]?.release();
      all[1]?.release();
      await driver.remainIn(all, ['granted', 'granted', 'granted', 'waiting']);
      expect(here.counts().get(NAME)).toEqual({ inUse: 1, waiting: 1, limit: 1 });
      await driver.releaseInTurn(all.slice(2));
    });

    it('of a name that is idle leaves no trace', async () => {
      here.setLimit(NAME, 5);
      await driver.nothingIsLeft();
    });

    it('of one name is not that of another', async () => {
      const all = ['a', 'a', 'b', 'b'].map((tenant) => driver.ask(rulesOf(1), here, STAYS, tenant));
      await driver.areIn(all, ['granted', 'waiting', 'granted', 'waiting']);
      here.setLimit('b', 2);
      await driver.remainIn(all, ['granted', 'waiting', 'granted', 'granted']);
      await driver.releaseInTurn(all);
    });
  });
}
