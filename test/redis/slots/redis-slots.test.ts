import { afterEach, describe, expect, it } from 'vitest';
import type { RedisEngine } from '../../../src/redis/redis-engine.ts';
import type { Lease } from '../../../src/state/slots.ts';
import { eventually, within } from '../../support/eventually.ts';
import { hasRedisServer } from '../../support/redis-server.ts';
import {
  createStoppableClock,
  DEADLINE_MS,
  registered,
  rulesOf,
  startSlotLoad,
  STAYS,
  take,
  useRedisReplicas,
} from '../engines-under-test.ts';

const WAITS_MS = 10_000;

describe.runIf(hasRedisServer)('slots of replicas', () => {
  const replicas = useRedisReplicas();
  const leases: Lease[] = [];
  afterEach(() => {
    for (const lease of leases.splice(0)) lease.release();
  });
  const takes = async (engine: RedisEngine, limit: number): Promise<Lease> => {
    const lease = await take(engine, rulesOf(limit));
    leases.push(lease);
    return lease;
  };
  const waiting = (count: number): Promise<void> =>
    eventually(`${count} wait`, DEADLINE_MS, async () => {
      return (await replicas.server.redis.zcard('slipstream:{t:acme}:line')) === count;
    });

  it('go to whoever has waited longest, at whichever replica', async () => {
    const [one, other] = [await replicas.start(), await replicas.start()];
    const holder = await takes(one, 1);
    const order: string[] = [];
    const asks = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) => ({ name, engine: index % 2 ? one : other }));
    const served: Promise<void>[] = [];
    for (const [index, { name, engine }] of asks.entries()) {
      served.push(
        take(engine, rulesOf(1)).then((lease) => {
          order.push(name);
          lease.release();
        }),
      );
      await waiting(index + 1);
    }
    holder.release();
    await within('all are served', WAITS_MS, Promise.all(served));
    expect(order.join('')).toBe('abcdef');
  });

  it('are waited for by as many as the rules say, all replicas together', async () => {
    const [one, other] = [await replicas.start(), await replicas.start()];
    await takes(one, 1);
    const caller = new AbortController();
    const rules = rulesOf(1, { maxWaiters: 3 });
    const all = [one, other, one].map(({ slots }) => slots.acquire('acme', rules, caller.signal));
    await waiting(3);
    expect(await other.slots.acquire('acme', rules, STAYS)).toEqual({ kind: 'full', retryAfterMs: 4 * 5_000 });
    caller.abort();
    expect(await Promise.all(all)).toEqual([1, 2, 3].map(() => ({ kind: 'abandoned' })));
    await waiting(0);
  });

  it('are served although the message that says so is lost', async () => {
    const [one, other] = [await replicas.start(), await replicas.start()];
    const holder = await takes(one, 1);
    const next = take(other, rulesOf(1));
    await waiting(1);
    // Redis forgets its listeners; in the same breath the slot is given back.
    const forgotten = replicas.server.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    holder.release();
    await forgotten;
    (await within('the next is served', WAITS_MS, next)).release();
  });

  it('are kept for as long as they are used, well beyond the life of a lease', async () => {
    const [one, other] = [await replicas.start({ leaseMs: 3_000 }), await replicas.start()];
    await takes(one, 1);
    const endsAtMs = async (): Promise<number> =>
      Number((await replicas.server.redis.zrange('slipstream:{t:acme}:leases', '0', '0', 'WITHSCORES'))[1]);
    const firstEndMs = await endsAtMs();
    await eventually('it lasts another lease', DEADLINE_MS, async () => (await endsAtMs()) > firstEndMs + 2_500);
    expect(await other.slots.acquire('acme', rulesOf(1, { maxWaiters: 0 }), STAYS)).toMatchObject({ kind: 'full' });
  });

  it('of a replica that has stopped are free when their leases end', async () => {
    const clock = createStoppableClock();
    const [one, other] = [await replicas.start({ clock }), await replicas.start()];
    await takes(one, 2);
    await takes(one, 2);
    clock.stop();
    await within('they are free after a lease', WAITS_MS, takes(other, 2));
  });

  it('are not given in turn to those who waited at a replica that has stopped', async () => {
    const clock = createStoppableClock();
    const [one, other] = [await replicas.start({ clock }), await replicas.start()];
    const holder = await takes(other, 1);
    for (let count = 0; count < 20; count++) void one.slots.acquire('acme', rulesOf(1, { maxWaitMs: 1e6 }), STAYS);
    await waiting(20);
    clock.stop();
    await waiting(0);
    holder.release();
    await within('the living one is served', WAITS_MS, takes(other, 1));
  });

  it('are never more than the limit while two replicas and twenty callers contend for them, and none is left', async () => {
    const [one, other] = [await replicas.start(), await replicas.start()];
    const load = startSlotLoad([one, other], rulesOf(5), { callers: 10, holdMs: 3 });
    await eventually('500 have been granted', DEADLINE_MS, () => load.granted >= 500);
    await load.end();
    expect(load.peak()).toBe(5);
    expect(load.refusals).toEqual([]);
    await eventually('none is registered', DEADLINE_MS, async () => (await registered(replicas.server)) === 0);
  });

  it('follow a limit that changes while others wait at another replica', async () => {
    const [one, other] = [await replicas.start(), await replicas.start()];
    await takes(one, 1);
    const next = take(other, rulesOf(1));
    await waiting(1);
    other.slots.setLimit('acme', 2);
    (await within('there is a slot more', WAITS_MS, next)).release();
  });
});
