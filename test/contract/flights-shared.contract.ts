import { describe, expect, it } from 'vitest';
import type { FlightAsk, Flights, ReadablePrefix } from '../../src/state/flights.ts';
import { JOIN_TO_FOLLOW_MS, leadOf, TIMER_GRAIN_MS, writes } from './flight-asks.ts';
import { useStages, type ContractStage, type MakeStage } from './stage.ts';

/** What an engine of several processes adds: what one has written, the others are told of. */
export function sharedFlightsContract(name: string, makeStage: MakeStage<Flights>): void {
  describe(name, () => {
    const make = useStages(makeStage);
    const ask = { wanted: ['a', 'ab'], written: [...writes('a'), { prefix: 'ab', ttl: '1h' } as const] };
    const untilReadable = async (stage: ContractStage<Flights>, asked: FlightAsk): Promise<ReadablePrefix[]> => {
      const told: ReadablePrefix[] = [];
      await stage.until('another has written it', async () => {
        const joined = await stage.ports[1].join(asked);
        if (joined.kind === 'readable') told.push(...joined.prefixes);
        return joined.kind === 'readable';
      });
      return told;
    };

    it('what has landed is told to one who would write it, with its life and its age', async () => {
      const stage = await make();
      const leader = leadOf(await stage.ports[0].join(ask));
      const sinceMs = stage.nowMs();
      leader.sent();
      await stage.pass(50);
      leader.landed();
      const told = await untilReadable(stage, ask);
      const ageMs = stage.nowMs() - sinceMs;
      expect(told.map(({ prefix, ttl }) => [prefix, ttl])).toEqual([['a', '5m'], ['ab', '1h']]); // prettier-ignore
      for (const one of told) {
        expect(one.ageMs).toBeGreaterThanOrEqual(50 - TIMER_GRAIN_MS - JOIN_TO_FOLLOW_MS);
        expect(one.ageMs).toBeLessThanOrEqual(ageMs + JOIN_TO_FOLLOW_MS);
      }
    });

    it('it is told to all who come at once, so that none of them leads or waits', async () => {
      const stage = await make();
      const [here, there] = stage.ports;
      const leader = leadOf(await here.join(ask));
      leader.landed();
      await stage.remains('it has landed', async () => (await here.join({ ...ask, written: [] })).kind === 'none');
      const joined = await Promise.all(Array.from({ length: 16 }, () => there.join(ask)));
      for (const one of joined) if (one.kind === 'lead') one.lead.failed();
      expect(joined.map(({ kind }) => kind)).toEqual(Array(16).fill('readable'));
    });

    it('what failed is told to nobody', async () => {
      const stage = await make();
      const [here, there] = stage.ports;
      leadOf(await here.join(ask)).failed();
      await stage.until('nobody writes it', async () => (await there.join({ ...ask, written: [] })).kind === 'none');
      leadOf(await there.join(ask)).failed();
    });

    it('what is readable is told to one that would write more, unless somebody is writing that', async () => {
      const stage = await make();
      const [here, there] = stage.ports;
      leadOf(await here.join({ wanted: ['a'], written: writes('a') })).landed();
      expect((await untilReadable(stage, ask)).map(({ prefix }) => prefix)).toEqual(['a']);
      const leader = leadOf(await here.join({ wanted: ['ab'], written: writes('ab') }));
      expect(await there.join(ask)).toStrictEqual({ kind: 'follow', prefix: 'ab' });
      leader.failed();
    });
  });
}
