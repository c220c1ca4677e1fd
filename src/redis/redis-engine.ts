import { randomBytes } from 'node:crypto';
import type { AdaptiveLimit } from '../core/limits/adaptive-limit.ts';
import type { Clock } from '../core/clock.ts';
import type { EngineHealth, StateEngine } from '../state/engine.ts';
import { createAskRedis } from './connection/ask-redis.ts';
import { createBeat } from './beat.ts';
import { createCeilingShares } from './capacity/ceiling-shares.ts';
import { createRedisCapacity } from './capacity/redis-capacity.ts';
import { openRedis } from './connection/open-redis.ts';
import { createRedisFlights } from './flights/redis-flights.ts';
import { createRedisHealth, SLOW_MS } from './connection/redis-health.ts';
import { createRedisLedger } from './redis-ledger.ts';
import { createRedisOwnership } from './ownership/redis-ownership.ts';
import { createRedisPlaces } from './places/redis-places.ts';
import { createRedisSlots } from './slots/redis-slots.ts';
import { createRejoining } from './connection/rejoining.ts';
import { createReplicas } from './replicas.ts';
import { createSlotScripts } from './slots/slot-scripts.ts';

/**
 * What replicas share, in Redis. What is true of a replica (its leases, waiters, bookings) is in the replica, and Redis is
 * told of it: at once, again at every beat, and whole when Redis has been away. Invariant: no request waits longer
 * than 50 ms for Redis, and none fails because of it; while it is not well each replica works on its share of the limits.
 */
export interface RedisEngine extends StateEngine {
  /** Redis has answered, or has not within a second: the engine works in either case. */
  readonly started: Promise<void>;
}

export interface RedisEngineOptions {
  /** As in `redis-url.ts`, with user, password and, of a server, database as usual. */
  readonly url: string;
  readonly clock: Clock;
  /** The same for all replicas, and not in Redis: what keeps a leaked Redis from being searched for a known prompt. */
  readonly hmacKey: string | Uint8Array;
  /** Before every key and channel. */
  readonly keyPrefix?: string;
  readonly createLimit: (ceiling: number) => AdaptiveLimit;
  /** For people who look into Redis; two processes may have the same. */
  readonly replicaId?: string;
  readonly onHealth?: (health: EngineHealth) => void;
  /** How long what a dead replica held is held. */
  readonly leaseMs?: number;
  /** An answer that takes longer is not waited for; 50. */
  readonly slowMs?: number;
}

const LEASE_MS = 15_000;
const RENEWALS_PER_LEASE = 3;
const START_MS = 1_000;

export function createRedisEngine({
  url,
  clock,
  hmacKey,
  keyPrefix = 'slipstream:',
  createLimit,
  replicaId = 'replica',
  onHealth = () => {},
  leaseMs = LEASE_MS,
  slowMs = SLOW_MS,
}: RedisEngineOptions): RedisEngine {
  const instance = `${replicaId}-${randomBytes(6).toString('hex')}`;
  const wakePrefix = `${keyPrefix}wake:`;
  const health = createRedisHealth(slowMs);
  const { isWell } = health;
  const ask = createAskRedis(clock, health);
  const rejoining = createRejoining({ clock, leaseMs });
  const connections = openRedis(url, keyPrefix, {
    onTrouble: health.report,
    onOpen: () => {
      if (!rejoining.hasJoined) beat.now();
    },
    onLost() {
      rejoining.lostConnection();
      if (isWell()) health.report(new Error('the connection is closed'));
    },
  });
  const { redis, subscriber, reach } = connections;
  const parts = { redis, subscriber, clock, ask, isWell, health, hmacKey, keyPrefix, wakePrefix, instance, leaseMs };

  const members = createReplicas(parts);
  const replicas = (): number => members.known;
  const scripts = createSlotScripts(parts);
  const renewMs = leaseMs / RENEWALS_PER_LEASE;
  const slots = createRedisSlots({ instance, clock, scripts, ask, isWell, replicas, renewMs });
  const shares = createCeilingShares(parts);
  const capacity = createRedisCapacity({ clock, createLimit, shares, ask, isWell, replicas });
  const flights = createRedisFlights(parts);
  const ledger = createRedisLedger(parts);
  const places = createRedisPlaces(parts);
  const ownership = createRedisOwnership(parts);

  const wakeChannel = `${wakePrefix}${instance}`;
  const listen = (): void => void subscriber.subscribe(wakeChannel).catch(() => {}); // a beat finds out, too
  subscriber.on('ready', listen).on('message', (channel, message) => {
    if (channel === wakeChannel) slots.hear(message);
  });

  const { promise: started, resolve: hasStarted } = Promise.withResolvers<void>();
  const cancelStart = clock.after(START_MS, hasStarted);
  const settleStart = (): void => {
    cancelStart();
    hasStarted();
  };
  let isClosed = false;
  health.onChange((state) => {
    if (state.kind === 'degraded') {
      rejoining.failed();
      slots.goAlone();
      capacity.goAlone();
    }
    if (!isClosed) onHealth(state);
  });

  const shareAll = (): Promise<unknown> =>
    Promise.all([capacity.claimShares(), ledger.flush(), ownership.flush(), places.exchange()]);
  const beat = createBeat({
    clock,
    health,
    ask,
    members,
    reach,
    rejoining,
    work: {
      renew: () => Promise.all([slots.syncDue(), shareAll()]),
      register: () => slots.syncAll(false),
      /** Each line asks Redis again only after it has told it what is held there. */
      join() {
        settleStart();
        ledger.forgetWritten();
        ownership.forgetWritten();
        return Promise.all([slots.syncAll(true), shareAll()]);
      },
      isHurried: capacity.isShort,
    },
  });

  return {
    slots,
    capacity,
    flights,
    ledger,
    places,
    ownership,
    health: health.state,
    started,
    async close() {
      isClosed = true;
      beat.stop();
      settleStart();
      flights.close();
      if (isWell()) await Promise.all([ledger.flush(), ownership.flush(), capacity.leave(), ask(members.signOut())]);
      connections.close();
    },
  };
}
