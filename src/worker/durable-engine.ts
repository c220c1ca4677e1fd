import type { Clock } from '../core/clock.ts';
import type { StateEngine } from '../state/engine.ts';
import { createMemorySessionPlaces } from '../state/memory-session-places.ts';
import { createDurableCapacity } from './durable-capacity.ts';
import { createDurableFlights } from './durable-flights.ts';
import { createDurableLedger } from './durable-ledger.ts';
import { createDurableSlots } from './durable-slots.ts';
import { createRemoteCalls } from './remote-call.ts';
import type { Remotes } from './remote.ts';

/**
 * The engine of Workers: slots, capacity, flights and the ledger in durable objects, one view for all isolates. Before its
 * call to the upstream a request asks up to three of them, one after the other: its tenant's for a slot, the flights where
 * it would write to the cache, its upstream's for capacity (and its tenant's a second time where it has a budget).
 * Places of conversations are this isolate's own memory: plain data, never waited for.
 */
export interface DurableEngineOptions {
  readonly clock: Clock;
  readonly remotes: Remotes;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** A name that nobody else gives. */
  readonly newName: () => string;
}

/** An isolate has 128 MB for everything; some 140 bytes each. */
const MAX_SESSIONS = 20_000;

export function createDurableEngine({ clock, remotes, waitUntil, newName }: DurableEngineOptions): StateEngine {
  const calls = createRemoteCalls({ clock, waitUntil, newName });
  return {
    slots: createDurableSlots(remotes, calls),
    capacity: createDurableCapacity(remotes, calls),
    flights: createDurableFlights(remotes, calls, clock),
    ledger: createDurableLedger(remotes, calls, newName),
    places: createMemorySessionPlaces({ nowMs: clock.nowMs, maxSessions: MAX_SESSIONS }),
    health: () => (calls.trouble === null ? { kind: 'ok' } : { kind: 'degraded', because: calls.trouble }),
    close: async () => {},
  };
}
