import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemorySlots } from '../../src/state/memory-slots.ts';
import type { Lease, SlotGrant, SlotRules, Slots } from '../../src/state/slots.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

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

describe('slots', () => {
  it('are given out up to the limit, and then in the order of asking', async () => {
    const rules = rulesOf(2);
    const all = [1, 2, 3, 4, 5].map(() => ask(rules));
    await settled();
    expect(statesOf(all)).toEqual(['granted', 'granted', 'waiting', 'waiting', 'waiting']);
    await all[1]?.release();
    expect(statesOf(all)).toEqual(['granted', 'granted', 'granted', 'waiting', 'waiting']);
    await all[0]?.release();
    await all[2]?.release();
    expect(statesOf(all)).toEqual(Array(5).fill('granted'));
    for (const one of all) await one.release();
  });

  it('say how long was waited for them', async () => {
    const rules = rulesOf(1);
    const [first, second] = [ask(rules), ask(rules)];
    await clock.advance(400);
    await first.release();
    expect(await first.grant).toMatchObject({ waitedMs: 0 });
    expect(await second.grant).toMatchObject({ waitedMs: 400 });
    await second.release();
  });

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

  it('are returned once, however often a lease is released', async () => {
    const rules = rulesOf(1);
    const all = [1, 2, 3].map(() => ask(rules));
    await settled();
    for (let time = 0; time < 3; time++) await all[0]?.release();
    expect(statesOf(all)).toEqual(['granted', 'granted', 'waiting']);
    await all[1]?.release();
    await all[2]?.release();
  });

  it('of one name are not those of another', async () => {
    const rules = rulesOf(1, { maxWaiters: 0 });
    const [one, other, full] = [ask(rules, NEVER, 'a'), ask(rules, NEVER, 'b'), ask(rules, NEVER, 'a')];
    await settled();
    expect(statesOf([one, other, full])).toEqual(['granted', 'granted', 'full']);
    expect([...slots.counts().keys()]).toEqual(['a', 'b']);
    await one.release();
    await other.release();
  });

  it('leave no trace of a name that is idle', async () => {
    const rules = rulesOf(1);
    const leaves = new AbortController();
    const [first, second] = [ask(rules), ask(rules, leaves.signal)];
    await settled();
    expect(slots.counts().get(NAME)).toEqual({ inUse: 1, waiting: 1, limit: 1 });
    leaves.abort();
    await first.release();
    expect(statesOf([first, second])).toEqual(['granted', 'abandoned']);
    expect(slots.counts().size).toBe(0);
  });
});

describe('waiting for a slot', () => {
  it('is refused to those beyond the bound', async () => {
    const rules = rulesOf(1, { maxWaiters: 2 });
    const all = [1, 2, 3, 4].map(() => ask(rules));
    await settled();
    expect(statesOf(all)).toEqual(['granted', 'waiting', 'waiting', 'full']);
    for (const one of all) await one.release();
  });

  it('is refused to everyone where nobody may wait', async () => {
    const rules = rulesOf(1, { maxWaiters: 0 });
    const all = [ask(rules), ask(rules)];
    await settled();
    expect(statesOf(all)).toEqual(['granted', 'full']);
    await all[0]?.release();
  });

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

  it('ends at once when the caller leaves, and those behind move up', async () => {
    const rules = rulesOf(1);
    const leaves = new AbortController();
    const [holder, gone, next] = [ask(rules), ask(rules, leaves.signal), ask(rules)];
    await settled();
    leaves.abort();
    expect(slots.counts().get(NAME)?.waiting).toBe(1);
    await holder.release();
    expect(statesOf([gone, next])).toEqual(['abandoned', 'granted']);
    await next.release();
  });

  it('does not begin for a caller that has left already', async () => {
    const asked = ask(rulesOf(1), AbortSignal.abort());
    await settled();
    expect(asked.state).toBe('abandoned');
    expect(slots.counts().size).toBe(0);
  });

  it('leaves no listener on the signal of a caller that stays', async () => {
    const caller = new AbortController();
    const rules = rulesOf(1);
    const [first, second] = [ask(rules, caller.signal), ask(rules, caller.signal)];
    const late = ask({ ...rules, maxWaitMs: 5 }, caller.signal);
    await clock.advance(5);
    await first.release();
    expect(statesOf([second, late])).toEqual(['granted', 'timed_out']);
    expect(getEventListeners(caller.signal, 'abort').length).toBe(0);
    await second.release();
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

describe('a limit that changes', () => {
  it('serves at once as many more as it has risen by, in their order', async () => {
    const all = [1, 2, 3, 4].map(() => ask(rulesOf(1)));
    await settled();
    slots.setLimit(NAME, 3);
    await settled();
    expect(statesOf(all)).toEqual(['granted', 'granted', 'granted', 'waiting']);
    expect(slots.counts().get(NAME)).toEqual({ inUse: 3, waiting: 1, limit: 3 });
    for (const one of all) await one.release();
  });

  it('serves those in line before the one whose asking brings it', async () => {
    const all = [1, 2].map(() => ask(rulesOf(1)));
    all.push(ask(rulesOf(2)));
    await settled();
    expect(statesOf(all)).toEqual(['granted', 'granted', 'waiting']);
    for (const one of all) await one.release();
  });

  it('takes nothing away when it falls, and lets nobody in until fewer run', async () => {
    const all = [1, 2, 3, 4].map(() => ask(rulesOf(3)));
    await settled();
    slots.setLimit(NAME, 1);
    await all[0]?.release();
    await all[1]?.release();
    expect(statesOf(all)).toEqual(['granted', 'granted', 'granted', 'waiting']);
    expect(slots.counts().get(NAME)).toEqual({ inUse: 1, waiting: 1, limit: 1 });
    await all[2]?.release();
    expect(all[3]?.state).toBe('granted');
    await all[3]?.release();
  });

  it('is the newest one: a lease of the old one does not bring the old one back', async () => {
    const held = [1, 2, 3].map(() => ask(rulesOf(3)));
    const waiting = [1, 2].map(() => ask(rulesOf(1)));
    await settled();
    await held[0]?.release();
    expect(slots.counts().get(NAME)).toEqual({ inUse: 2, waiting: 2, limit: 1 });
    for (const one of held) await one.release();
    expect(statesOf(waiting)).toEqual(['granted', 'waiting']);
    for (const one of waiting) await one.release();
  });

  it('of a name that is idle leaves no trace', () => {
    slots.setLimit(NAME, 5);
    expect(slots.counts().size).toBe(0);
  });

  it('of one name is not that of another', async () => {
    const all = ['a', 'a', 'b', 'b'].map((name) => ask(rulesOf(1), NEVER, name));
    await settled();
    slots.setLimit('b', 2);
    await settled();
    expect(statesOf(all)).toEqual(['granted', 'waiting', 'granted', 'granted']);
    for (const one of all) await one.release();
  });
});
