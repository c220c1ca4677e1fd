import { beforeEach, describe, expect, it } from 'vitest';
import type { AskRedis } from '../../src/redis/connection/ask-redis.ts';
import { createRedisSlots, type RedisSlots } from '../../src/redis/slots/redis-slots.ts';
import type { SlotScripts } from '../../src/redis/slots/slot-scripts.ts';
import type { Lease } from '../../src/state/slots.ts';
import { createFakeClock } from '../support/fake-clock.ts';

/** One replica's slots beside a Redis that is played: it grants all that it is asked for while it is well. */
let isWell: boolean;
let told: string[];
let slots: RedisSlots;
beforeEach(() => {
  isWell = true;
  told = [];
  const scripts: SlotScripts = {
    ask: async () => ['granted', 0],
    gone: async () => 0,
    sync: async (name) => {
      told.push(name);
      return [0];
    },
  };
  const ask: AskRedis = async (command) => ({ kind: 'answered', reply: await command });
  const clock = createFakeClock();
  slots = createRedisSlots({ instance: 'i', clock, scripts, ask, isWell: () => isWell, replicas: () => 1, renewMs: 1 });
});

async function take(name: string): Promise<Lease> {
  const rules = { limit: 1, maxWaiters: 0, maxWaitMs: 0 };
  const grant = await slots.acquire(name, rules, new AbortController().signal);
  if (grant.kind !== 'granted') throw new Error(`not granted: ${grant.kind}`);
  return grant.lease;
}

function fails(): void {
  isWell = false;
  slots.goAlone();
}

async function isBack(): Promise<void> {
  isWell = true;
  await slots.syncAll(true);
}

describe('when it is back, Redis is told of a tenant', () => {
  it('whose slot it held when it failed, and which has given it back meanwhile', async () => {
    const lease = await take('acme');
    fails();
    lease.release();
    await isBack();
    expect(told).toEqual(['acme']);
  });

  it('that holds one now', async () => {
    fails();
    await take('acme');
    await isBack();
    expect(told).toEqual(['acme']);
  });

  it('not where it came and went meanwhile: nothing of it has been kept', async () => {
    fails();
    for (let at = 0; at < 100; at++) (await take(`tenant-${at}`)).release();
    await isBack();
    expect(told).toEqual([]);
  });
});
