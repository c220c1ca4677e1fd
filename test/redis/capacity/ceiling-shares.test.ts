import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCeilingShares, type CeilingShares } from '../../../src/redis/capacity/ceiling-shares.ts';
import { eventually } from '../../support/eventually.ts';
import { hasRedisServer, startRedisServer, type RedisServer } from '../../support/redis-server.ts';

const LEASE_MS = 400;

describe.runIf(hasRedisServer)("shares of an upstream's ceiling", () => {
  let server: RedisServer;
  let replicas: readonly [CeilingShares, CeilingShares, CeilingShares];
  beforeAll(async () => {
    server = await startRedisServer();
    const create = (instance: string): CeilingShares =>
      createCeilingShares({ redis: server.redis, keyPrefix: '', instance, leaseMs: LEASE_MS });
    replicas = [create('a'), create('b'), create('c')];
  });
  beforeEach(async () => void (await server.redis.flushall()));
  afterAll(() => server.close());

  /** Claims of all in turn, until nothing moves any more. */
  const settled = async (ceiling: number, demands: readonly number[]): Promise<number[]> => {
    let shares: number[] = [];
    for (let round = 0; round < 4; round++) {
      shares = [];
      for (const [index, demand] of demands.entries()) {
        shares.push((await replicas[index]?.claim('main', ceiling, 0, demand)) ?? 0);
      }
    }
    return shares;
  };

  it.each([
    { demands: [0], shares: [100] },
    { demands: [0, 0], shares: [50, 50] },
    { demands: [500, 500], shares: [50, 50] },
    { demands: [500, 0], shares: [94, 6] },
    { demands: [500, 20], shares: [80, 20] },
    { demands: [30, 10], shares: [60, 40] },
    { demands: [500, 500, 10], shares: [45, 45, 10] },
  ])('of 100 for demands of $demands are $shares', async ({ demands, shares }) => {
    expect(await settled(100, demands)).toEqual(shares);
  });

  it('leave nothing to idle replicas where there is little to share', async () => {
    expect(await settled(4, [10, 0])).toEqual([4, 0]);
  });

  it('are one each where there are more replicas than calls at once', async () => {
    expect(await settled(2, [5, 5, 5])).toEqual([1, 1, 1]);
  });

  it('leave a replica that has just come nothing until the others have made room', async () => {
    const [one, other] = replicas;
    expect(await one.claim('main', 10, 10, 30)).toBe(10);
    expect(await other.claim('main', 10, 0, 5)).toBe(0);
    expect(await one.claim('main', 10, 10, 30)).toBe(5); // but ten are still on their way
    expect(await other.claim('main', 10, 0, 5)).toBe(0);
    await one.claim('main', 10, 7, 30);
    expect(await other.claim('main', 10, 0, 5)).toBe(3);
    await one.claim('main', 10, 5, 30);
    expect(await other.claim('main', 10, 3, 5)).toBe(5);
  });

  it('of a replica that has gone are free at once, of one that was killed when they end', async () => {
    const [one, other, third] = replicas;
    await one.claim('main', 9, 0, 0);
    await other.claim('main', 9, 9, 9);
    await one.leave('main');
    await eventually(
      'the last one has what the killed one had',
      4_000,
      async () => (await third.claim('main', 9, 0, 9)) === 9,
    );
  });

  it('of two upstreams are two things', async () => {
    const [one, other] = replicas;
    expect(await one.claim('main', 9, 9, 9)).toBe(9);
    expect(await other.claim('spare', 9, 0, 9)).toBe(9);
  });
});
