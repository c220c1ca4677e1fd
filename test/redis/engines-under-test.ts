import { afterAll, afterEach, beforeAll } from 'vitest';
import { createAdaptiveLimit } from '../../src/core/limits/adaptive-limit.ts';
import type { Clock } from '../../src/core/clock.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { createRedisEngine, type RedisEngine, type RedisEngineOptions } from '../../src/redis/redis-engine.ts';
import type { Lease, SlotRules } from '../../src/state/slots.ts';
import { eventually } from '../support/eventually.ts';
import { startRedisServer, type RedisServer } from '../support/redis-server.ts';

/** Replicas on a redis-server of the file's own: each test begins with an empty one that runs and takes everything. */
export interface Replicas {
  readonly server: RedisServer;
  /** Resolves when the replica has reached Redis. */
  start(options?: Partial<RedisEngineOptions>): Promise<RedisEngine>;
  /** Does not wait for anything. */
  open(options?: Partial<RedisEngineOptions>): RedisEngine;
  areWell(...engines: readonly RedisEngine[]): Promise<void>;
  areDegraded(...engines: readonly RedisEngine[]): Promise<void>;
}

export const DEADLINE_MS = 15_000;
export const LEASE_MS = 1_500;
/** A starved machine is no slow Redis. */
const PATIENT_MS = 2_000;
export const STAYS = new AbortController().signal;

/** @param defaults of every replica, unless it says otherwise. */
export function useRedisReplicas(
  serverOptions: readonly string[] = [],
  defaults: Partial<RedisEngineOptions> = {},
): Replicas {
  let server: RedisServer;
  const engines: RedisEngine[] = [];
  beforeAll(async () => {
    server = await startRedisServer(serverOptions);
  });
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
    await mend(server);
    await server.redis.flushall();
  });
  afterAll(() => server.close());
  const healthIs = (kind: 'ok' | 'degraded', all: readonly RedisEngine[]): Promise<void> =>
    eventually(`every replica's health is ${kind}`, DEADLINE_MS, () => all.every((one) => one.health().kind === kind));
  const replicas: Replicas = {
    get server() {
      return server;
    },
    open(options = {}) {
      const engine = createRedisEngine({
        url: server.url,
        clock: systemClock,
        hmacKey: 'a key that is not in Redis',
        createLimit: createAdaptiveLimit,
        leaseMs: LEASE_MS,
        slowMs: PATIENT_MS,
        ...defaults,
        ...options,
      });
      engines.push(engine);
      return engine;
    },
    async start(options) {
      const engine = replicas.open(options);
      await healthIs('ok', [engine]);
      return engine;
    },
    areWell: (...all) => healthIs('ok', all),
    areDegraded: (...all) => healthIs('degraded', all),
  };
  return replicas;
}

/** Whatever the test has done to it. */
async function mend(server: RedisServer): Promise<void> {
  server.resume();
  await server.start();
  await eventually('the test has its own connection', DEADLINE_MS, () => server.redis.status === 'ready');
}

export const SIGNED_IN = 'slipstream:{r}:replicas';

/**
 * So many replicas divide the limits by their number from now on: each has signed in after all were there, and once more,
 * which it does only when it has read the answer.
 */
export async function knowEachOther({ redis }: RedisServer, count: number): Promise<void> {
  const signedIn = async (): Promise<string[]> => redis.zrange(SIGNED_IN, '0', '-1', 'WITHSCORES');
  const label = `${count} replicas know of each other`;
  await eventually(label, DEADLINE_MS, async () => (await redis.zcard(SIGNED_IN)) === count);
  for (let times = 0; times < 2; times++) {
    const before = new Set(await signedIn());
    await eventually(
      label,
      DEADLINE_MS,
      async () => (await signedIn()).filter((one) => !before.has(one)).length === count,
    );
  }
}

export function rulesOf(limit: number, rules: Partial<SlotRules> = {}): SlotRules {
  return { limit, maxWaiters: 100, maxWaitMs: 20_000, ...rules };
}

/** A slot, or an error: for tests in which nothing else may happen. */
export async function take({ slots }: RedisEngine, rules: SlotRules, name = 'acme'): Promise<Lease> {
  const grant = await slots.acquire(name, rules, STAYS);
  if (grant.kind !== 'granted') throw new Error(`no slot: ${JSON.stringify(grant)}`);
  return grant.lease;
}

/** Who is registered in Redis as holding one of the tenant's slots. */
export async function registered({ redis }: RedisServer, name = 'acme'): Promise<number> {
  return redis.zcard(`slipstream:{t:${name}}:leases`);
}

/** A clock whose timers can be made to never fire again: what a process that is stopped has. */
export function createStoppableClock(): Clock & { stop(): void } {
  let isStopped = false;
  return {
    ...systemClock,
    after: (delayMs, run) => systemClock.after(delayMs, () => isStopped || run()),
    stop() {
      isStopped = true;
    },
  };
}

/** Callers at several replicas who hold a tenant's slot for a while and ask again at once. */
export interface SlotLoad {
  readonly inUse: number;
  readonly granted: number;
  /** The most at once since the last time this was asked. */
  peak(): number;
  readonly refusals: readonly string[];
  end(): Promise<void>;
}

export function startSlotLoad(
  engines: readonly RedisEngine[],
  rules: SlotRules,
  { callers, holdMs }: { readonly callers: number; readonly holdMs: number },
): SlotLoad {
  const refusals: string[] = [];
  let [inUse, granted, peak] = [0, 0, 0];
  const over = new AbortController();
  const run = async (engine: RedisEngine): Promise<void> => {
    while (!over.signal.aborted) {
      const grant = await engine.slots.acquire('acme', rules, STAYS);
      if (grant.kind !== 'granted') {
        refusals.push(JSON.stringify(grant));
        continue;
      }
      granted++;
      peak = Math.max(peak, ++inUse);
      await new Promise((resolve) => setTimeout(resolve, holdMs * (0.5 + Math.random())));
      inUse--;
      grant.lease.release();
    }
  };
  const running = engines.flatMap((engine) => Array.from({ length: callers }, () => run(engine)));
  return {
    get inUse() {
      return inUse;
    },
    get granted() {
      return granted;
    },
    refusals,
    peak() {
      const most = peak;
      peak = inUse;
      return most;
    },
    async end() {
      over.abort();
      await Promise.all(running);
    },
  };
}
