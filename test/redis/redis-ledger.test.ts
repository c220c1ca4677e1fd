import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { hasRedisServer } from '../support/redis-server.ts';
import { createStoppableClock, DEADLINE_MS, useRedisReplicas } from './engines-under-test.ts';

const DAY = Date.UTC(2026, 10, 22);

describe.runIf(hasRedisServer)('the ledger of replicas', () => {
  const replicas = useRedisReplicas();
  const key = `slipstream:{t:acme}:spent:${DAY}`;

  it('keeps what a replica booked that is gone', async () => {
    const one = await replicas.start();
    one.ledger.book('acme', DAY, 0.75);
    await one.close();
    const next = await replicas.start();
    next.ledger.book('acme', DAY, 0.5);
    expect(await next.ledger.spentUsd('acme', DAY)).toBe(1.25);
  });

  it('waits for Redis only where it has heard nothing of a tenant for half a minute', async () => {
    const ticks = createStoppableClock();
    let laterMs = 0;
    const clock = { ...ticks, nowMs: () => ticks.nowMs() + laterMs };
    const one = await replicas.start({ clock });
    ticks.stop();
    expect(await one.ledger.spentUsd('acme', DAY)).toBe(0);
    await replicas.server.redis.hset(key, 'another', '3');
    laterMs = 20_000;
    expect(await one.ledger.spentUsd('acme', DAY)).toBe(0); // what is known, and a question
    await eventually('it has heard', DEADLINE_MS, async () => (await one.ledger.spentUsd('acme', DAY)) === 3);
    await replicas.server.redis.hset(key, 'another', '4');
    laterMs += 31_000;
    expect(await one.ledger.spentUsd('acme', DAY)).toBe(4);
  });

  it('counts at once what was booked here, on top of what it last heard', async () => {
    const one = await replicas.start();
    await replicas.server.redis.hset(key, 'another', '3');
    expect(await one.ledger.spentUsd('acme', DAY)).toBe(3);
    replicas.server.pause();
    one.ledger.book('acme', DAY, 0.5);
    expect(await one.ledger.spentUsd('acme', DAY)).toBe(3.5);
    replicas.server.resume();
  });

  it('does not count twice what it writes again', async () => {
    const one = await replicas.start();
    for (let count = 0; count < 50; count++) one.ledger.book('acme', DAY, 0.01);
    await eventually('all is written', DEADLINE_MS, async () => {
      return Math.abs(Number((await replicas.server.redis.hvals(key))[0]) - 0.5) < 1e-9;
    });
    expect(await one.ledger.spentUsd('acme', DAY)).toBeCloseTo(0.5, 9);
  });

  it('is forgotten a month after the last amount', async () => {
    const one = await replicas.start();
    one.ledger.book('acme', DAY, 1);
    await eventually('it is written', DEADLINE_MS, async () => (await replicas.server.redis.exists(key)) === 1);
    const days = (await replicas.server.redis.pttl(key)) / 86_400_000;
    expect(days).toBeGreaterThan(31);
    expect(days).toBeLessThanOrEqual(33);
  });
});
