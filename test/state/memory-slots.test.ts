import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemorySlots } from '../../src/state/memory-slots.ts';
import type { Lease, SlotGrant, SlotRules, Slots } from '../../src/state/slots.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

/** What is certain of the memory engine alone; what every engine promises is in test/contract. */
const NEVER = new AbortController().signal;
const NAME = 'acme';

let clock: FakeClock;
let slots: Slots;
beforeEach(() => {
  clock = createFakeClock();
  slots = createMemorySlots(clock);
});
afterEach(() => {
  expect(clock.pending).toBe(0); // a timer that outlives its waiter holds its request in memory
});

function rulesOf(limit: number, rules: Partial<SlotRules> = {}): SlotRules {
  return { limit, maxWaiters: 10, maxWaitMs: 1_000, ...rules };
}

/** One request for a slot and what has become of it so far. */
interface Asked {
  readonly grant: Promise<SlotGrant>;
  state: SlotGrant['kind'] | 'waiting';
  release(): Promise<void>;
}

function ask(rules: SlotRules, signal: AbortSignal = NEVER, name = NAME): Asked {
  let lease: Lease | null = null;
  const asked: Asked = {
    grant: slots.acquire(name, rules, signal),
    state: 'waiting',
    async release() {
      lease?.release();
      await settled();
    },
  };
  void asked.grant.then((grant) => {
    asked.state = grant.kind;
    if (grant.kind === 'granted') lease = grant.lease;
  });
  return asked;
}

const settled = (): Promise<void> => clock.advance(0);
const statesOf = (all: readonly Asked[]): string[] => all.map(({ state }) => state);

describe('slots in memory', () => {
  it('go to the next in line in the very tick in which one is given back, not to whoever asks in that tick', async () => {
    const rules = rulesOf(1);
    const [first, second] = [ask(rules), ask(rules)];
    await settled();
    void first.release();
    const third = ask(rules);
    expect(slots.counts().get(NAME)).toEqual({ inUse: 1, waiting: 1, limit: 1 });
    await settled();
    expect(statesOf([second, third])).toEqual(['granted', 'waiting']);
    await second.release();
    await third.release();
  });

  it('can be given back and taken again any number of times within one tick', async () => {
    const rules = rulesOf(3, { maxWaiters: 0 });
    for (let round = 0; round < 1_000; round++) {
      const grants = await Promise.all([1, 2, 3].map(() => slots.acquire(NAME, rules, NEVER)));
      for (const grant of grants) {
        expect(grant.kind).toBe('granted');
        if (grant.kind === 'granted') grant.lease.release();
      }
    }
    expect(slots.counts().size).toBe(0);
  });
});

describe('waiting for a slot in memory', () => {
  it('ends at its deadline, for each waiter at its own', async () => {
    const rules = rulesOf(1);
    const holder = ask(rules);
    const first = ask(rules);
    await clock.advance(300);
    const second = ask({ ...rules, maxWaitMs: 200 });
    await clock.advance(199);
    expect(statesOf([first, second])).toEqual(['waiting', 'waiting']);
    await clock.advance(1);
    expect(statesOf([first, second])).toEqual(['waiting', 'timed_out']);
    await clock.advance(500);
    expect(statesOf([first, second])).toEqual(['timed_out', 'timed_out']);
    expect(slots.counts().get(NAME)).toEqual({ inUse: 1, waiting: 0, limit: 1 });
    await holder.release();
  });

  it('can be given up by 20,000 callers in any order, and the rest keep theirs', async () => {
    const rules = rulesOf(1, { maxWaiters: 50_000 });
    const holder = ask(rules);
    const callers = Array.from({ length: 20_001 }, () => new AbortController());
    const all = callers.map(({ signal }) => ask(rules, signal));
    const stays = 10_000;
    await settled();
    for (const [index, caller] of [...callers.entries()].toReversed()) if (index !== stays) caller.abort();
    expect(slots.counts().get(NAME)?.waiting).toBe(1);
    await holder.release();
    expect(all[stays]?.state).toBe('granted');
    expect(all.filter(({ state }) => state === 'abandoned').length).toBe(20_000);
    await all[stays]?.release();
  });
});

describe('the estimate of when to ask again', () => {
  const retryAfterMs = async (asked: Asked): Promise<number> => {
    const grant = await asked.grant;
    return 'retryAfterMs' in grant ? grant.retryAfterMs : Number.NaN;
  };

  it('is 5 s a place and slot until something is known', async () => {
    const rules = rulesOf(2, { maxWaiters: 1 });
    const all = [1, 2, 3].map(() => ask(rules));
    expect(await retryAfterMs(ask(rules))).toBe(((1 + 1) * 5_000) / 2);
    for (const one of all) await one.release();
  });

  it('follows how long slots are held', async () => {
    const rules = rulesOf(1, { maxWaiters: 1, maxWaitMs: 1e9 });
    let holder = ask(rules);
    for (let round = 0; round < 40; round++) {
      const next = ask(rules);
      await clock.advance(60_000);
      await holder.release();
      holder = next;
    }
    const last = ask(rules);
    expect((await retryAfterMs(ask(rules))) / 120_000).toBeCloseTo(1, 2);
    await holder.release();
    await last.release();
  });

  it('counts those who wait, for one who has waited too long', async () => {
    const rules = rulesOf(1, { maxWaitMs: 100 });
    const holder = ask(rules);
    const [first, second] = [ask(rules), ask(rules)];
    await clock.advance(100);
    expect([await retryAfterMs(first), await retryAfterMs(second)]).toEqual([15_000, 10_000]);
    await holder.release();
  });
});
