import { beforeEach, describe, expect, it } from 'vitest';
import type { SlotCount } from '../../src/state/slots.ts';
import type { CapacityAsk, UpstreamCapacity } from '../../src/state/upstream-capacity.ts';
import { askCapacity, failed, tokensLeft, type AskedCapacity } from './asked-capacity.ts';
import { createCaller, PATIENT_MS, STAYS } from './caller.ts';
import { useStages, type ContractStage, type MakeStage } from './stage.ts';

/** Timers of real clocks fire up to so much early. */
const TIMER_GRAIN_MS = 2;
/** Longer than those take who ask meanwhile, on however busy a machine. */
const LIMITED_MS = 1_500;

/** The promises of `UpstreamCapacity` at one replica: what may be on its way, how much, and whose turn it is. */
export function capacityContract(name: string, makeStage: MakeStage<UpstreamCapacity>): void {
  describe(name, () => {
    const make = useStages(makeStage);
    let stage: ContractStage<UpstreamCapacity>;
    let here: UpstreamCapacity;
    beforeEach(async () => {
      stage = await make();
      [here] = stage.ports;
      await setCeiling(1);
    });

    const load = async (upstream: string): Promise<Pick<SlotCount, 'inUse' | 'waiting'>> =>
      stage.standing ? stage.standing(upstream) : here.load(upstream);
    const setCeiling = async (ceiling: number, upstream = 'main'): Promise<void> => {
      here.setCeiling(upstream, ceiling);
      await stage.remains('the ceiling is known', () => here.counts().has(upstream));
    };
    const ask = (part: Partial<CapacityAsk> = {}, signal = STAYS, upstream = 'main'): AskedCapacity => {
      const full = {
        tenant: 'acme',
        weight: 1,
        modelClass: 'opus-4',
        inputTokens: 100,
        maxWaitMs: PATIENT_MS,
        ...part,
      };
      return askCapacity(here, upstream, full, signal);
    };
    const areIn = (all: readonly AskedCapacity[], states: readonly string[]): Promise<void> =>
      stage.until(`they are ${states.join(', ')}`, () => all.every(({ state }, index) => state === states[index]));
    const remainIn = (all: readonly AskedCapacity[], states: readonly string[]): Promise<void> =>
      stage.remains(`they are ${states.join(', ')}`, () => all.every(({ state }, index) => state === states[index]));
    const line = async (asks: readonly Partial<CapacityAsk>[]): Promise<AskedCapacity[]> => {
      const all: AskedCapacity[] = [];
      for (const one of asks) {
        all.push(ask(one));
        await stage.remains(`${all.length} have come`, async () => {
          const { inUse, waiting } = await load('main');
          return inUse + waiting === all.length;
        });
      }
      return all;
    };
    const areWaiting = (count: number): Promise<void> =>
      stage.until(`${count} wait`, async () => (await load('main')).waiting === count);
    const isIdle = (upstream = 'main'): Promise<void> =>
      stage.until('nobody is in and nobody waits', async () => {
        const { inUse, waiting } = await load(upstream);
        return inUse === 0 && waiting === 0;
      });
    const releaseInTurn = async (all: readonly AskedCapacity[]): Promise<void> => {
      for (const one of all) {
        await areIn([one], ['granted']);
        one.release();
      }
      await isIdle();
    };

    describe('a lease', () => {
      it('is granted at once where there is room, and else when one is given back', async () => {
        const all = await line([{}, {}]);
        const sinceMs = stage.nowMs();
        await stage.pass(60);
        await areIn(all, ['granted', 'waiting']);
        const heldForMs = stage.nowMs() - sinceMs;
        all[0]?.release();
        await areIn(all, ['granted', 'granted']);
        const waitedMs = await Promise.all(
          all.map(({ grant }) => grant.then((one) => 'waitedMs' in one && one.waitedMs)),
        );
        expect(waitedMs[1]).toBeGreaterThanOrEqual(heldForMs - TIMER_GRAIN_MS);
        expect(waitedMs[0]).toBeLessThan(waitedMs[1] || 0);
        all[1]?.release();
        await isIdle();
      });

      it('is given back once, however often that is said', async () => {
        const all = await line([{}, {}, {}]);
        for (let time = 0; time < 3; time++) all[0]?.release();
        await remainIn(all, ['granted', 'granted', 'waiting']);
        await releaseInTurn(all.slice(1));
      });

      it('of one upstream is none of another', async () => {
        await setCeiling(1, 'spare');
        const all = [ask(), ask({}, STAYS, 'spare')];
        await areIn(all, ['granted', 'granted']);
        for (const upstream of ['main', 'spare']) expect(await load(upstream)).toMatchObject({ inUse: 1, waiting: 0 });
        await releaseInTurn(all);
        await isIdle('spare');
      });

      it('is held by never more at once than the ceiling says, and by everyone in the end, when 60 ask', async () => {
        await setCeiling(4);
        let inside = 0;
        const counts: number[] = [];
        const hold = async (index: number): Promise<string> => {
          const asked = ask({ tenant: `t${index % 5}`, maxWaitMs: PATIENT_MS });
          const { kind } = await asked.grant;
          counts.push(++inside);
          await stage.pass(0);
          inside--;
          asked.release();
          return kind;
        };
        const kinds = await Promise.all(Array.from({ length: 60 }, (_, index) => hold(index)));
        expect(kinds).toEqual(Array(60).fill('granted'));
        expect(Math.max(...counts)).toBeLessThanOrEqual(4);
        await isIdle();
      });
    });

    it('a turn comes within one tenant in the order of asking', async () => {
      const all = await line([{}, {}, {}, {}]);
      all[0]?.release();
      await remainIn(all, ['granted', 'granted', 'waiting', 'waiting']);
      all[1]?.release();
      await remainIn(all, ['granted', 'granted', 'granted', 'waiting']);
      await releaseInTurn(all.slice(2));
    });

    describe('waiting', () => {
      it('ends at its deadline and not before', async () => {
        const [holder] = (await line([{}])) as [AskedCapacity];
        const sinceMs = stage.nowMs();
        const late = ask({ maxWaitMs: 80 });
        const endedAfterMs = late.grant.then(() => stage.nowMs() - sinceMs);
        await stage.pass(81);
        await areIn([late], ['timed_out']);
        expect(await endedAfterMs).toBeGreaterThanOrEqual(80 - TIMER_GRAIN_MS);
        holder.release();
        await isIdle();
      });

      it('does not begin where there is no patience', async () => {
        const holder = ask();
        await areIn([holder], ['granted']);
        await areIn([ask({ maxWaitMs: 0 }), ask({ maxWaitMs: -5 })], ['timed_out', 'timed_out']);
        await releaseInTurn([holder]);
      });

      it('ends at once when the caller leaves, and does not begin when it has left', async () => {
        const caller = createCaller();
        const [holder] = (await line([{}])) as [AskedCapacity];
        const gone = ask({}, caller.signal);
        await areWaiting(1);
        const next = ask();
        await areWaiting(2);
        caller.leave();
        await areIn([gone, ask({}, caller.signal)], ['abandoned', 'abandoned']);
        await areWaiting(1);
        holder.release();
        await releaseInTurn([next]);
      });

      it('leaves no listener on the signal of a caller that stays', async () => {
        const caller = createCaller();
        const all = [ask({}, caller.signal), ask({}, caller.signal), ask({ maxWaitMs: 5 }, caller.signal)];
        await stage.pass(6);
        await areIn(all, ['granted', 'waiting', 'timed_out']);
        all[0]?.release();
        await areIn(all, ['granted', 'granted', 'timed_out']);
        expect(caller.listeners).toBe(0);
        await releaseInTurn(all.slice(1, 2));
      });

      it('can be given up by 500 callers in any order, and the one that stays is served', async () => {
        const [holder] = (await line([{}])) as [AskedCapacity];
        const callers = Array.from({ length: 501 }, () => createCaller());
        const all = callers.map(({ signal }, index) => ask({ tenant: `t${index % 7}` }, signal));
        await areWaiting(501);
        for (const [index, caller] of [...callers.entries()].toReversed()) if (index !== 250) caller.leave();
        await areWaiting(1);
        holder.release();
        await stage.until('the one that stayed is in', () => all[250]?.state === 'granted');
        expect(all.filter(({ state }) => state === 'abandoned').length).toBe(500);
        await releaseInTurn(all.slice(250, 251));
      });

      it.each(['before', 'after'] as const)('that ends just %s its turn comes loses no lease', async (order) => {
        for (let round = 0; round < 20; round++) {
          const caller = createCaller();
          const holder = ask();
          await areIn([holder], ['granted']);
          const waiter = ask({}, caller.signal);
          await areWaiting(1);
          if (order === 'before') caller.leave();
          holder.release();
          if (order === 'after') caller.leave();
          await stage.until('the waiter has its answer', () => waiter.state !== 'waiting');
          expect(['granted', 'abandoned']).toContain(waiter.state);
          waiter.release();
          await isIdle();
        }
      });
    });

    describe('the tokens an upstream has left', () => {
      beforeEach(() => setCeiling(100));

      it('hold a request of their class until there are enough, and no request of another', async () => {
        const first = ask();
        await areIn([first], ['granted']);
        first.head(tokensLeft(0));
        await isHeard();
        const all = [ask({ inputTokens: 3_000 }), ask({ modelClass: 'haiku-5-5' })];
        await remainIn(all, ['waiting', 'granted']);
        await stage.pass(310);
        await releaseInTurn([first, ...all]);
      });

      it('let those behind go when the one they wait for gives up', async () => {
        const caller = createCaller();
        const first = ask();
        await areIn([first], ['granted']);
        first.head(tokensLeft(50_000));
        await isHeard();
        const [big, small] = [ask({ inputTokens: 590_000 }, caller.signal), ask({ tenant: 'other', inputTokens: 10 })];
        await remainIn([big, small], ['waiting', 'waiting']);
        caller.leave();
        await areIn([big, small], ['abandoned', 'granted']);
        await releaseInTurn([first, small]);
      });

      const isHeard = (): Promise<void> => stage.remains('the head has been told', () => true);
    });

    describe('a 429', () => {
      beforeEach(() => setCeiling(100));

      it('refuses those at once whom it makes wait too long, and lets the others wait', async () => {
        const limited = ask();
        await areIn([limited], ['granted']);
        limited.release(failed('rate_limited', LIMITED_MS));
        await isIdle();
        const [patient, hasty] = [ask(), ask({ maxWaitMs: 50 })];
        await remainIn([patient, hasty], ['waiting', 'full']);
        const grant = await hasty.grant;
        expect('retryAfterMs' in grant && grant.retryAfterMs).toBeGreaterThan(50);
        expect('retryAfterMs' in grant && grant.retryAfterMs).toBeLessThanOrEqual(LIMITED_MS);
        await stage.pass(LIMITED_MS);
        await releaseInTurn([patient]);
      });

      it('about money, or an upstream that is overloaded, makes nobody wait', async () => {
        for (const kind of ['spend_limit', 'overloaded', 'acceleration'] as const) {
          const asked = ask();
          await areIn([asked], ['granted']);
          asked.release(failed(kind, 9_000));
          await isIdle();
        }
        const next = ask({ maxWaitMs: 0 });
        await areIn([next], ['granted']);
        await releaseInTurn([next]);
      });
    });

    it('a refusal says when to ask again: later for a tenant with a long line of its own than for one without', async () => {
      const afterOf = async (asked: AskedCapacity): Promise<number> => {
        const grant = await asked.grant;
        return 'retryAfterMs' in grant ? grant.retryAfterMs : Number.NaN;
      };
      const all = await line(Array.from({ length: 12 }, () => ({ tenant: 'greedy' })));
      const greedyMs = await afterOf(ask({ tenant: 'greedy', maxWaitMs: 0 }));
      const modestMs = await afterOf(ask({ tenant: 'modest', maxWaitMs: 0 }));
      expect(modestMs).toBeGreaterThan(0);
      expect(greedyMs).toBeGreaterThan(modestMs);
      await releaseInTurn(all);
    });
  });
}
