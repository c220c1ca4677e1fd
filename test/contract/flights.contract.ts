import { beforeEach, describe, expect, it } from 'vitest';
import type { FlightJoin, FlightLead, FlightPatience, FlightResult, Flights } from '../../src/state/flights.ts';
import { createCaller, STAYS } from './caller.ts';
import { leadOf, TIMER_GRAIN_MS, writes } from './flight-asks.ts';
import { useStages, type ContractStage, type MakeStage } from './stage.ts';

const LONG: FlightPatience = { sinceSentMs: 5_000, maxMs: 10_000 };

/** The promises of `Flights`: one leads, all others follow or land, and nobody waits for what nobody writes. */
export function flightsContract(name: string, makeStage: MakeStage<Flights>): void {
  describe(name, () => {
    const make = useStages(makeStage);
    let stage: ContractStage<Flights>;
    let here: Flights;
    let there: Flights;
    beforeEach(async () => {
      stage = await make();
      [here, there] = stage.ports;
    });

    const lead = async (port: Flights, ...written: string[]): Promise<FlightLead> =>
      leadOf(await port.join({ wanted: written, written: writes(...written) }));
    const asks = (port: Flights, ...wanted: string[]): Promise<FlightJoin> => port.join({ wanted, written: [] });
    const nobodyWrites = (port: Flights, ...prefixes: string[]): Promise<void> =>
      stage.until(`nobody writes ${prefixes.join(', ')}`, async () => (await asks(port, ...prefixes)).kind === 'none');
    const isWritten = (port: Flights, prefix: string): Promise<void> =>
      stage.remains(`somebody writes ${prefix}`, async () => (await asks(port, prefix)).kind === 'follow');

    interface Follower {
      readonly result: Promise<FlightResult>;
      readonly state: FlightResult['kind'] | 'waiting';
    }
    const follow = (port: Flights, prefix: string, patience = LONG, signal = STAYS): Follower => {
      let state: Follower['state'] = 'waiting';
      const result = port.follow(prefix, patience, signal);
      void result.then(({ kind }) => (state = kind));
      return {
        result,
        get state() {
          return state;
        },
      };
    };
    /** Who waits might not be let go a little later; what has come of a wait never changes. */
    const areIn = (followers: readonly Follower[], state: Follower['state']): Promise<void> =>
      stage[state === 'waiting' ? 'remains' : 'until'](`they are ${state}`, () =>
        followers.every((one) => one.state === state),
      );
    /** Each in its place before the next one comes. */
    const followInTurn = async (prefix: string, ports: readonly Flights[]): Promise<Follower[]> => {
      const all: Follower[] = [];
      for (const port of ports) {
        all.push(follow(port, prefix));
        await areIn(all, 'waiting');
      }
      return all;
    };

    it('a flight lands for all followers when its leader has content, and is over then', async () => {
      const leader = await lead(here, 'a', 'ab');
      const followers = [follow(here, 'ab'), follow(there, 'ab'), follow(there, 'a')];
      await areIn(followers, 'waiting');
      leader.sent();
      leader.landed();
      await areIn(followers, 'landed');
      await nobodyWrites(here, 'a', 'ab');
      await nobodyWrites(there, 'a', 'ab');
    });

    it('is joined at its deepest prefix, through whichever port', async () => {
      const leader = await lead(here, 'a', 'ab');
      for (const port of [here, there]) {
        expect(await asks(port, 'a', 'ab', 'abc')).toStrictEqual({ kind: 'follow', prefix: 'ab' });
      }
      leader.landed();
    });

    it('is nobody else’s: what shares no prefix with it leads a flight of its own', async () => {
      const leaders = [await lead(here, 'a'), await lead(there, 'b')];
      expect(await asks(here, 'b')).toStrictEqual({ kind: 'follow', prefix: 'b' });
      expect(await asks(there, 'a', 'c')).toStrictEqual({ kind: 'follow', prefix: 'a' });
      for (const one of leaders) one.landed();
    });

    it('has one leader of 64 that come at once, and all others land with it', async () => {
      const ask = { wanted: ['a', 'ab'], written: writes('a', 'ab') };
      const joined = await Promise.all(Array.from({ length: 64 }, (_, index) => (index % 2 ? here : there).join(ask)));
      const leaders = joined.filter(({ kind }) => kind === 'lead');
      expect(leaders.length).toBe(1);
      const prefixes = joined.flatMap((one) => (one.kind === 'follow' ? [one.prefix] : []));
      expect(prefixes).toEqual(Array(63).fill('ab'));
      const followers = prefixes.map((prefix, index) => follow(index % 2 ? here : there, prefix));
      await areIn(followers, 'waiting');
      leadOf(leaders[0] as FlightJoin).landed();
      await areIn(followers, 'landed');
    });

    it('does not take over a prefix that somebody writes already', async () => {
      const leader = await lead(here, 'a');
      const deeper = await there.join({ wanted: [], written: writes('a', 'ab') });
      leadOf(deeper).landed();
      await isWritten(there, 'a');
      expect(await asks(here, 'a', 'ab')).toStrictEqual({ kind: 'follow', prefix: 'a' });
      leader.landed();
    });

    it('has nothing to wait for where nobody writes', async () => {
      expect(await here.follow('a', LONG, STAYS)).toStrictEqual({ kind: 'landed' });
      expect(await asks(here, 'a')).toStrictEqual({ kind: 'none' });
    });

    it('that is over before somebody follows it has landed', async () => {
      const leader = await lead(here, 'a');
      expect((await asks(there, 'a')).kind).toBe('follow');
      leader.landed();
      expect(await there.follow('a', LONG, STAYS)).toStrictEqual({ kind: 'landed' });
    });

    it('that nobody asks to write is led by nobody', async () => {
      expect(await here.join({ wanted: ['a'], written: [] })).toStrictEqual({ kind: 'none' });
      const leader = await lead(there, 'a');
      leader.landed();
    });

    it('ignores what its leader says after the first word', async () => {
      const leader = await lead(here, 'a');
      leader.failed();
      await nobodyWrites(here, 'a');
      const other = await lead(here, 'a');
      leader.failed();
      leader.landed();
      leader.sent();
      await isWritten(here, 'a');
      await isWritten(there, 'a');
      other.failed();
      await nobodyWrites(there, 'a');
    });

    describe('a leader that fails', () => {
      it('hands over to the follower that waited longest; the others wait for that one', async () => {
        const leader = await lead(here, 'a');
        const [first, second, third] = (await followInTurn('a', [here, here, there])) as [Follower, Follower, Follower];
        leader.failed();
        await areIn([first], 'promoted');
        await areIn([second, third], 'waiting');
        await isWritten(there, 'a');
        leadOf(await first.result).landed();
        await areIn([second, third], 'landed');
      });

      it('hands over to a follower elsewhere when there is none of its own', async () => {
        const leader = await lead(here, 'a', 'ab');
        const followers = await followInTurn('ab', [there, there]);
        leader.failed();
        await areIn(followers.slice(0, 1), 'promoted');
        await areIn(followers.slice(1), 'waiting');
        leadOf(await (followers[0] as Follower).result).landed();
        await areIn(followers.slice(1), 'landed');
        await nobodyWrites(here, 'a', 'ab');
      });

      it('and all who follow fail in turn: each leads once, one at a time, and then the flight is over', async () => {
        let leader = await lead(here, 'a');
        const waiting = new Set(Array.from({ length: 10 }, (_, index) => follow(index % 2 ? here : there, 'a')));
        await areIn([...waiting], 'waiting');
        for (let left = 10; left > 0; left--) {
          leader.failed();
          await stage.remains(
            `one of ${left} leads`,
            () => [...waiting].filter(({ state }) => state === 'promoted').length === 1,
          );
          const promoted = [...waiting].find(({ state }) => state === 'promoted') as Follower;
          waiting.delete(promoted);
          await areIn([...waiting], 'waiting');
          leader = leadOf(await promoted.result);
        }
        leader.failed();
        await nobodyWrites(here, 'a');
        await nobodyWrites(there, 'a');
      });

      it('and whom nobody follows leaves the prefix to whoever comes', async () => {
        (await lead(here, 'a')).failed();
        await nobodyWrites(there, 'a');
        (await lead(there, 'a')).landed();
      });

      it('never hands over to a follower whose caller has left', async () => {
        const leader = await lead(here, 'a');
        const caller = createCaller();
        const gone = follow(here, 'a', LONG, caller.signal);
        await areIn([gone], 'waiting');
        const next = follow(there, 'a');
        await areIn([next], 'waiting');
        caller.leave();
        await areIn([gone], 'abandoned');
        leader.failed();
        await areIn([next], 'promoted');
        leadOf(await next.result).failed();
        await nobodyWrites(here, 'a');
      });

      it.each(['before', 'after'] as const)(
        'just %s a follower leaves does not leave the next one waiting',
        async (order) => {
          for (let round = 0; round < 10; round++) {
            const leader = await lead(here, 'a');
            const caller = createCaller();
            const leaving = follow(round % 2 ? here : there, 'a', LONG, caller.signal);
            await areIn([leaving], 'waiting');
            const stays = follow(here, 'a');
            await areIn([stays], 'waiting');
            if (order === 'before') leader.failed();
            caller.leave();
            if (order === 'after') leader.failed();
            const result = await leaving.result;
            if (result.kind === 'promoted')
              result.lead.failed(); // it was quicker: whoever has left gives it up
            else expect(result.kind).toBe('abandoned');
            await areIn([stays], 'promoted');
            leadOf(await stays.result).failed();
            await nobodyWrites(there, 'a');
          }
        },
      );
    });

    describe('patience', () => {
      it('lets one follower go when its own ends, and the rest wait on', async () => {
        const sinceMs = stage.nowMs(); // the patience begins when the leader has joined
        const leader = await lead(here, 'a');
        const impatient = [here, there].map((port) => follow(port, 'a', { sinceSentMs: 80, maxMs: 10_000 }));
        const endedAfterMs = Promise.all(impatient.map(({ result }) => result.then(() => stage.nowMs() - sinceMs)));
        const patient = [follow(here, 'a'), follow(there, 'a')];
        await stage.pass(81);
        await areIn(impatient, 'timed_out');
        await areIn(patient, 'waiting');
        expect(Math.min(...(await endedAfterMs))).toBeGreaterThanOrEqual(80 - TIMER_GRAIN_MS);
        leader.landed();
        await areIn(patient, 'landed');
      });

      it('begins when the leader has sent, not when it began to wait for its turn', async () => {
        const leader = await lead(here, 'a');
        const followers = [here, there].map((port) => follow(port, 'a', { sinceSentMs: 1_000, maxMs: 10_000 }));
        await stage.pass(200);
        leader.sent();
        const sinceMs = stage.nowMs();
        const endedAfterMs = Promise.all(followers.map(({ result }) => result.then(() => stage.nowMs() - sinceMs)));
        await stage.pass(1_001);
        await areIn(followers, 'timed_out');
        // Elsewhere its age is known by two clocks and a journey; from its beginning it would be 800.
        expect(Math.min(...(await endedAfterMs))).toBeGreaterThanOrEqual(900);
        leader.landed();
      });

      it('begins anew when another leads, but ends at its bound', async () => {
        const leader = await lead(here, 'a');
        const [first] = (await followInTurn('a', [here])) as [Follower];
        const patience: FlightPatience = { sinceSentMs: 1_000, maxMs: 10_000 };
        const endsMs = ({ result }: Follower): Promise<number> => result.then(() => stage.nowMs());
        const patient = [here, there].map((port) => follow(port, 'a', patience));
        const bounded = [here, there].map((port) => follow(port, 'a', { ...patience, maxMs: 1_050 }));
        const allEndMs = Promise.all([...bounded, ...patient].map(endsMs));
        await stage.pass(300);
        const failedMs = stage.nowMs();
        leader.failed();
        await stage.until('another leads', () => first.state === 'promoted');
        await stage.pass(1_001);
        await areIn([...bounded, ...patient], 'timed_out');
        const [hereMs = 0, thereMs = 0, ...patientMs] = await allEndMs;
        expect(Math.min(...patientMs)).toBeGreaterThanOrEqual(failedMs + 900);
        expect(Math.max(hereMs, thereMs)).toBeLessThanOrEqual(Math.min(...patientMs));
        leadOf(await first.result).landed();
      });

      it('ends at once when the caller leaves, and does not begin when it has left', async () => {
        const leader = await lead(here, 'a');
        const caller = createCaller();
        const followers = [follow(here, 'a', LONG, caller.signal), follow(there, 'a', LONG, caller.signal)];
        await areIn(followers, 'waiting');
        caller.leave();
        followers.push(follow(here, 'a', LONG, AbortSignal.abort()));
        await areIn(followers, 'abandoned');
        leader.landed();
      });

      it('leaves no listener on the signal of a caller that stays', async () => {
        const leader = await lead(here, 'a');
        const caller = createCaller();
        const followers = [follow(here, 'a', LONG, caller.signal), follow(there, 'a', LONG, caller.signal)];
        const hasty = follow(here, 'a', { sinceSentMs: 5, maxMs: 5 }, caller.signal);
        await stage.pass(6);
        await areIn([hasty], 'timed_out');
        leader.landed();
        await areIn(followers, 'landed');
        expect(caller.listeners).toBe(0);
      });
    });
  });
}
