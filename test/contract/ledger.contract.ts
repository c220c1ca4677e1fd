import { beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/state/ledger.ts';
import { useStages, type ContractStage, type MakeStage } from './stage.ts';

const [NOVEMBER, MONDAY, TUESDAY] = [1, 23, 24].map((day) => Date.UTC(2026, 10, day)) as [number, number, number];

/** The promises of `Ledger`: what is booked is there for everyone, once, in its own period and no other. */
export function ledgerContract(name: string, makeStage: MakeStage<Ledger>): void {
  describe(name, () => {
    const make = useStages(makeStage);
    let stage: ContractStage<Ledger>;
    let here: Ledger;
    let there: Ledger;
    beforeEach(async () => {
      stage = await make();
      [here, there] = stage.ports;
    });

    const knowsOf = (port: Ledger, tenant: string, periodStartMs: number, usd: number): Promise<void> =>
      stage.remains(`${tenant} has spent ${usd}`, async () => {
        return Math.abs((await port.spentUsd(tenant, periodStartMs)) - usd) < 1e-9;
      });

    it('adds up what a tenant spends in one period, through whichever port', async () => {
      here.book('acme', MONDAY, 1.5);
      there.book('acme', MONDAY, 0.25);
      await knowsOf(here, 'acme', MONDAY, 1.75);
      await knowsOf(there, 'acme', MONDAY, 1.75);
    });

    it('knows of nothing spent by tenants it has not heard of', async () => {
      here.book('acme', MONDAY, 1);
      await knowsOf(here, 'acme', MONDAY, 1);
      expect(await here.spentUsd('globex', MONDAY)).toBe(0);
    });

    it('starts each period at nothing', async () => {
      here.book('acme', MONDAY, 1);
      await knowsOf(there, 'acme', MONDAY, 1);
      expect(await there.spentUsd('acme', TUESDAY)).toBe(0);
      here.book('acme', TUESDAY, 2);
      await knowsOf(there, 'acme', TUESDAY, 2);
    });

    it('adds up a period that began earlier than one on record: a budget by the day that is one by the month from now on', async () => {
      here.book('acme', TUESDAY, 1);
      await knowsOf(here, 'acme', TUESDAY, 1);
      here.book('acme', NOVEMBER, 2);
      await knowsOf(here, 'acme', NOVEMBER, 2);
      there.book('acme', NOVEMBER, 3);
      await knowsOf(here, 'acme', NOVEMBER, 5);
      await knowsOf(there, 'acme', NOVEMBER, 5);
    });

    it('loses none of 500 small amounts that are booked at once', async () => {
      for (let one = 0; one < 500; one++) (one % 2 ? here : there).book('acme', MONDAY, 0.000_123);
      await knowsOf(here, 'acme', MONDAY, 500 * 0.000_123);
      await knowsOf(there, 'acme', MONDAY, 500 * 0.000_123);
    });

    it('keeps amounts apart by a tenant, whatever is in its name', async () => {
      const names = ['a', 'a:b', 'b', '{a}', 'a}b', 'ä', ' '];
      for (const [index, tenant] of names.entries()) here.book(tenant, MONDAY, index + 1);
      for (const [index, tenant] of names.entries()) await knowsOf(there, tenant, MONDAY, index + 1);
    });
  });
}

/** What several processes need besides: their clocks do not agree on when the day ends. */
export function sharedLedgerContract(name: string, makeStage: MakeStage<Ledger>): void {
  describe(name, () => {
    const make = useStages(makeStage);

    it('an amount that comes late, for the period before, leaves the sum of this one alone', async () => {
      const stage = await make();
      const [here, there] = stage.ports;
      here.book('acme', TUESDAY, 2);
      await stage.until('Tuesday has begun', async () => (await there.spentUsd('acme', TUESDAY)) === 2);
      there.book('acme', MONDAY, 5);
      await stage.remains('Tuesday is untouched', async () => (await here.spentUsd('acme', TUESDAY)) === 2);
    });
  });
}
