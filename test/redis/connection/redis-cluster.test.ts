import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newsChannel } from '../../../src/redis/flights/flight-store.ts';
import type { RedisEngine } from '../../../src/redis/redis-engine.ts';
import { eventually } from '../../support/eventually.ts';
import { hasRedisServer, type RedisServer } from '../../support/redis-server.ts';
import {
  knowEachOther,
  rulesOf,
  SIGNED_IN,
  startSlotLoad,
  STAYS,
  take,
  useRedisReplicas,
  type SlotLoad,
} from '../engines-under-test.ts';
import { startRedisCluster, type RedisClusterServer } from '../redis-cluster-server.ts';

const LIMIT = 8;
const LEASES = 'slipstream:{t:acme}:leases';
/** To be found dead by the others, voted for, and learned of, on a busy machine. */
const DEADLINE_MS = 15_000;

/** What a Redis Cluster does that one server does not; that the engine keeps its promises there is its contract's matter. */
describe.runIf(hasRedisServer)('a Redis Cluster', () => {
  const replicas = useRedisReplicas();
  let cluster: RedisClusterServer;
  beforeAll(async () => {
    cluster = await startRedisCluster(3, 'with replicas');
  });
  afterAll(() => cluster.close());

  const start = (): Promise<RedisEngine> => replicas.start({ url: cluster.url });
  const areWell = (...engines: readonly RedisEngine[]): Promise<void> =>
    eventually('all are well', DEADLINE_MS, () => engines.every((one) => one.health().kind === 'ok'));
  const grantedMore = (load: SlotLoad, more: number): Promise<void> => {
    const from = load.granted;
    return eventually(`${more} more slots are granted`, DEADLINE_MS, () => load.granted >= from + more);
  };
  const underLoad = async (work: (load: SlotLoad, engines: readonly RedisEngine[]) => Promise<void>): Promise<void> => {
    const engines = [await start(), await start()];
    await knowEachOther(await cluster.nodeOf(SIGNED_IN), engines.length);
    const load = startSlotLoad(engines, rulesOf(LIMIT), { callers: 12, holdMs: 40 });
    await grantedMore(load, 50);
    await work(load, engines);
    await areWell(...engines);
    load.peak();
    await grantedMore(load, 100);
    expect(load.peak()).toBeLessThanOrEqual(LIMIT);
    await load.end();
    expect(load.refusals).toEqual([]);
    const registered = async (): Promise<number> => (await cluster.nodeOf(LEASES)).redis.zcard(LEASES);
    await eventually('nothing is registered any more', DEADLINE_MS, async () => (await registered()) === 0);
  };
  const listeners = async (nodes: readonly RedisServer[]): Promise<number> => {
    const counts = await Promise.all(nodes.map(({ redis }) => redis.pubsub('NUMSUB', newsChannel('slipstream:'))));
    return counts.reduce<number>((sum, [, count]) => sum + Number(count), 0);
  };

  it('has tenants, and families of prefixes, on every master', async () => {
    const engine = await start();
    for (let at = 0; at < 40; at++) {
      await take(engine, rulesOf(1), `tenant-${at}`);
      const written = [{ prefix: 'a', ttl: '5m' as const }, { prefix: 'ab', ttl: '5m' as const }]; // prettier-ignore
      const joined = await engine.flights.of({ family: at, tenant: 'acme' }).join({ wanted: ['a', 'ab'], written });
      expect(joined.kind).toBe('lead');
    }
    for (const { redis } of cluster.masters) {
      expect((await redis.keys('slipstream:{t:*')).length).toBeGreaterThan(5);
      expect((await redis.keys('slipstream:{f:*')).length).toBeGreaterThan(10);
    }
    expect(engine.health()).toEqual({ kind: 'ok' });
  });

  it('lets one in by the login of the URL and the rights of users.acl, at every node', async () => {
    const nodes = [...cluster.masters, ...cluster.replicas];
    const acl = readFileSync(new URL('../../../deploy/redis/users.acl', import.meta.url), 'utf8');
    const [rules = ''] = /(?<=^user slipstream ).*/m.exec(acl) ?? [];
    for (const { redis } of nodes) await redis.call('ACL', 'SETUSER', 'slipstream', ...rules.split(' '));
    for (const { redis } of nodes) await redis.call('ACL', 'LOG', 'RESET');
    const engine = await replicas.start({ url: cluster.url.replace('//', '//slipstream:change-me@') });
    for (let at = 0; at < 20; at++) (await take(engine, rulesOf(1), `tenant-${at}`)).release();
    await eventually('it listens', DEADLINE_MS, async () => (await listeners(nodes)) === 1);
    expect(engine.health()).toEqual({ kind: 'ok' });
    const logs = await Promise.all(nodes.map(({ redis }) => redis.call('ACL', 'LOG')));
    expect(logs).toEqual(nodes.map(() => []));
    const users = await Promise.all(cluster.masters.map(({ redis }) => redis.client('LIST')));
    for (const text of users) expect(text).toContain('user=slipstream');
  });

  it('may move the keys of a tenant to another master while they are used', () =>
    underLoad(async (load) => {
      const from = await cluster.nodeOf(LEASES);
      const to = cluster.masters.find((node) => node !== from) as RedisServer;
      await moveSlot(LEASES, from, to);
      await grantedMore(load, 100);
      expect(await cluster.nodeOf(LEASES)).toBe(to);
    }));

  it('of which a master is killed is done without until its replica has taken over, and no request fails', () =>
    underLoad(async (load, engines) => {
      const master = await cluster.nodeOf(LEASES);
      await master.kill();
      await replicas.areDegraded(...engines);
      await grantedMore(load, 30); // what ran at that moment has ended
      load.peak();
      await areWell(...engines);
      expect(load.peak()).toBeLessThanOrEqual(LIMIT);
      const others = [...cluster.masters, ...cluster.replicas].filter((node) => node !== master);
      await eventually('both listen at a node that lives', DEADLINE_MS, async () => (await listeners(others)) === 2);
      await master.start();
    }));

  it('of which one master is full is done without until that one takes writes again, without relying on it meanwhile', async () => {
    const told: string[] = [];
    const engine = await replicas.start({ url: cluster.url, onHealth: ({ kind }) => told.push(kind) });
    const signedInAt = await cluster.nodeOf(SIGNED_IN);
    const tenants = Array.from({ length: 20 }, (_, at) => `tenant-${at}`);
    const nodes = await Promise.all(tenants.map((tenant) => cluster.nodeOf(`slipstream:{t:${tenant}}:leases`)));
    const elsewhere = nodes.findIndex((node) => node !== signedInAt);
    const full = nodes[elsewhere] as RedisServer;
    await full.redis.config('SET', 'maxmemory', '1');
    await take(engine, rulesOf(LIMIT), tenants[elsewhere]);
    await replicas.areDegraded(engine);
    expect(engine.health()).toEqual({ kind: 'degraded', because: 'Redis is full' });
    for (let probe = 0; probe < 4; probe++) {
      const [, before] = await signedInAt.redis.zrange(SIGNED_IN, '-1', '-1', 'WITHSCORES');
      await eventually('it has asked again', DEADLINE_MS, async () => {
        return (await signedInAt.redis.zrange(SIGNED_IN, '-1', '-1', 'WITHSCORES'))[1] !== before;
      });
    }
    expect(told).toEqual(['ok', 'degraded']);
    await full.redis.config('SET', 'maxmemory', '0');
    await areWell(engine);
  });

  it('of which a master is silent is done without, and no request waits for it', async () => {
    const engine = await start();
    (await take(engine, rulesOf(LIMIT))).release();
    const master = await cluster.nodeOf(LEASES);
    master.pause();
    (await take(engine, rulesOf(LIMIT))).release();
    await replicas.areDegraded(engine);
    expect(await engine.slots.acquire('acme', rulesOf(LIMIT), STAYS)).toMatchObject({ kind: 'granted' });
    master.resume();
    await areWell(engine);
  });
});

