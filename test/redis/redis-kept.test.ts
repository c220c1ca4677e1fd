import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { hasRedisServer } from '../support/redis-server.ts';
import { DEADLINE_MS, registered, rulesOf, STAYS, take, useRedisReplicas } from './engines-under-test.ts';

const dir = mkdtempSync(join(tmpdir(), 'slipstream-redis-'));
afterAll(() => rmSync(dir, { recursive: true }));

const NEWEST = { limit: 9, from: null };

/**
 * A Redis that keeps its data on a disk, as deploy/redis/redis.conf has it, and is killed and started again. What nobody
 * could tell it again is there; what was true only before is neither counted twice nor held for ever.
 */
describe.runIf(hasRedisServer)('a Redis that comes back with its data', () => {
  const replicas = useRedisReplicas(['--appendonly', 'yes', '--appendfsync', 'everysec', '--dir', dir]);
  const restart = async (): Promise<void> => {
    await replicas.server.kill();
    await replicas.server.start();
  };

  it('knows whose batches and files are that a replica has made which is gone', async () => {
    const gone = await replicas.start();
    for (const id of ['f1', 'f2']) await gone.ownership.claim('acme', 'files', { id, upstreamId: 'main' });
    await gone.ownership.claim('acme', 'batches', { id: 'b1', upstreamId: 'second' });
    await gone.close();
    await restart();
    const { ownership } = await replicas.start();
    expect(await ownership.find('acme', 'batches', 'b1')).toEqual({ kind: 'owned', upstreamId: 'second' });
    expect(await ownership.list('acme', 'files', NEWEST)).toMatchObject({ objects: [{ id: 'f2' }, { id: 'f1' }] });
    expect(await ownership.find('globex', 'files', 'f1')).toEqual({ kind: 'not_owned' });
  });

  it('has what was spent once: neither lost with who has spent it, nor told twice by who is there', async () => {
    const [gone, stays] = [await replicas.start(), await replicas.start()];
    for (const { ledger } of [gone, stays]) ledger.book('acme', 0, 1);
    await eventually('both have booked', DEADLINE_MS, async () => (await gone.ledger.spentUsd('acme', 0)) === 2);
    await gone.close();
    await restart();
    await replicas.areDegraded(stays);
    await replicas.areWell(stays);
    const later = await replicas.start();
    expect(await later.ledger.spentUsd('acme', 0)).toBe(2);
  });

  it('holds a slot for who still has it, and no longer', async () => {
    const [holder, other] = [await replicas.start(), await replicas.start()];
    const lease = await take(holder, rulesOf(1));
    await restart();
    await replicas.areDegraded(holder, other);
    await replicas.areWell(holder, other);
    const refused = await other.slots.acquire('acme', rulesOf(1, { maxWaitMs: 300 }), STAYS);
    expect(refused.kind).toBe('timed_out');
    lease.release();
    (await take(other, rulesOf(1))).release();
    await eventually('nobody holds a slot', DEADLINE_MS, async () => (await registered(replicas.server)) === 0);
  });

  it('frees the slot of a replica that died meanwhile when its lease ends', async () => {
    const dead = await replicas.start();
    await take(dead, rulesOf(1));
    await replicas.server.kill();
    await replicas.areDegraded(dead);
    await dead.close();
    await replicas.server.start();
    expect(await registered(replicas.server)).toBe(1);
    (await take(await replicas.start(), rulesOf(1))).release();
  });
});
