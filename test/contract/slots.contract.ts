import { beforeEach, describe, expect, it } from 'vitest';
import type { Slots } from '../../src/state/slots.ts';
import type { AskedSlot } from './asked-slot.ts';
import { createCaller, PATIENT_MS, STAYS } from './caller.ts';
import { createSlotsDriver, NAME, rulesOf, type SlotsDriver } from './slots-driver.ts';
import { useStages, type ContractStage, type MakeStage } from './stage.ts';

/** Timers of real clocks fire up to so much early. */
const TIMER_GRAIN_MS = 2;
/** The promises of `Slots`: leases up to the limit, a fair and bounded line for the rest, nothing lost, nothing left. */
export function slotsContract(name: string, makeStage: MakeStage<Slots>): void {
  describe(name, () => {
    const make = useStages(makeStage);
    let stage: ContractStage<Slots>;
    let here: Slots;
    let there: Slots;
    let driver: SlotsDriver;
    beforeEach(async () => {
      stage = await make();
      [here, there] = stage.ports;
      driver = createSlotsDriver(stage);
    });
    const ask: SlotsDriver['ask'] = (...all) => driver.ask(...all);

    describe('a slot', () => {
      it('is given out up to the limit and then in the order of asking, through whichever port', async () => {
        const all = await driver.line(rulesOf(2), [here, there, there, here, there]);
        await driver.remainIn(all, ['granted', 'granted', 'waiting', 'waiting', 'waiting']);
        all[1]?.release();
        await driver.remainIn(all, ['granted', 'granted', 'granted', 'waiting', 'waiting']);
        all[0]?.release();
        await driver.remainIn(all, ['granted', 'granted', 'granted', 'granted', 'waiting']);
        all[2]?.release();
        await driver.areIn(all, Array(5).fill('granted'));
        for (const one of all) one.release();
        await driver.nothingIsLeft();
      });

      it('comes with how long was waited for it', async () => {
        const all = await driver.line(rulesOf(1), [here, there]);
        const sinceMs = stage.nowMs();
        await stage.pass(60);
        const heldForMs = stage.nowMs() - sinceMs;
        all[0]?.release();
        const waitedMs = await Promise.all(
          all.map(({ grant }) => grant.then((one) => 'waitedMs' in one && one.waitedMs)),
        );
        expect(waitedMs[1]).toBeGreaterThanOrEqual(heldForMs - TIMER_GRAIN_MS);
        expect(waitedMs[0]).toBeLessThan(waitedMs[1] || 0);
        all[1]?.release();
      });

      it('goes to the next in line when it is given back, not to whoever asks at that moment', async () => {
        const [first, second] = (await driver.line(rulesOf(1), [here, there])) as [AskedSlot, AskedSlot];
        first.release();
        const third = ask(rulesOf(1));
        await driver.remainIn([second, third], ['granted', 'waiting']);
        second.release();
        await driver.areIn([third], ['granted']);
        third.release();
      });

      it('is given back once, however often that is said', async () => {
        const all = await driver.line(rulesOf(1), [here, here, there]);
        for (let time = 0; time < 3; time++) all[0]?.release();
        await driver.remainIn(all, ['granted', 'granted', 'waiting']);
        all[1]?.release();
        await driver.areIn(all, ['granted', 'granted', 'granted']);
        all[2]?.release();
      });

      it('of one name is none of another', async () => {
        const rules = rulesOf(1, { maxWaiters: 0 });
        const all = [ask(rules, here, STAYS, 'a'), ask(rules, here, STAYS, 'b')];
        await driver.areIn(all, ['granted', 'granted']);
        const full = ask(rules, there, STAYS, 'a');
        await driver.areIn([full], ['full']);
        for (const one of all) one.release();
        await driver.nothingIsLeft();
      });

      it('can be taken and given back any number of times in a row', async () => {
        const rules = rulesOf(3, { maxWaiters: 0 });
        for (let round = 0; round < 100; round++) {
          const all = [1, 2, 3].map(() => ask(rules));
          const grants = await Promise.all(all.map(({ grant }) => grant));
          expect(grants.map(({ kind }) => kind)).toEqual(['granted', 'granted', 'granted']);
          for (const one of all) one.release();
        }
        await driver.areAllToBeHad(3);
      });

      it('is held by never more at once than the limit, and by everyone in the end, when 60 ask at once', async () => {
        const rules = rulesOf(4, { maxWaiters: 60, maxWaitMs: PATIENT_MS });
        let inside = 0;
        const most: number[] = [];
        const hold = async (index: number): Promise<string> => {
          const grant = await (index % 2 ? there : here).acquire(NAME, rules, STAYS);
          if (grant.kind !== 'granted') return grant.kind;
          most.push(++inside);
          await stage.pass(0);
          inside--;
          grant.lease.release();
          return grant.kind;
        };
        const kinds = await Promise.all(Array.from({ length: 60 }, (_, index) => hold(index)));
        expect(kinds).toEqual(Array(60).fill('granted'));
        expect(Math.max(...most)).toBeLessThanOrEqual(4);
        await driver.areAllToBeHad(4);
      });
    });

    describe('waiting for a slot', () => {
      it('is refused to those beyond the bound, whichever port the others wait at', async () => {
        const rules = rulesOf(1, { maxWaiters: 2 });
        const all = await driver.line(rules, [here, there, here]);
        const beyond = [ask(rules, here), ask(rules, there)];
        await driver.remainIn([...all, ...beyond], ['granted', 'waiting', 'waiting', 'full', 'full']);
        await driver.releaseInTurn(all);
      });

      it('is refused to everyone where nobody may wait', async () => {
        const rules = rulesOf(1, { maxWaiters: 0 });
        const [held] = (await driver.line(rules, [here])) as [AskedSlot];
        await driver.areIn([ask(rules, here), ask(rules, there)], ['full', 'full']);
        held.release();
        await driver.areAllToBeHad(1);
      });

      it('ends at its deadline and not before, for each waiter at its own', async () => {
        const [holder] = (await driver.line(rulesOf(1), [here])) as [AskedSlot];
        const sinceMs = stage.nowMs();
        const all = [ask(rulesOf(1, { maxWaitMs: 150 })), ask(rulesOf(1, { maxWaitMs: 60 }), there)];
        const endedAfterMs = Promise.all(all.map(({ grant }) => grant.then(() => stage.nowMs() - sinceMs)));
        await stage.pass(61);
        await driver.areIn(all.slice(1), ['timed_out']);
        await stage.pass(90);
        await driver.areIn(all, ['timed_out', 'timed_out']);
        const [patientMs, hastyMs] = (await endedAfterMs) as [number, number];
        expect(patientMs).toBeGreaterThanOrEqual(150 - TIMER_GRAIN_MS);
        expect(hastyMs).toBeGreaterThanOrEqual(60 - TIMER_GRAIN_MS);
        holder.release();
        await driver.areAllToBeHad(1);
      });

      it('that has timed out does not hold up those behind', async () => {
        const [holder] = (await driver.line(rulesOf(1), [here])) as [AskedSlot];
        const hasty = ask(rulesOf(1, { maxWaitMs: 30 }), there);
        await driver.areWaiting(1);
        const next = ask(rulesOf(1), here);
        await stage.pass(31);
        await driver.areIn([hasty], ['timed_out']);
        holder.release();
        await driver.areIn([next], ['granted']);
        next.release();
        await driver.nothingIsLeft();
      });

      it('ends at once when the caller leaves, and those behind move up', async () => {
        const caller = createCaller();
        const [holder] = (await driver.line(rulesOf(1), [here])) as [AskedSlot];
        const gone = ask(rulesOf(1), there, caller.signal);
        await driver.areWaiting(1);
        const next = ask(rulesOf(1), here);
        await driver.areWaiting(2);
        caller.leave();
        await driver.areIn([gone], ['abandoned']);
        await driver.areWaiting(1);
        holder.release();
        await driver.areIn([next], ['granted']);
        next.release();
        await driver.nothingIsLeft();
      });

      it('does not begin for a caller that has left already', async () => {
        await driver.areIn([ask(rulesOf(1), here, AbortSignal.abort())], ['abandoned']);
        await driver.areAllToBeHad(1);
      });

      it('leaves no listener on the signal of a caller that stays', async () => {
        const caller = createCaller();
        const [first] = (await driver.line(rulesOf(1), [here])) as [AskedSlot];
        const second = ask(rulesOf(1), here, caller.signal);
        const late = ask(rulesOf(1, { maxWaitMs: 5 }), here, caller.signal);
        await stage.pass(6);
        await driver.areIn([late], ['timed_out']);
        first.release();
        await driver.areIn([second], ['granted']);
        expect(caller.listeners).toBe(0);
        second.release();
      });

      it('can be given up by 500 callers in any order, and the one that stays is served', async () => {
        const rules = rulesOf(1, { maxWaiters: 1_000 });
        const [holder] = (await driver.line(rules, [here])) as [AskedSlot];
        const callers = Array.from({ length: 501 }, () => createCaller());
        const all = callers.map(({ signal }, index) => ask(rules, index % 2 ? here : there, signal));
        await driver.areWaiting(501);
        for (const [index, caller] of [...callers.entries()].toReversed()) if (index !== 250) caller.leave();
        await driver.areWaiting(1);
        holder.release();
        await stage.until('the one that stayed has the slot', () => all[250]?.state === 'granted');
        expect(all.filter(({ state }) => state === 'abandoned').length).toBe(500);
        all[250]?.release();
        await driver.areAllToBeHad(1);
      });
    });

    describe('no slot is lost', () => {
      it('to a caller that leaves in the moment in which it asks', async () => {
        const callers = Array.from({ length: 40 }, () => createCaller());
        const all = callers.map(({ signal }, index) =>
          ask(rulesOf(2, { maxWaiters: 40 }), index % 2 ? here : there, signal),
        );
        for (const caller of callers) caller.leave();
        await stage.until('each has its answer', () => all.every(({ state }) => state !== 'waiting'));
        for (const one of all) one.release(); // one that was quicker than its caller: it is the caller's to give back
        await driver.areAllToBeHad(2);
      });

      it.each(['before', 'after'] as const)('to a waiter that leaves just %s its turn comes', async (order) => {
        for (let round = 0; round < 20; round++) {
          const caller = createCaller();
          const holder = ask(rulesOf(1), round % 2 ? here : there);
          await driver.areIn([holder], ['granted']);
          const waiter = ask(rulesOf(1), here, caller.signal);
          await driver.areWaiting(1);
          if (order === 'before') caller.leave();
          holder.release();
          if (order === 'after') caller.leave();
          await stage.until('the waiter has its answer', () => waiter.state !== 'waiting');
          expect(['granted', 'abandoned']).toContain(waiter.state);
          waiter.release();
        }
        await driver.areAllToBeHad(1);
      });

      it('to a waiter whose time is up just as its turn comes', async () => {
        for (let round = 0; round < 10; round++) {
          const holder = ask(rulesOf(1), there);
          await driver.areIn([holder], ['granted']);
          const waiter = ask(rulesOf(1, { maxWaitMs: 10 }), here);
          await stage.pass(10);
          holder.release();
          await stage.until('the waiter has its answer', () => waiter.state !== 'waiting');
          expect(['granted', 'timed_out']).toContain(waiter.state);
          waiter.release();
        }
        await driver.areAllToBeHad(1);
      });
    });

    it('a refusal says when to ask again: a time in the future that is longer behind a longer line', async () => {
      const afterOf = async (asked: AskedSlot): Promise<number> => {
        const grant = await asked.grant;
        return 'retryAfterMs' in grant ? grant.retryAfterMs : Number.NaN;
      };
      const all = await driver.line(rulesOf(1), [here]);
      const short = await afterOf(ask(rulesOf(1, { maxWaiters: 0 })));
      all.push(...[1, 2, 3, 4].map(() => ask(rulesOf(1))));
      await driver.areWaiting(4);
      const long = await afterOf(ask(rulesOf(1, { maxWaiters: 4 })));
      const late = ask(rulesOf(1, { maxWaitMs: 20 }));
      await stage.pass(21);
      expect(short).toBeGreaterThan(0);
      expect(long).toBeGreaterThan(short);
      expect(await afterOf(late)).toBeGreaterThan(0);
      await driver.releaseInTurn(all);
    });
  });
}
