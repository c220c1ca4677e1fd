import { afterEach, describe, expect, it } from 'vitest';
import { SLOW_MS } from '../../src/redis/connection/redis-health.ts';
import { eventually, within } from '../support/eventually.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { hasRedisServer } from '../support/redis-server.ts';
import {
  DEADLINE_MS,
  follows,
  joins,
  lead,
  leadOf,
  resultsOf,
  SHORT_LEASE_MS,
  useReplicas,
  type Replica,
} from './flights-under-test.ts';

/** Redis is silent, dead or empty: what each replica does by itself, and how it comes back. */
describe.skipIf(!hasRedisServer)('flights while Redis fails', () => {
  const replicas = useReplicas();
  /** A starved machine is no slow Redis. */
  const impatient = { slowMs: 400 };
  const two = async () => [await replicas.start(impatient), await replicas.start(impatient)] as const;
  afterEach(() => replicas.server.resume());
  /** A busy machine is slow, too: far above what is promised, far below any wait that a failure could cause. */
  const AT_ONCE_MS = 5_000;

  const isAlone = async (replica: Replica): Promise<void> => {
    expect((await within('the first leads', AT_ONCE_MS, joins(replica, 'new'))).kind).toBe('lead');
    const others = await Promise.all([follows(replica, 'new'), follows(replica, 'new')]);
    expect(others.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
    expect(replica.health.isWell()).toBe(false);
  };

  it.each(['silent', 'dead'])(
    'are each replica’s own when it is %s: one leads on each, and no request fails',
    async (what) => {
      const [here, there] = await two();
      if (what === 'silent') replicas.server.pause();
      else await replicas.server.kill();
      await isAlone(here);
      await isAlone(there);
      if (what === 'dead') await replicas.server.start();
    },
  );

  it('hold up the first request that meets a silent Redis by little, and the next not at all', async () => {
    const here = await replicas.start({ slowMs: SLOW_MS });
    replicas.server.pause();
    const sinceMs = performance.now();
    await joins(here, 'a');
    const firstMs = performance.now() - sinceMs;
    for (let at = 0; at < 100; at++) await joins(here, `b${at}`);
    const restMs = performance.now() - sinceMs - firstMs;
    console.log(
      `a silent Redis held up one request by ${firstMs.toFixed(0)} ms, the next 100 by ${restMs.toFixed(1)} ms`,
    );
    expect(firstMs).toBeGreaterThan(45); // it was given a chance
  });

  it('land for followers here though nobody can be told elsewhere, and who follows there goes on by itself', async () => {
    const [here, there] = await two();
    const leader = await lead(here, 'a');
    const near = await follows(here, 'a');
    const far = [await follows(there, 'a', { sinceSentMs: 300 }), await follows(there, 'a', { maxMs: 200 })];
    replicas.server.pause();
    leader.landed();
    expect((await within('it lands here', AT_ONCE_MS, near.result)).kind).toBe('landed');
    expect(await within('they go on', AT_ONCE_MS, resultsOf(far))).toEqual(['timed_out', 'timed_out']);
  });

  it('are handed over here by a leader that fails', async () => {
    const here = await replicas.start(impatient);
    const leader = await lead(here, 'a');
    const followers = [await follows(here, 'a'), await follows(here, 'a')];
    await replicas.server.kill();
    leader.failed();
    leadOf(await within('one leads', AT_ONCE_MS, followers[0]!.result)).landed();
    expect((await within('the other lands', AT_ONCE_MS, followers[1]!.result)).kind).toBe('landed');
    await replicas.server.start();
  });

  it('that were under way here are followed by those who come after it has failed', async () => {
    const here = await replicas.start(impatient);
    const leader = await lead(here, 'a');
    replicas.server.pause();
    const late = await follows(here, 'a');
    leader.landed();
    expect((await within('it lands', AT_ONCE_MS, late.result)).kind).toBe('landed');
  });

  it('are shared again when it is back, though it has forgotten everything', async () => {
    const [here, there] = await two();
    const leader = await lead(here, 'a');
    await replicas.server.kill();
    await joins(here, 'b');
    expect(here.health.isWell()).toBe(false);
    await replicas.server.start();
    await Promise.all([here.beat(), there.beat()]);
    await eventually('it is known again who leads', DEADLINE_MS, async () => {
      const joined = await there.flights.join({ wanted: ['a'], written: [] });
      return joined.kind === 'follow';
    });
    const follower = await follows(there, 'a');
    leader.landed();
    expect((await within('it lands there', DEADLINE_MS, follower.result)).kind).toBe('landed');
  });

  it('are led no second time when it has forgotten them: not by followers here, not by who comes', async () => {
    const [here, there] = [await replicas.start(impatient), await replicas.start(impatient)];
    const leader = await lead(here, 'a');
    const near = await follows(here, 'a');
    await replicas.server.kill();
    await replicas.server.start();
    here.health.report(new Error('it is gone'));
    await Promise.all([here.beat(), there.beat()]);
    const sinceMs = performance.now();
    const far = await follows(there, 'a');
    await follows(here, 'a');
    await eventually('all have looked', DEADLINE_MS, () => performance.now() - sinceMs > 300);
    expect([near.state, far.state]).toEqual(['waiting', 'waiting']);
    leader.landed();
    expect(await within('they land', DEADLINE_MS, resultsOf([near, far]))).toEqual(['landed', 'landed']);
  });

  it('are not taken over by followers of the same replica when Redis has lost them unnoticed', async () => {
    const here = await replicas.start(impatient);
    const leader = await lead(here, 'a');
    const near = await follows(here, 'a');
    await replicas.server.redis.flushall();
    const sinceMs = performance.now();
    await eventually('it has looked', DEADLINE_MS, () => performance.now() - sinceMs > 300);
    expect(near.state).toBe('waiting');
    leader.landed();
    expect((await near.result).kind).toBe('landed');
  });

  it('are each replica’s own when it is full', async () => {
    const here = await replicas.start(impatient);
    await replicas.server.redis.config('SET', 'maxmemory', '1');
    await isAlone(here);
    expect(here.health.state()).toEqual({ kind: 'degraded', because: 'Redis is full' });
    await replicas.server.redis.config('SET', 'maxmemory', '0');
  });

  it('that were taken over, because this replica stood still for longer than its lease, are followed here as well', async () => {
    const still = createFakeClock();
    const [here, there] = [
      await replicas.start({ clock: still, leaseMs: SHORT_LEASE_MS }),
      await replicas.start({ ...impatient, leaseMs: SHORT_LEASE_MS }),
    ];
    const leader = await lead(here, 'a');
    const near = await follows(here, 'a');
    const far = await follows(there, 'a');
    expect((await within('it is taken over', DEADLINE_MS, far.result)).kind).toBe('promoted');
    const askedAndAnswered = async (): Promise<void> => {
      await here.redis.ping();
      await still.advance(0);
    };
    await still.advance(SHORT_LEASE_MS / 3); // this replica goes on, and learns of it when it renews
    await askedAndAnswered();
    leader.failed();
    await still.advance(25);
    await askedAndAnswered();
    expect(near.state).toBe('waiting');
    leadOf(await far.result).landed();
    await eventually('it lands here', DEADLINE_MS, async () => {
      await still.advance(40);
      await here.redis.ping();
      return near.state === 'landed';
    });
  });

  it.each(['landed', 'failed'] as const)('that %s while it was not well are told when it is again', async (end) => {
    const [here, there] = [await replicas.start(impatient), await replicas.start(impatient)];
    const leader = await lead(here, 'a');
    const far = await follows(there, 'a');
    here.health.report(new Error('for a moment'));
    leader[end]();
    await here.beat();
    expect((await within('it is told', DEADLINE_MS, far.result)).kind).toBe(end === 'landed' ? 'landed' : 'promoted');
  });

  it('give a lead back that was granted too late', async () => {
    const here = await replicas.start(impatient);
    const there = await replicas.start(impatient);
    replicas.server.pause();
    leadOf(await joins(here, 'a')).landed();
    replicas.server.resume();
    // On the one connection answers come in order: by the first the lead was granted, by the second it was given back.
    for (let count = 0; count < 2; count++) await here.redis.ping();
    await there.beat();
    await eventually('nobody leads', DEADLINE_MS, async () => {
      return (await there.flights.join({ wanted: ['a'], written: [] })).kind === 'none';
    });
    expect((await joins(there, 'a')).kind).toBe('lead');
  });
});
