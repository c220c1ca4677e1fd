import { beforeEach, describe, expect, it } from 'vitest';
import type { RedisClient } from '../../../src/redis/connection/redis-connections.ts';
import type { RedisEngine } from '../../../src/redis/redis-engine.ts';
import { createRedisOwnership } from '../../../src/redis/ownership/redis-ownership.ts';
import type { Ownership } from '../../../src/state/ownership.ts';
import { eventually } from '../../support/eventually.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { hasRedisServer } from '../../support/redis-server.ts';
import { DEADLINE_MS, useRedisReplicas } from '../engines-under-test.ts';

const FILES = 'slipstream:{t:acme}:owned:files';
const BATCHES = 'slipstream:{t:acme}:owned:batches';
const DAY_MS = 24 * 3_600_000;
const NEWEST = { limit: 9, from: null };

/** What the contract does not say of ownership in Redis: what becomes of it when Redis fails, and how long it is there. */
describe.runIf(hasRedisServer)('ownership in Redis', () => {
  const replicas = useRedisReplicas();
  let one: RedisEngine;
  let other: RedisEngine;
  beforeEach(async () => {
    [one, other] = [await replicas.start(), await replicas.start()];
  });
  const owns = async ({ ownership }: { readonly ownership: Ownership }, id: string): Promise<string> =>
    (await ownership.find('acme', 'files', id)).kind;
  const isOwned = (engine: RedisEngine, id: string): Promise<void> =>
    eventually(`${id} is acme's`, DEADLINE_MS, async () => (await owns(engine, id)) === 'owned');

  it('while Redis is away is known where it was claimed, and unknown, not denied, elsewhere', async () => {
    await one.ownership.claim('acme', 'files', { id: 'f1', upstreamId: 'main' });
    await replicas.server.kill();
    await replicas.areDegraded(one, other);
    expect(await one.ownership.find('acme', 'files', 'f1')).toEqual({ kind: 'owned', upstreamId: 'main' });
    expect(await owns(other, 'f1')).toBe('unreachable');
    expect(await other.ownership.list('acme', 'files', NEWEST)).toEqual({ kind: 'unreachable' });
  });

  it('is told to a Redis that comes back empty, also what was claimed meanwhile', async () => {
    await one.ownership.claim('acme', 'files', { id: 'f1', upstreamId: 'main' });
    await replicas.server.kill();
    await replicas.areDegraded(one, other);
    await one.ownership.claim('acme', 'files', { id: 'f2', upstreamId: 'main' });
    expect(await owns(one, 'f2')).toBe('owned');
    await replicas.server.start();
    await replicas.areWell(one, other);
    await isOwned(other, 'f1');
    await isOwned(other, 'f2');
  });

  it('of files is kept without end, and of batches for 29 days after the last', async () => {
    await one.ownership.claim('acme', 'files', { id: 'f1', upstreamId: 'main' });
    await one.ownership.claim('acme', 'batches', { id: 'b1', upstreamId: 'main' });
    const { redis } = replicas.server;
    const lives = await Promise.all(
      [FILES, `${FILES}:order`, BATCHES, `${BATCHES}:order`].map((key) => redis.pttl(key)),
    );
    expect(lives.slice(0, 2)).toEqual([-1, -1]);
    for (const lifeMs of lives.slice(2)) expect(lifeMs).toBeGreaterThan(29 * DAY_MS - 60_000);
  });

  it('is in the order of the claims when the clock of Redis has gone back', async () => {
    const { redis } = replicas.server;
    await one.ownership.claim('acme', 'files', { id: 'f1', upstreamId: 'main' });
    await redis.zadd(`${FILES}:order`, String((Date.now() + 3_600_000) * 1_000), 'f1');
    for (const id of ['f2', 'f3']) await one.ownership.claim('acme', 'files', { id, upstreamId: 'main' });
    expect(await other.ownership.list('acme', 'files', NEWEST)).toMatchObject({
      objects: [{ id: 'f3' }, { id: 'f2' }, { id: 'f1' }],
    });
  });

  it('of a batch runs out 29 days after it was claimed, whatever was claimed since', async () => {
    const { redis } = replicas.server;
    const batch = (id: string): Promise<void> => one.ownership.claim('acme', 'batches', { id, upstreamId: 'main' });
    await batch('b1');
    await redis.zadd(`${BATCHES}:order`, String((Date.now() - 29 * DAY_MS) * 1_000), 'b1');
    expect(await other.ownership.find('acme', 'batches', 'b1')).toEqual({ kind: 'not_owned' });
    expect(await other.ownership.list('acme', 'batches', NEWEST)).toMatchObject({ objects: [] });
    await batch('b2');
    expect(await redis.hkeys(BATCHES)).toEqual(['b2']);
    expect(await redis.zcard(`${BATCHES}:order`)).toBe(1);
  });
});

/** A question that nobody else can answer waits for Redis to be well again, which others must not. */
describe('a question about ownership', () => {
  it('waits for a Redis that hiccups, and is answered', async () => {
    const { clock, ownership, redis } = ownershipOnScript();
    redis.isWell = false;
    const found = ownership.find('acme', 'files', 'f1');
    await clock.advance(1_000);
    redis.isWell = true;
    await clock.advance(100);
    expect(await found).toEqual({ kind: 'owned', upstreamId: 'main' });
  });

  it('waits two seconds, and leaves no timer', async () => {
    const { clock, ownership, redis } = ownershipOnScript();
    redis.isWell = false;
    const found = ownership.find('acme', 'files', 'f1');
    const listed = ownership.list('acme', 'files', NEWEST);
    await clock.advance(2_000);
    expect([await found, await listed]).toEqual([{ kind: 'unreachable' }, { kind: 'unreachable' }]);
    expect(clock.pending).toBe(0);
  });

  it('about what this process has claimed and forgotten is no longer its to answer', async () => {
    const { clock, ownership, redis } = ownershipOnScript();
    await ownership.claim('acme', 'files', { id: 'f1', upstreamId: 'main' });
    await ownership.forget('acme', 'files', 'f1');
    redis.isWell = false;
    const found = ownership.find('acme', 'files', 'f1');
    await clock.advance(2_000);
    expect(await found).toEqual({ kind: 'unreachable' });
  });

  it('about what this process has claimed waits for nobody', async () => {
    const { ownership, redis } = ownershipOnScript();
    redis.isWell = false;
    await ownership.claim('acme', 'files', { id: 'f1', upstreamId: 'main' });
    expect(await ownership.find('acme', 'files', 'f1')).toEqual({ kind: 'owned', upstreamId: 'main' });
  });
});

/** A Redis that answers every script with the same. */
function ownershipOnScript() {
  const clock = createFakeClock();
  const redis = { isWell: true };
  const scripts: Record<string, unknown> = {};
  const client = Object.assign(scripts, {
    defineCommand: (name: string) => void (scripts[name] = async () => 'main'),
  }) as unknown as RedisClient;
  const ownership = createRedisOwnership({
    redis: client,
    clock,
    ask: async (command) => ({ kind: 'answered', reply: await command }),
    isWell: () => redis.isWell,
    keyPrefix: 'slipstream:',
  });
  return { clock, ownership, redis };
}
