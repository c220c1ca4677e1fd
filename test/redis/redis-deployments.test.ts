import { beforeAll, describe, expect, it } from 'vitest';
import type { RedisEngine } from '../../src/redis/redis-engine.ts';
import type { Place } from '../../src/core/choose-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { hasRedisServer } from '../support/redis-server.ts';
import { DEADLINE_MS, rulesOf, STAYS, take, useRedisReplicas } from './engines-under-test.ts';

const PREFIX = 'a prefix that is cold';
const PLACE: Place = { upstreamId: 'main', cacheDomain: 'workspace-main', holds: true };
const ORIGIN = { family: 1, tenant: 'acme' };
const SESSION = 4_503_599_627_370_449;

/** Everything that the engine does in Redis, once. */
async function exercise(one: RedisEngine, other: RedisEngine): Promise<void> {
  const holder = await take(one, rulesOf(1));
  const next = take(other, rulesOf(1));
  await eventually('one waits', DEADLINE_MS, () => other.slots.counts().get('acme')?.waiting === 1);
  holder.release();
  (await next).release();
  one.capacity.setCeiling('main', 4);
  one.ledger.book('acme', 0, 1);
  one.places.remember(SESSION, PLACE, 'acme');
  const asked = { wanted: [PREFIX], written: [{ prefix: PREFIX, ttl: '5m' as const }] };
  const join = await one.flights.of(ORIGIN).join(asked);
  expect(join.kind).toBe('lead');
  expect(await other.flights.of(ORIGIN).join(asked)).toEqual({ kind: 'follow', prefix: PREFIX });
  if (join.kind === 'lead') join.lead.landed();
  await eventually('the other knows what was booked', DEADLINE_MS, async () => {
    return (await other.ledger.spentUsd('acme', 0)) === 1;
  });
  await eventually('the other knows the place', DEADLINE_MS, () => other.places.find(SESSION) !== null);
  expect(other.places.find(SESSION)).toEqual(PLACE);
  const areWell = (): boolean => [one, other].every((engine) => engine.health().kind === 'ok');
  await eventually('both are well, however busy the machine is', DEADLINE_MS, areWell);
}

describe.runIf(hasRedisServer)('a Redis that is shared with others', () => {
  const replicas = useRedisReplicas(['--databases', '4', '--rdbcompression', 'no']);

  it('is used in the database of the URL alone, and under the prefix of the settings', async () => {
    const options = { url: `${replicas.server.url}/3`, keyPrefix: 'staging:' };
    const [one, other] = [await replicas.start(options), await replicas.start(options)];
    await exercise(one, other);
    expect(await replicas.server.redis.keys('*')).toEqual([]);
    const own = replicas.server.redis.duplicate({ db: 3, lazyConnect: false });
    const keys = await own.keys('*');
    own.disconnect();
    expect(keys.length).toBeGreaterThan(4);
    expect(keys.filter((key) => !key.startsWith('staging:'))).toEqual([]);
  });

  it('of two settings with different prefixes each has its own slots', async () => {
    const [one, other] = [await replicas.start({ keyPrefix: 'a:' }), await replicas.start({ keyPrefix: 'b:' })];
    const leases = [await take(one, rulesOf(1)), await take(other, rulesOf(1))];
    for (const lease of leases) lease.release();
  });

  it('holds neither a prefix nor the key of a session, but hashes that only who has the key can make', async () => {
    const [one, other] = [await replicas.start(), await replicas.start()];
    await exercise(one, other);
    const { redis } = replicas.server;
    const texts: string[] = [];
    for (const key of await redis.keys('*')) texts.push(key, await redis.dump(key));
    const places = await redis.xrange('slipstream:{r}:places', '-', '+');
    const all = [...texts, JSON.stringify(places)].join('\n');
    expect(all).toContain('workspace-main');
    for (const secret of [PREFIX, String(SESSION)]) expect(all).not.toContain(secret);
  });

  it('leaves nothing of a replica that closes but what others need', async () => {
    const [one, other] = [await replicas.start(), await replicas.start()];
    await exercise(one, other);
    await Promise.all([one.close(), other.close()]);
    const keys = await replicas.server.redis.keys('*');
    const parts = keys.map((key) => key.replace(/^.*?\}:/, '').replace(/:.*/, ''));
    expect(parts).not.toContain('replicas');
    expect(parts).not.toContain('shares');
    expect(parts).not.toContain('line');
  });
});

describe.runIf(hasRedisServer)('a Redis with a password', () => {
  const replicas = useRedisReplicas();
  const withPassword = (password: string): string => replicas.server.url.replace('//', `//:${password}@`);
  beforeAll(() => replicas.server.redis.config('SET', 'requirepass', 'open sesame'));

  it('is used with the one in the URL', async () => {
    const url = withPassword('open%20sesame');
    await exercise(await replicas.start({ url }), await replicas.start({ url }));
  });

  it('is done without where it is wrong, and the reason does not tell it', async () => {
    const engine = replicas.open({ url: withPassword('wrong') });
    await engine.started;
    (await take(engine, rulesOf(1))).release();
    expect(await engine.slots.acquire('acme', rulesOf(1), STAYS)).toMatchObject({ kind: 'granted' });
    expect(engine.health()).toEqual({ kind: 'degraded', because: 'Redis refuses the password' });
  });
});
