import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { newsChannel } from '../../src/redis/flights/flight-store.ts';
import { createRedisFlights } from '../../src/redis/flights/redis-flights.ts';
import { createRedisHealth, type RedisHealth } from '../../src/redis/connection/redis-health.ts';
import type {
  FlightFamilies,
  FlightJoin,
  FlightLead,
  FlightResult,
  Flights,
  FlightWrite,
} from '../../src/state/flights.ts';
import { eventually } from '../support/eventually.ts';
import { startRedisServer, type RedisServer } from '../support/redis-server.ts';

/** Replicas that share flights through a redis-server of their own, each with two connections as a process would have. */
export interface Replica {
  readonly families: FlightFamilies;
  /** Of one family. */
  readonly flights: Flights;
  readonly health: RedisHealth;
  readonly redis: Redis;
  readonly subscriber: Redis;
  /** What the engine's beat does: well again once Redis answers. */
  beat(): Promise<void>;
  /** As kill -9 does: nothing is given back, nothing renewed. */
  die(): void;
}

export interface Replicas {
  readonly server: RedisServer;
  start(options?: ReplicaOptions): Promise<Replica>;
}

export interface ReplicaOptions {
  readonly leaseMs?: number;
  readonly clock?: Clock;
  /** An answer that takes longer is not waited for. */
  readonly slowMs?: number;
}

export const DEADLINE_MS = 15_000;

/** On a busy machine a redis-server may not get its turn for longer than 50 ms: where a test is not about that, it may not. */
export const PATIENT_MS = 2_000;
/** For tests of what happens when a lease ends; in all others it does not, however long the machine stands still. */
export const SHORT_LEASE_MS = 600;
const LEASE_MS = 60_000;
export const ORIGIN = { family: 1, tenant: 'acme' };
export const KEY_PREFIX = 'slipstream:';

/** Call once per suite; each test begins with an empty Redis that runs: the suite's own, or that of `given`. */
export function useReplicas(given?: () => RedisServer): Replicas {
  let own: RedisServer | null = null;
  const serverOf = (): RedisServer => {
    const server = given?.() ?? own;
    if (!server) throw new Error('there is no server yet');
    return server;
  };
  const replicas: Replica[] = [];
  beforeAll(async () => {
    if (!given) own = await startRedisServer();
  });
  afterEach(async () => {
    for (const replica of replicas.splice(0)) replica.die();
    const server = serverOf();
    await eventually('none of them listens', DEADLINE_MS, async () => (await listeners(server)) === 0);
    await server.redis.flushall();
  });
  afterAll(() => own?.close());
  return {
    get server() {
      return serverOf();
    },
    async start(options = {}) {
      const replica = await startReplica(serverOf(), options);
      replicas.push(replica);
      return replica;
    },
  };
}

async function startReplica(
  server: RedisServer,
  { leaseMs = LEASE_MS, clock = systemClock, slowMs = PATIENT_MS }: ReplicaOptions,
): Promise<Replica> {
  const heardBy = await listeners(server);
  const redis = connect(server.port);
  const subscriber = connect(server.port);
  const health = createRedisHealth(slowMs);
  const families = createRedisFlights({
    redis,
    subscriber,
    clock,
    health,
    hmacKey: 'key',
    keyPrefix: KEY_PREFIX,
    flightLeaseMs: leaseMs,
  });
  const replica: Replica = {
    families,
    flights: families.of(ORIGIN),
    health,
    redis,
    subscriber,
    async beat() {
      await eventually('Redis answers', DEADLINE_MS, () => redis.ping().then(() => true, () => false)); // prettier-ignore
      health.recovered();
    },
    die() {
      redis.disconnect();
      subscriber.disconnect();
      families.close();
    },
  };
  await replica.beat();
  await eventually('it hears the others', DEADLINE_MS, async () => (await listeners(server)) > heardBy);
  return replica;
}

async function listeners({ redis }: RedisServer): Promise<number> {
  const [, count] = await redis.pubsub('NUMSUB', newsChannel(KEY_PREFIX));
  return Number(count);
}

function connect(port: number): Redis {
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    enableOfflineQueue: false,
    autoResubscribe: false, // flights subscribe at each connection; what ioredis does by itself rejects unheard
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 20,
  });
  return redis.on('error', () => {});
}

export const writes = (...prefixes: string[]): FlightWrite[] => prefixes.map((prefix) => ({ prefix, ttl: '5m' }));

/** What a request does that would write these, and waits for the deepest where somebody writes it. */
export function joins({ flights }: Replica, ...prefixes: string[]): Promise<FlightJoin> {
  return flights.join({ wanted: prefixes, written: writes(...prefixes) });
}

export async function lead(replica: Replica, ...prefixes: string[]): Promise<FlightLead> {
  return leadOf(await joins(replica, ...prefixes));
}

export function leadOf(result: FlightJoin | FlightResult): FlightLead {
  if (result.kind !== 'lead' && result.kind !== 'promoted') throw new Error(`does not lead: ${result.kind}`);
  return result.lead;
}

/** A request that finds somebody writing, and its wait. */
export interface Follower {
  readonly result: Promise<FlightResult>;
  readonly state: FlightResult['kind'] | 'waiting';
}

export interface FollowOptions {
  readonly sinceSentMs?: number;
  readonly maxMs?: number;
  readonly signal?: AbortSignal;
}

export const STAYS = new AbortController().signal;

export async function follows(replica: Replica, prefix: string, options: FollowOptions = {}): Promise<Follower> {
  const joined = await joins(replica, prefix);
  if (joined.kind !== 'follow') throw new Error(`does not follow: ${joined.kind}`);
  const { sinceSentMs = 60_000, maxMs = 60_000, signal = STAYS } = options;
  let state: Follower['state'] = 'waiting';
  const result = replica.flights.follow(joined.prefix, { sinceSentMs, maxMs }, signal);
  void result.then(({ kind }) => (state = kind));
  return {
    result,
    get state() {
      return state;
    },
  };
}

export async function resultsOf(followers: readonly Follower[]): Promise<FlightResult['kind'][]> {
  return (await Promise.all(followers.map(({ result }) => result))).map(({ kind }) => kind);
}
