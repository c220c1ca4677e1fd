import { describe, expect, it } from 'vitest';
import type { UpstreamCapacity } from '../../src/state/upstream-capacity.ts';
import { FINE } from './asked-capacity.ts';
import { PATIENT_MS, STAYS } from './caller.ts';
import { useStages, type ContractStage, type MakeStage } from './stage.ts';

/** Callers that ask, hold for a moment and ask again, through any port; what is on its way at once, by port. */
function createLoad(stage: ContractStage<UpstreamCapacity>) {
  const inside = [0, 0];
  let peaks = [0, 0, 0];
  const end = new AbortController();
  const callers: Promise<void>[] = [];
  let failure: Error | null = null;
  const call = async (at: 0 | 1): Promise<void> => {
    const ask = { tenant: 'acme', weight: 1, modelClass: 'opus-4', inputTokens: 1, maxWaitMs: PATIENT_MS };
    const grant = await stage.ports[at].acquire('main', ask, STAYS);
    if (grant.kind !== 'granted') throw new Error(`not granted: ${grant.kind}`);
    inside[at] = (inside[at] ?? 0) + 1;
    const all = [...inside, (inside[0] ?? 0) + (inside[1] ?? 0)];
    peaks = peaks.map((peak, index) => Math.max(peak, all[index] ?? 0));
    await stage.pass(2);
    inside[at] = (inside[at] ?? 0) - 1;
    grant.lease.release(FINE);
  };
  return {
    add(at: 0 | 1, count: number) {
      const run = async (): Promise<void> => {
        while (!end.signal.aborted) await call(at);
      };
      const fail = (error: Error): void => {
        failure ??= error;
        end.abort();
      };
      callers.push(...Array.from({ length: count }, () => run().catch(fail)));
    },
    /** The most that were on their way at once from now on, for as long as some ten calls take: here, there, together. */
    async peaks(): Promise<readonly [number, number, number]> {
      if (failure) throw failure;
      peaks = [0, 0, 0];
      await stage.pass(40);
      return peaks as unknown as [number, number, number];
    },
    async end() {
      end.abort();
      await Promise.all(callers);
      if (failure) throw failure;
    },
  };
}

/** What an engine of several processes adds: the ceiling is the upstream's, not a replica's. They may need a moment. */
export function sharedCapacityContract(name: string, makeStage: MakeStage<UpstreamCapacity>): void {
  describe(name, () => {
    const make = useStages(makeStage);
    const setCeiling = ({ ports }: ContractStage<UpstreamCapacity>, ceiling: number): void => {
      for (const port of ports) port.setCeiling('main', ceiling);
    };

    it('as many as the ceiling are on their way through both ports together, and both have their part', async () => {
      const stage = await make();
      setCeiling(stage, 4);
      const load = createLoad(stage);
      load.add(0, 8);
      load.add(1, 8);
      await stage.until('together they have what there is, and no more', async () => {
        const [here, there, together] = await load.peaks();
        return together === 4 && here >= 2 && there >= 2;
      });
      for (let look = 0; look < 10; look++) expect((await load.peaks())[2]).toBeLessThanOrEqual(4);
      await load.end();
    });

    it('one that is alone has all of it, and gives its part to one that comes, however busy it is', async () => {
      const stage = await make();
      setCeiling(stage, 4);
      const load = createLoad(stage);
      load.add(0, 8);
      await stage.until('it has all', async () => (await load.peaks())[0] === 4);
      load.add(1, 8);
      await stage.until('both have their part', async () => {
        const [, there, together] = await load.peaks();
        return there >= 2 && together <= 4;
      });
      await load.end();
    });

    it('a ceiling that falls is kept soon, however many wait', async () => {
      const stage = await make();
      setCeiling(stage, 6);
      const load = createLoad(stage);
      load.add(0, 8);
      load.add(1, 8);
      await stage.until('they have what there is', async () => (await load.peaks())[2] === 6);
      setCeiling(stage, 2);
      await stage.until('they have no more than there is now', async () => (await load.peaks())[2] <= 2);
      await load.end();
    });
  });
}
