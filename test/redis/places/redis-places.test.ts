import { describe, expect, it } from 'vitest';
import type { Place } from '../../../src/core/choose-upstream.ts';
import { readPlaces, writePlaces } from '../../../src/redis/places/place-text.ts';
import { eventually } from '../../support/eventually.ts';
import { hasRedisServer } from '../../support/redis-server.ts';
import { DEADLINE_MS, useRedisReplicas } from '../engines-under-test.ts';

const at = (upstreamId: string, holds = false): Place => ({ upstreamId, cacheDomain: `of ${upstreamId}`, holds });

describe.runIf(hasRedisServer)('places of conversations', () => {
  const replicas = useRedisReplicas();
  const stream = 'slipstream:{r}:places';

  it('are known to a replica that comes later, the last one of each', async () => {
    const one = await replicas.start();
    for (let key = 0; key < 5_000; key++) one.places.remember(key, at(`u${key % 3}`), 'acme');
    one.places.remember(7, at('moved', true), 'acme');
    await eventually('all are told', DEADLINE_MS, async () => (await replicas.server.redis.xlen(stream)) === 25);
    one.places.remember(8, at('moved'), 'acme');
    await eventually('and the last one', DEADLINE_MS, async () => (await replicas.server.redis.xlen(stream)) === 26);
    const late = await replicas.start();
    await eventually('it knows the last one', DEADLINE_MS, () => late.places.find(8)?.upstreamId === 'moved');
    expect(late.places.find(7)).toEqual(at('moved', true));
    expect(late.places.find(4_999)).toEqual(at('u1'));
  });

  it('are told once for as long as they stay the same', async () => {
    const one = await replicas.start();
    const told = async (count: number): Promise<void> =>
      eventually(`${count} times`, DEADLINE_MS, async () => (await replicas.server.redis.xlen(stream)) === count);
    one.places.remember(1, at('a'), 'acme');
    await told(1);
    for (let round = 0; round < 100; round++) one.places.remember(1, at('a'), 'acme');
    one.places.remember(2, at('a'), 'acme');
    await told(2);
    const entries = await replicas.server.redis.xrange(stream, '-', '+');
    expect(entries.map(([, fields]) => readPlaces(fields[3] ?? '').length)).toEqual([1, 1]);
  });

  it('of one who has the wrong key mean nothing', async () => {
    const [one, other] = [await replicas.start(), await replicas.start({ hmacKey: 'another key' })];
    one.places.remember(1, at('a'), 'acme');
    other.places.remember(2, at('b'), 'acme');
    await eventually('both are told', DEADLINE_MS, async () => (await replicas.server.redis.xlen(stream)) === 2);
    expect([one.places.find(2), other.places.find(1)]).toEqual([null, null]);
  });
});

describe('the text of places', () => {
  it('is read as it was written', () => {
    const places = [
      [1, at('a')],
      [2 ** 48 - 1, at('b', true)],
    ] as const;
    expect(readPlaces(writePlaces(places))).toEqual(places);
  });

  it.each(['', '{', 'null', '{}', '[1]', '[["1","a","b",0]]', '[[1,2,"b",0]]'])(
    'of another version is left out: %s',
    (text) => {
      expect(readPlaces(text)).toEqual([]);
    },
  );
});
