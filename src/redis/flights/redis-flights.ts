import type { Redis } from 'ioredis';
import type { Clock } from '../../core/clock.ts';
import type { FlightAsk, FlightFamilies, FlightJoin, Flights } from '../../state/flights.ts';
import { createMemoryFlights } from '../../state/memory-flights.ts';
import { createToldPrefixes } from '../../state/told-prefixes.ts';
import { createFlightLeads } from './flight-leads.ts';
import { createFlightNames } from './flight-names.ts';
import type { StoredJoin } from './flight-replies.ts';
import { createFlightStore, newsChannel } from './flight-store.ts';
import { createFlightWatches } from './flight-watches.ts';
import type { RedisClient } from '../connection/redis-connections.ts';
import type { RedisHealth } from '../connection/redis-health.ts';

/**
 * Flights of all replicas: a prefix that is cold everywhere is written by one of them, the others wait for its first
 * content and are told what can be read. `join` is one round trip, and none where a request writes nothing.
 *
 * Redis is an advisor, not a condition: while it is unwell each replica flies on its own, by the memory engine for what is
 * new and by its own timers for what is under way. What that can cost is one more write of a prefix per replica.
 */
export interface RedisFlights extends FlightFamilies {
  /** Sets no timer any more; who still follows goes on. */
  close(): void;
}

export interface RedisFlightsParts {
  readonly redis: RedisClient;
  /** A connection in subscriber mode; may be shared with other channels. */
  readonly subscriber: Redis;
  readonly clock: Clock;
  readonly health: RedisHealth;
  readonly hmacKey: string | Uint8Array;
  readonly keyPrefix: string;
  /** How long after its last sign of life a replica's flights are taken over. */
  readonly flightLeaseMs?: number;
}

/**
 * Far shorter than the lease of a slot: followers of a dead leader wait for its end, and one that was taken over though it
 * lives costs a second write and nothing else.
 */
const FLIGHT_LEASE_MS = 2_000;

export function createRedisFlights({
  subscriber,
  hmacKey,
  flightLeaseMs: leaseMs = FLIGHT_LEASE_MS,
  ...parts
}: RedisFlightsParts): RedisFlights {
  const { clock, keyPrefix, health } = parts;
  const namesOf = createFlightNames(hmacKey);
  const memory = createMemoryFlights(clock);
  const told = createToldPrefixes(clock);
  const store = createFlightStore({ ...parts, leaseMs });
  const watches = createFlightWatches({
    clock,
    look: store.look,
    isLedHere: (name) => leads.leading(name) !== undefined,
    onTakenOver: (flight) => leads.handOver(flight),
  });
  const leads = createFlightLeads({
    store,
    watches,
    clock,
    leaseMs,
    onLanded: ({ writes }, sinceMs) => writes.forEach(({ prefix }) => told.tell(prefix, sinceMs)),
  });
  health.onChange(({ kind }) => kind === 'ok' && leads.renew());
  const unsubscribe = subscribe(subscriber, newsChannel(keyPrefix), (text) => watches.news(text.split(' ')));
  return {
    of: ({ family }) => flightsOf(namesOf(family)),
    close() {
      unsubscribe();
      leads.close();
      watches.close();
    },
  };

  function flightsOf(nameOf: (prefix: string) => string): Flights {
    return {
      async join(ask) {
        if (ask.wanted.length === 0 && ask.written.length === 0) return { kind: 'none' };
        const prefixes = [...new Set([...ask.wanted, ...ask.written.map(({ prefix }) => prefix)])];
        const names = new Map(prefixes.map((prefix) => [prefix, nameOf(prefix)]));
        const named = (prefix: string): string => names.get(prefix) ?? '';
        const written = ask.written.map(({ prefix, ttl }) => {
          const name = named(prefix);
          return { prefix: name, ttl, knownSinceMs: told.knownSinceMs(name) };
        });
        const stored = await store.join(ask.wanted.map(named), written);
        if (stored.kind === 'failed') return joinAlone(ask, named);
        const prefixOf = new Map([...names].map(([prefix, name]) => [name, prefix]));
        return joinOf(stored, (name) => prefixOf.get(name) ?? '');
      },
      async follow(prefix, patience, signal) {
        if (signal.aborted) return { kind: 'abandoned' };
        const name = nameOf(prefix);
        if (!watchIfLedHere(name) && !watches.has(name)) {
          const seen = await store.look(name, []);
          if (seen.kind !== 'flying') return memory.follow(prefix, patience, signal);
          watches.watch(name, seen.writes, clock.nowMs() - seen.ageMs);
        }
        return watches.wait(name, patience, signal);
      },
    };
  }

  function joinOf(stored: Exclude<StoredJoin, { kind: 'failed' }>, prefixOf: (name: string) => string): FlightJoin {
    switch (stored.kind) {
      case 'follow':
        watches.watch(stored.name, stored.writes, clock.nowMs() - stored.ageMs);
        return { kind: 'follow', prefix: prefixOf(stored.name) };
      case 'readable':
        for (const { prefix, sinceMs } of stored.news) told.tell(prefix, sinceMs);
        return {
          kind: 'readable',
          prefixes: stored.news.map(({ prefix, ttl, ageMs }) => ({ prefix: prefixOf(prefix), ttl, ageMs })),
        };
      case 'lead':
        return { kind: 'lead', lead: leads.lead(stored.flight) };
      default:
        return stored;
    }
  }

  /** What is under way is followed as before; the rest is between the requests of this process. */
  function joinAlone(ask: FlightAsk, named: (prefix: string) => string): Promise<FlightJoin> | FlightJoin {
    for (const prefix of ask.wanted.toReversed()) {
      const name = named(prefix);
      if (watchIfLedHere(name) || watches.has(name)) return { kind: 'follow', prefix };
    }
    return memory.join(ask);
  }

  function watchIfLedHere(name: string): boolean {
    const own = leads.leading(name);
    if (own) watches.watch(name, own.writes, own.sentAtMs);
    return own !== undefined;
  }
}

/** Anew at each connection; what was published in between is found by looking. */
function subscribe(subscriber: Redis, channel: string, onMessage: (text: string) => void): () => void {
  const begin = (): void => void subscriber.subscribe(channel).catch(() => {}); // `ready` comes again
  const receive = (from: string, text: string): void => {
    if (from === channel) onMessage(text);
  };
  if (subscriber.status === 'ready') begin();
  subscriber.on('ready', begin).on('message', receive);
  return () => {
    subscriber.off('ready', begin).off('message', receive);
    if (subscriber.status === 'ready') subscriber.unsubscribe(channel).catch(() => {});
  };
}