describe.runIf(hasRedisServer)('a Redis Cluster without replicas', () => {
  const replicas = useRedisReplicas();

  it('that loses a master is done without until it is back, empty', async () => {
    const cluster = await startRedisCluster();
    const engine = await replicas.start({ url: cluster.url });
    const lease = await take(engine, rulesOf(1));
    const master = await cluster.nodeOf(LEASES);
    await master.kill();
    await replicas.areDegraded(engine);
    const elsewhere = await take(engine, rulesOf(1), 'another');
    await master.start();
    await eventually('it is used again', DEADLINE_MS, () => engine.health().kind === 'ok');
    await eventually('it knows the lease', DEADLINE_MS, async () => (await master.redis.zcard(LEASES)) === 1);
    elsewhere.release();
    lease.release();
    await engine.close();
    await cluster.close();
  });
});

async function moveSlot(key: string, from: RedisServer, to: RedisServer): Promise<void> {
  const slot = Number(await from.redis.call('CLUSTER', 'KEYSLOT', key));
  const [fromId, toId] = [await from.redis.call('CLUSTER', 'MYID'), await to.redis.call('CLUSTER', 'MYID')].map(String);
  await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId ?? '');
  await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId ?? '');
  await eventually('every key has moved', DEADLINE_MS, async () => {
    const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
    if (keys.length > 0) await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, 1_000, 'KEYS', ...keys);
    return keys.length === 0;
  });
  for (const { redis } of [to, from]) await redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId ?? '');
}
