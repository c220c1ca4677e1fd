import { describe, expect, it } from 'vitest';
import type { CapacityAsk, UpstreamCapacity } from '../../src/state/upstream-capacity.ts';
import { askCapacity, tokensLeft, type AskedCapacity } from './asked-capacity.ts';
import { PATIENT_MS, STAYS } from './caller.ts';
import { useStages, type ContractStage, type MakeStage } from './stage.ts';

/** Of the replica whose calls these are, and which draws the gauges. */
export function localCapacityContract(name: string, makeStage: MakeStage<UpstreamCapacity>): void {
  describe(name, () => {
    const make = useStages(makeStage);
    const ASK: CapacityAsk = {
      tenant: 'acme',
      weight: 1,
      modelClass: 'opus-4',
      inputTokens: 100,
      maxWaitMs: PATIENT_MS,
    };

    it('what is on its way and what waits is counted for each upstream that has a ceiling', async () => {
      const stage = await make();
      const [here] = stage.ports;
      for (const upstream of ['main', 'spare']) here.setCeiling(upstream, 1);
      await stage.remains('the ceilings are known', () => here.counts().size === 2);
      const all = [1, 2].map(() => askCapacity(here, 'main', ASK, STAYS));
      await stage.until('one is on its way and one waits', () => here.load('main').waiting === 1);
      expect(Object.fromEntries(here.counts())).toMatchObject({
        main: { inUse: 1, waiting: 1, limit: 1 },
        spare: { inUse: 0, waiting: 0, limit: 1 },
      });
      for (const one of all) {
        await stage.until('it is its turn', () => one.state === 'granted');
        one.release();
      }
      expect(here.load('main')).toMatchObject({ inUse: 0, waiting: 0 });
      expect(here.load('nowhere')).toEqual({ inUse: 0, waiting: 0, limit: 0 });
    });

    const fourOf = async (stage: ContractStage<UpstreamCapacity>, ceiling: number): Promise<AskedCapacity[]> => {
      const [here] = stage.ports;
      here.setCeiling('main', ceiling);
      await stage.remains('the ceiling is known', () => here.counts().has('main'));
      const all = [1, 2, 3, 4].map(() => askCapacity(here, 'main', ASK, STAYS));
      await stage.until('they have come', () => here.load('main').waiting === 4 - ceiling);
      return all;
    };
    const statesOf = (all: readonly AskedCapacity[]): string => all.map(({ state }) => state).join(' ');

    it('a ceiling that is raised lets in at once as many as fit', async () => {
      const stage = await make();
      const all = await fourOf(stage, 1);
      stage.ports[0].setCeiling('main', 3);
      await stage.remains('three are in', () => statesOf(all) === 'granted granted granted waiting');
      all[0]?.release();
      await stage.until('the last one is in', () => statesOf(all) === 'granted granted granted granted');
      for (const one of all) one.release();
    });

    it('that falls takes nothing away, and lets nobody in until fewer are on their way', async () => {
      const stage = await make();
      const all = await fourOf(stage, 3);
      stage.ports[0].setCeiling('main', 1);
      await stage.remains('three are in', () => statesOf(all) === 'granted granted granted waiting');
      all[0]?.release();
      all[1]?.release();
      await stage.remains('the last one waits', () => statesOf(all) === 'granted granted granted waiting');
      all[2]?.release();
      await stage.until('the last one is in', () => statesOf(all) === 'granted granted granted granted');
      all[3]?.release();
    });

    it.each([100, Number.NaN, -5, Number.POSITIVE_INFINITY])(
      'the tokens that are left are told, whatever was predicted: %d',
      async (inputTokens) => {
        const stage = await make();
        const [here] = stage.ports;
        here.setCeiling('main', 1);
        const asked = askCapacity(here, 'main', { ...ASK, inputTokens }, STAYS);
        await stage.until('it is granted', () => asked.state === 'granted');
        asked.head(tokensLeft(42_000));
        const quota = () => here.quotas().find(({ kind }) => kind === 'input_tokens');
        await stage.until('the quota is known', () => quota() !== undefined);
        expect(quota()).toMatchObject({ upstream: 'main', modelClass: 'opus-4' });
        expect(quota()?.remaining).toBeGreaterThanOrEqual(41_000);
        expect(quota()?.remaining).toBeLessThanOrEqual(600_000);
        asked.release();
      },
    );
  });
}
