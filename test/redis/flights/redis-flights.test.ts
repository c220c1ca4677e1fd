import { describe, expect, it } from 'vitest';
import { createFlightNames, keyOfName } from '../../../src/redis/flights/flight-names.ts';
import { eventually, within } from '../../support/eventually.ts';
import { hasRedisServer } from '../../support/redis-server.ts';
import {
  DEADLINE_MS,
  follows,
  joins,
  KEY_PREFIX,
  lead,
  leadOf,
  ORIGIN,
  resultsOf,
  SHORT_LEASE_MS,
  STAYS,
  useReplicas,
  writes,
  type Follower,
} from '../flights-under-test.ts';

const PATIENT = { sinceSentMs: 60_000, maxMs: 60_000 };
/** Redis counts whole milliseconds, and timers begin a little early. */
const TIMER_GRAIN_MS = 2;

/** Flights of two replicas on a real Redis: what the contract of the port cannot say of an engine in general. */
describe.skipIf(!hasRedisServer)('flights of two replicas', () => {
  const replicas = useReplicas();
  const two = async () => [await replicas.start(), await replicas.start()] as const;
  const waitFor = (label: string, isSo: () => boolean | Promise<boolean>): Promise<void> =>
    eventually(label, DEADLINE_MS, isSo);

  it('are led once: of 64 that come at once over both, 63 follow and land with the one', async () => {
    const [here, there] = await two();
    const all = await Promise.all(Array.from({ length: 64 }, (_, at) => joins(at % 2 ? here : there, 'a', 'ab')));
    const leaders = all.filter(({ kind }) => kind === 'lead');
    expect([leaders.length, all.filter(({ kind }) => kind === 'follow').length]).toEqual([1, 63]);
    const followers = await Promise.all(Array.from({ length: 63 }, (_, at) => follows(at % 2 ? here : there, 'ab')));
    leadOf(leaders[0]!).landed();
    expect(await within('they land', DEADLINE_MS, resultsOf(followers))).toEqual(Array(63).fill('landed'));
  });

  it('tell a replica that comes later what it need not write, and since when that can be read', async () => {
    const [here, there] = await two();
    const leader = await lead(here, 'a', 'ab');
    leader.sent();
    leader.landed();
    await waitFor('it can be read', async () => (await joins(there, 'a', 'ab')).kind === 'readable');
    const later = await replicas.start();
    const joined = await joins(later, 'a', 'ab', 'abc');
    expect(joined).toMatchObject({ kind: 'readable', prefixes: [{ prefix: 'a', ttl: '5m' }, { prefix: 'ab' }] });
    expect((await joins(later, 'abc')).kind).toBe('lead');
  });

  it('take what was written for 5 minutes as news for nobody who would write it for an hour', async () => {
    const [here, there] = await two();
    (await lead(here, 'a')).landed();
    const forAnHour = { wanted: ['a'], written: [{ prefix: 'a', ttl: '1h' as const }] };
    await waitFor('it can be read', async () => (await joins(there, 'a')).kind === 'readable');
    leadOf(await there.flights.join(forAnHour)).landed();
    await waitFor('it can be read for an hour', async () => (await here.flights.join(forAnHour)).kind === 'readable');
  });

  it('are told to a replica once: what it means to write all the same has been dropped by the API, and is led', async () => {
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, wallMs: () => nowMs, after: () => () => {} };
    const here = await replicas.start();
    const there = await replicas.start({ clock });
    (await lead(here, 'a')).landed();
    await waitFor('it is told', async () => (await joins(there, 'a')).kind === 'readable');
    expect((await joins(there, 'a')).kind).toBe('readable'); // planned before the first had told the planner
    nowMs = 1_001;
    leadOf(await joins(there, 'a')).landed();
    await waitFor('the new entry is told to others', async () => (await joins(here, 'a')).kind === 'readable');
  });

  it('can be read for as long as the entry lives, from when the request was sent, and not longer', async () => {
    const [here, there] = await two();
    const leader = await lead(here, 'a');
    leader.landed();
    await waitFor('it can be read', async () => (await joins(there, 'a')).kind === 'readable');
    const [key = ''] = await replicas.server.redis.keys(`${KEY_PREFIX}{f:*}:r:*`);
    const leftMs = await replicas.server.redis.pttl(key);
    expect(leftMs).toBeGreaterThan(290_000);
    expect(leftMs).toBeLessThanOrEqual(300_000);
    await replicas.server.redis.pexpire(key, 1);
    await waitFor('it has expired', async () => (await replicas.server.redis.exists(key)) === 0);
    expect((await joins(there, 'a')).kind).toBe('lead');
  });

  it('live from when the request was sent, however long after that its answer began', async () => {
    const clock = { nowMs: () => nowMs, wallMs: () => nowMs, after: () => () => {} };
    let nowMs = 0;
    const [here, there] = [await replicas.start({ clock }), await replicas.start()];
    const leader = await lead(here, 'a');
    leader.sent();
    nowMs = 100_000;
    leader.landed();
    let ageMs = 0;
    await waitFor('it can be read', async () => {
      const joined = await joins(there, 'a');
      ageMs = joined.kind === 'readable' ? (joined.prefixes[0]?.ageMs ?? 0) : 0;
      return joined.kind === 'readable';
    });
    expect(ageMs).toBeGreaterThanOrEqual(100_000);
    const [key = ''] = await replicas.server.redis.keys(`${KEY_PREFIX}{f:*}:r:*`);
    expect(await replicas.server.redis.pttl(key)).toBeLessThanOrEqual(200_000);
  });

  describe('whose leader fails', () => {
    it('are led by whoever waited longest there, for whichever of its prefixes', async () => {
      const [here, there] = await two();
      const leader = await lead(here, 'a', 'ab');
      const first = await follows(there, 'ab');
      const second = await follows(there, 'a');
      leader.failed();
      expect((await within('the first leads', DEADLINE_MS, first.result)).kind).toBe('promoted');
      expect(second.state).toBe('waiting');
    });

    it('are taken over but for what somebody else writes by then', async () => {
      const [here, there] = await two();
      const leader = await lead(here, 'a', 'ab');
      const follower = await follows(there, 'ab');
      await replicas.server.redis.del(keyOfName(KEY_PREFIX, 'w', createFlightNames('key')(ORIGIN.family)('ab')));
      leadOf(await within('it is taken over', DEADLINE_MS, follower.result)).landed();
      const third = await replicas.start();
      expect((await joins(third, 'ab')).kind).toBe('readable');
      expect((await joins(third, 'a')).kind).toBe('follow');
      leader.failed();
    });

    it('are led by exactly one follower, though there are some on both replicas', async () => {
      const [here, there] = await two();
      const elsewhere = await replicas.start();
      const leader = await lead(elsewhere, 'a', 'ab');
      const followers: Follower[] = [];
      for (let at = 0; at < 16; at++) followers.push(await follows(at % 2 ? here : there, 'ab'));
      leader.failed();
      const promoted = (): Follower[] => followers.filter(({ state }) => state === 'promoted');
      await waitFor('one is promoted', () => promoted().length > 0);
      expect((await joins(elsewhere, 'a', 'ab')).kind).toBe('follow'); // behind every look that the failure caused
      expect([promoted().length, followers.filter(({ state }) => state === 'waiting').length]).toEqual([1, 15]);
      expect((await joins(elsewhere, 'a')).kind).toBe('follow'); // all of what it wrote is taken over
      leadOf(await promoted()[0]!.result).landed();
      const rest = followers.filter((one) => one !== promoted()[0]);
      expect(await within('the rest land', DEADLINE_MS, resultsOf(rest))).toEqual(Array(15).fill('landed'));
    });

    it('are first offered to the leader’s own replica', async () => {
      const [here, there] = await two();
      const leader = await lead(here, 'a');
      const far = await follows(there, 'a');
      const near = await follows(here, 'a');
      leader.failed();
      expect((await near.result).kind).toBe('promoted');
      expect((await joins(there, 'a')).kind).toBe('follow');
      expect(far.state).toBe('waiting');
    });
  });

  describe('whose replica dies', () => {
    const shortly = { leaseMs: SHORT_LEASE_MS };

    it('are led by a follower elsewhere when the lease is over, and not before', async () => {
      const [here, there] = [await replicas.start(shortly), await replicas.start()];
      const sinceMs = performance.now();
      await lead(here, 'a');
      const joined = await joins(there, 'a');
      here.die();
      // On a machine that stood still the lease may be over already: then whoever comes leads.
      const next = joined.kind === 'follow' ? await there.flights.follow('a', PATIENT, STAYS) : joined;
      leadOf(next);
      expect(performance.now() - sinceMs).toBeGreaterThanOrEqual(SHORT_LEASE_MS - TIMER_GRAIN_MS);
    });

    it('are led by one follower alone', async () => {
      const [here, there] = await two();
      await lead(here, 'a');
      const followers = [await follows(there, 'a'), await follows(there, 'a')];
      here.die();
      const [key = ''] = await replicas.server.redis.keys(`${KEY_PREFIX}{f:*}:w:*`);
      await replicas.server.redis.pexpire(key, 1);
      await waitFor('one is promoted', () => followers.some(({ state }) => state === 'promoted'));
      expect((await joins(there, 'a')).kind).toBe('follow'); // behind every look that the end of the lease caused
      expect(followers.map(({ state }) => state)).toEqual(['promoted', 'waiting']);
    });

    it('are led by whoever comes when the lease is over', async () => {
      const [here, there] = [await replicas.start(shortly), await replicas.start()];
      await lead(here, 'a');
      here.die();
      await waitFor('another leads', async () => (await joins(there, 'a')).kind === 'lead');
    });
  });

  it('are held for as long as the leader takes, lease after lease', async () => {
    const [here, there] = [await replicas.start({ leaseMs: 2_000 }), await replicas.start()];
    const leader = await lead(here, 'a');
    const follower = await follows(there, 'a');
    const [key = ''] = await replicas.server.redis.keys(`${KEY_PREFIX}{f:*}:w:*`);
    const endsAtMs = (): Promise<number> => replicas.server.redis.pexpiretime(key);
    const firstEndMs = await endsAtMs();
    await waitFor('it is held for another lease', async () => (await endsAtMs()) > firstEndMs + 1_500);
    expect(follower.state).toBe('waiting');
    leader.landed();
    expect((await follower.result).kind).toBe('landed');
  });

  it('are left at once by a caller that hangs up, who never leads', async () => {
    const [here, there] = await two();
    const leader = await lead(here, 'a');
    const caller = new AbortController();
    const leaving = await follows(there, 'a', { signal: caller.signal });
    const staying = await follows(there, 'a');
    caller.abort();
    await Promise.resolve();
    expect(await leaving.result).toEqual({ kind: 'abandoned' });
    leader.failed();
    expect((await within('the other leads', DEADLINE_MS, staying.result)).kind).toBe('promoted');
  });

  it('are waited for from when they were sent, which the other replica is told', async () => {
    const [here, there] = await two();
    const leader = await lead(here, 'a');
    const follower = await follows(there, 'a', { sinceSentMs: 1_000 });
    const sinceMs = performance.now();
    await waitFor('a part of its patience is over', () => performance.now() - sinceMs > 200);
    leader.sent();
    const sentMs = performance.now();
    expect(await follower.result).toEqual({ kind: 'timed_out' });
    expect(performance.now() - sentMs).toBeGreaterThanOrEqual(900); // from its beginning it would be 800
  });

  it('land and are handed over though every message is lost', async () => {
    const [here, there] = await two();
    there.subscriber.disconnect();
    const first = await lead(here, 'a');
    const landing = await follows(there, 'a');
    first.landed();
    expect((await within('it lands', DEADLINE_MS, landing.result)).kind).toBe('landed');
    const second = await lead(here, 'b');
    const leading = await follows(there, 'b');
    second.failed();
    expect((await within('it leads', DEADLINE_MS, leading.result)).kind).toBe('promoted');
  });

  it('cost no round trip where a request writes nothing', async () => {
    const here = await replicas.start();
    here.redis.disconnect();
    expect(await here.flights.join({ wanted: [], written: [] })).toEqual({ kind: 'none' });
    expect(here.health.isWell()).toBe(true);
  });

  it('put digests into Redis and no prefix, all in one slot of a cluster', async () => {
    const here = await replicas.start();
    await lead(here, 'a-prefix-in-clear');
    (await lead(here, 'another-prefix')).landed();
    await waitFor('both are there', async () => (await replicas.server.redis.dbsize()) === 2);
    const keys = await replicas.server.redis.keys('*');
    for (const key of keys) expect(key).toMatch(/^slipstream:\{f:[\w-]{4}\}:[wr]:[\w-]{22}$/);
    const values = await Promise.all(keys.map((key) => replicas.server.redis.hgetall(key)));
    expect(JSON.stringify([keys, values])).not.toMatch(/prefix/);
  });

  it('are joined in one round trip', async () => {
    const here = await replicas.start();
    const commands = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await replicas.server.redis.info('commandstats'))?.[1] ?? 0);
    await lead(here, 'the first sends the script');
    const before = await commands();
    const ask = { wanted: ['a', 'ab'], written: writes('a', 'ab') };
    leadOf(await here.flights.join(ask));
    expect((await commands()) - before).toBe(1);
  });
});
