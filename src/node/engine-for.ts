import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Secrets } from '../config/config.ts';
import { createAdaptiveLimit } from '../core/limits/adaptive-limit.ts';
import type { Clock } from '../core/clock.ts';
import { redisTargetOf } from '../core/redis-url.ts';
import { createRedisEngine } from '../redis/redis-engine.ts';
import type { EngineHealth, StateEngine } from '../state/engine.ts';
import { createMemoryEngine } from '../state/memory-engine.ts';

/** The engine that the settings ask for. A Redis that cannot be reached does not keep a replica from starting. */
export interface EngineForOptions {
  /** null: the memory of this process. */
  readonly stateUrl: string | null;
  /** Set where replicas have no upstream key in common: the same for all of them. */
  readonly stateKey: string | null;
  /** Before every key and channel; `slipstream:` where it is null. */
  readonly keyPrefix: string | null;
  readonly secrets: Pick<Secrets, 'upstreamKeys'>;
  readonly clock: Clock;
  readonly onHealth: (health: EngineHealth) => void;
}

export async function engineFor({
  stateUrl,
  keyPrefix,
  clock,
  onHealth,
  ...keys
}: EngineForOptions): Promise<StateEngine> {
  if (stateUrl === null) return createMemoryEngine(clock, createAdaptiveLimit);
  const engine = createRedisEngine({
    url: stateUrl,
    clock,
    hmacKey: stateKeyOf(stateUrl, keys),
    ...(keyPrefix === null ? {} : { keyPrefix }),
    createLimit: createAdaptiveLimit,
    replicaId: hostname(),
    onHealth,
  });
  await engine.started;
  return engine;
}

/**
 * What all replicas know and Redis does not: the upstream keys, or a key of its own. With neither (callers' own keys
 * everywhere) it hangs on the password in the URL alone, which is no secret to whoever runs Redis: a notice says so.
 */
function stateKeyOf(stateUrl: string, { stateKey, secrets }: Pick<EngineForOptions, 'stateKey' | 'secrets'>): string {
  if (stateKey !== null && stateKey !== '') return stateKey;
  const upstreamKeys = [...secrets.upstreamKeys].map((entry) => entry.join('=')).sort();
  const { password } = new URL(redisTargetOf(stateUrl).urls[0]);
  return hash('sha256', ['slipstream state', ...upstreamKeys, password].join('\n'), 'hex');
}
