import { describe, expect, it } from 'vitest';
import type { RedisEngine } from '../../src/redis/redis-engine.ts';
import type { FlightLead } from '../../src/state/flights.ts';
import { hasRedisServer } from '../support/redis-server.ts';
import { createStoppableClock, rulesOf, take, useRedisReplicas } from './engines-under-test.ts';

/** What Redis costs a request before its upstream is asked. The durations are printed, and decide nothing. */
describe.runIf(hasRedisServer)('before the upstream is asked, a request', () => {
  const replicas = useRedisReplicas();
  const ROUNDS = 400;
  /** Until what runs often has been compiled. */
  const WARM_UP = 100;
  const DEPTHS = ['tools', 'system', 'first turn'];

  const leadOne = async ({ flights }: RedisEngine, family: number): Promise<FlightLead> => {
    const prefixes = DEPTHS.map((depth) => `${depth} of ${family}`);
    const written = prefixes.map((prefix) => ({ prefix, ttl: '5m' as const }));
    const joined = await flights.of({ family, tenant: 'acme' }).join({ wanted: prefixes, written });
    if (joined.kind !== 'lead') throw new Error(`does not lead: ${joined.kind}`);
    return joined.lead;
  };

  it('asks Redis for its slot, and once more where it writes a prefix', async () => {
    const clock = createStoppableClock();
    const engine = await replicas.start({ clock });
    clock.stop(); // no beats
    (await take(engine, rulesOf(4))).release();
    (await leadOne(engine, 0)).landed();
    await answered(engine);
    const before = await scriptsRun();
    await take(engine, rulesOf(4));
    await leadOne(engine, 1);
    expect((await scriptsRun()) - before).toBe(2);
  });

  it('waits for so long', async () => {
    const engine = await replicas.start();
    const durations: Record<'slot' | 'join' | 'both', number[]> = { slot: [], join: [], both: [] };
    for (let family = 0; family < WARM_UP + ROUNDS; family++) {
      const beganMs = performance.now();
      const lease = await take(engine, rulesOf(4));
      const hasSlotMs = performance.now();
      const lead = await leadOne(engine, family);
      const endedMs = performance.now();
      lead.landed();
      lease.release();
      if (family < WARM_UP) continue;
      durations.slot.push(hasSlotMs - beganMs);
      durations.join.push(endedMs - hasSlotMs);
      durations.both.push(endedMs - beganMs);
    }
    const lines = Object.entries(durations).map(([what, all]) => `${what} p50 ${quantile(all, 0.5)} ms, p99 ${quantile(all, 0.99)} ms`); // prettier-ignore
    console.log(`over loopback, ${ROUNDS} requests that each write a cold prefix: ${lines.join('; ')}`);
    expect(engine.health()).toEqual({ kind: 'ok' });
  });

  /** All that was sent before: answers come in the order of the questions. */
  const answered = async (engine: RedisEngine): Promise<void> => {
    (await take(engine, rulesOf(4), 'another')).release();
    await take(engine, rulesOf(4), 'another');
  };
  const scriptsRun = async (): Promise<number> => {
    const stats = await replicas.server.redis.info('commandstats');
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]);
  };
});

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((one, other) => one - other);
  return (sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(3);
}
