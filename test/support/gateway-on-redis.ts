import { randomUUID } from 'node:crypto';
import { createAdaptiveLimit } from '../../src/core/limits/adaptive-limit.ts';
import type { Clock } from '../../src/core/clock.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { createRedisEngine } from '../../src/redis/redis-engine.ts';
import { eventually } from './eventually.ts';
import { runGateway } from './gateway-on-node.ts';
import type { RunningGateway } from './running-gateway.ts';

/** A starved machine is no slow Redis. */
const PATIENT_MS = 2_000;
const DEADLINE_MS = 10_000;

/**
 * The gateway in the test's own process, as the one replica on the redis-server that `SLIPSTREAM_TEST_STATE` names, with
 * keys of its own. The engine lives by the clock of the world, as Redis does: the one that a test may move is the
 * gateway's. A test in which waiting for a slot ends because the test moves the clock cannot run here.
 */
export async function startOnRedis(settings: string, clock: Clock): Promise<RunningGateway> {
  const url = process.env['SLIPSTREAM_TEST_STATE'];
  if (url === undefined)
    throw new Error('SLIPSTREAM_TEST_STATE does not say which redis-server: redis://127.0.0.1:6379');
  const engine = createRedisEngine({
    url,
    clock: systemClock,
    hmacKey: 'key',
    keyPrefix: `gateway-${randomUUID()}:`,
    createLimit: createAdaptiveLimit,
    slowMs: PATIENT_MS,
  });
  await eventually('Redis is reached', DEADLINE_MS, () => engine.health().kind === 'ok');
  return runGateway(settings, clock, engine);
}
