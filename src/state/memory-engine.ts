import type { AdaptiveLimit } from '../core/limits/adaptive-limit.ts';
import type { Clock } from '../core/clock.ts';
import type { StateEngine } from './engine.ts';
import { inOnePlace } from './flights.ts';
import { createMemoryLedger } from './ledger.ts';
import { createMemoryFlights } from './memory-flights.ts';
import { createMemoryOwnership } from './memory-ownership.ts';
import { createMemorySessionPlaces } from './memory-session-places.ts';
import { createMemorySlots } from './memory-slots.ts';
import { createMemoryUpstreamCapacity } from './memory-upstream-capacity.ts';

/** The reference engine: what one process knows, for as long as it lives. */
export function createMemoryEngine(clock: Clock, createLimit: (ceiling: number) => AdaptiveLimit): StateEngine {
  return {
    slots: createMemorySlots(clock),
    capacity: createMemoryUpstreamCapacity({ clock, createLimit }),
    flights: inOnePlace(createMemoryFlights(clock)),
    ledger: createMemoryLedger(),
    places: createMemorySessionPlaces(clock),
    ownership: createMemoryOwnership(clock),
    health: () => ({ kind: 'ok' }),
    close: async () => {},
  };
}
