import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RedisEngine } from '../../src/redis/redis-engine.ts';
import { eventually, within } from '../support/eventually.ts';
import { hasRedisServer } from '../support/redis-server.ts';
import {
  DEADLINE_MS,
  knowEachOther,
  registered,
  rulesOf,
  startSlotLoad,
  STAYS,
  take,
  useRedisReplicas,
  type SlotLoad,
} from './engines-under-test.ts';

const LIMIT = 8;

describe.runIf(hasRedisServer)('when Redis fails', () => {
  const replicas = useRedisReplicas([], { slowMs: 400 });
  let one: RedisEngine;
  let other: RedisEngine;
  beforeEach(async () => {
    [one, other] = [await replicas.start(), await replicas.start()];
    await knowEachOther(replicas.server, 2);
  });
  const grantedMore = (load: SlotLoad, more: number): Promise<void> => {
    const from = load.granted;
    return eventually(`${more} more slots are granted`, DEADLINE_MS, () => load.granted >= from + more);
  };

  describe('under load', () => {
    let load: SlotLoad;
    beforeEach(async () => {
      load = startSlotLoad([one, other], rulesOf(LIMIT), { callers: 12, holdMs: 40 });
      await grantedMore(load, 50);
    });
    afterEach(async () => {
      await load.end();
      expect(load.refusals).toEqual([]);
    });

    it('by being killed, each replica goes on with its share of the limit, and says so', async () => {
      expect(load.peak()).toBe(LIMIT);
      await replicas.server.kill();
      await replicas.areDegraded(one, other);
      expect(one.health()).toEqual({ kind: 'degraded', because: 'Redis is unreachable' });
      await grantedMore(load, 30); // what ran at that moment has ended
      load.peak();
      await grantedMore(load, 60);
      expect(load.peak()).toBe(LIMIT);
      await replicas.server.start();
      await replicas.areWell(one, other);
    });

    it('and comes back empty, the limit holds at every moment until all rely on it again', async () => {
      await replicas.server.kill();
      await grantedMore(load, 40);
      load.peak();
      await replicas.server.start();
      await replicas.areWell(one, other);
      await grantedMore(load, 100);
      expect(load.peak()).toBe(LIMIT);
    });

    it('by not answering, requests go on, and what it does late is put right', async () => {
      replicas.server.pause();
      await replicas.areDegraded(one, other);
      expect(one.health()).toEqual({ kind: 'degraded', because: 'Redis answers too slowly' });
      await grantedMore(load, 40);
      load.peak();
      replicas.server.resume();
      await replicas.areWell(one, other);
      await grantedMore(load, 100);
      expect(load.peak()).toBe(LIMIT);
      await load.end();
      await eventually(
        'nothing is registered any more',
        DEADLINE_MS,
        async () => (await registered(replicas.server)) === 0,
      );
    });
  });

  it.each([
    ['is full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    ['is a replica that takes no writes', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
  ])(
    'because it %s, requests are served, and it is used again when that is over',
    async (what, [fail, ...how], [mend, ...back]) => {
      await replicas.server.redis.call(fail as string, ...how);
      const leases = await Promise.all([take(one, rulesOf(LIMIT)), take(other, rulesOf(LIMIT))]);
      await replicas.areDegraded(one, other);
      await eventually('it says why', DEADLINE_MS, () => JSON.stringify(one.health()).includes(`Redis ${what}`));
      await replicas.server.redis.call(mend as string, ...back);
      await replicas.areWell(one, other);
      expect(await registered(replicas.server)).toBe(2);
      for (const lease of leases) lease.release();
    },
  );

  it('leases from before, and those given without it, are registered when it is back, and no others', async () => {
    const before = await Promise.all([
      take(one, rulesOf(LIMIT)),
      take(one, rulesOf(LIMIT)),
      take(other, rulesOf(LIMIT)),
    ]);
    await replicas.server.kill();
    await replicas.areDegraded(one, other);
    before[0]?.release();
    const during = await take(other, rulesOf(LIMIT));
    await replicas.server.start();
    await replicas.areWell(one, other);
    await eventually('three are held', DEADLINE_MS, async () => (await registered(replicas.server)) === 3);
    for (const lease of [...before, during]) lease.release();
    await eventually('none is held', DEADLINE_MS, async () => (await registered(replicas.server)) === 0);
  });

  it('who waits is served from the share, in the order of asking', async () => {
    const rules = rulesOf(2);
    const holders = [await take(one, rules), await take(one, rules)];
    const order: number[] = [];
    const waiting = [1, 2].map(async (place) => {
      const lease = await take(one, rules);
      order.push(place);
      return lease;
    });
    await eventually('two wait', DEADLINE_MS, () => one.slots.counts().get('acme')?.waiting === 2);
    replicas.server.pause();
    await replicas.areDegraded(one, other);
    holders[0]?.release();
    holders[1]?.release();
    const first = await within('the first is served', DEADLINE_MS, waiting[0] as Promise<{ release(): void }>);
    expect(order).toEqual([1]); // the share of two replicas in a limit of two is one
    first.release();
    (await within('the second is served', DEADLINE_MS, waiting[1] as Promise<{ release(): void }>)).release();
  });

  it('as many may wait at each replica as its share of the line', async () => {
    await replicas.server.kill();
    await replicas.areDegraded(one);
    const rules = rulesOf(2, { maxWaiters: 4 });
    const caller = new AbortController();
    const all = Array.from({ length: 4 }, () => one.slots.acquire('acme', rules, caller.signal));
    expect(await all[3]).toMatchObject({ kind: 'full' });
    caller.abort();
    expect(await Promise.all(all)).toMatchObject([
      { kind: 'granted' },
      { kind: 'abandoned' },
      { kind: 'abandoned' },
      {},
    ]);
    const granted = await all[0];
    if (granted?.kind === 'granted') granted.lease.release();
    expect(one.slots.counts().size).toBe(0);
    await replicas.server.start();
  });

  it('what is booked meanwhile is known to all when it is back, and what was booked before is not lost', async () => {
    one.ledger.book('acme', 0, 1);
    await eventually('the other knows', DEADLINE_MS, async () => (await other.ledger.spentUsd('acme', 0)) === 1);
    await replicas.server.kill();
    await replicas.areDegraded(one, other);
    one.ledger.book('acme', 0, 2);
    expect(await one.ledger.spentUsd('acme', 0)).toBe(3);
    expect(await other.ledger.spentUsd('acme', 0)).toBe(1);
    await replicas.server.start();
    await replicas.areWell(one, other);
    await eventually('the other knows', DEADLINE_MS, async () => (await other.ledger.spentUsd('acme', 0)) === 3);
  });

  it("an upstream's ceiling is divided by the replicas that were there", async () => {
    one.capacity.setCeiling('main', 10);
    await eventually('it is known to be alone there', DEADLINE_MS, () => one.capacity.load('main').limit === 10);
    await replicas.server.kill();
    await replicas.areDegraded(one);
    expect(one.capacity.load('main').limit).toBe(5);
    await replicas.server.start();
    await replicas.areWell(one);
    await eventually('it has all again', DEADLINE_MS, () => one.capacity.load('main').limit === 10);
  });

  it('from the start, a replica works with the whole limit, and joins when Redis is there', async () => {
    await replicas.server.kill();
    const late = replicas.open();
    await within('it starts all the same', DEADLINE_MS, late.started);
    expect(late.health()).toMatchObject({ kind: 'degraded' });
    const leases = [await take(late, rulesOf(2)), await take(late, rulesOf(2))];
    expect(await late.slots.acquire('acme', rulesOf(2, { maxWaiters: 0 }), STAYS)).toMatchObject({ kind: 'full' });
    await replicas.server.start();
    await replicas.areWell(late);
    await eventually('its leases are registered', DEADLINE_MS, async () => (await registered(replicas.server)) === 2);
    for (const lease of leases) lease.release();
  });
});
