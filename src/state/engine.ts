import type { FlightFamilies } from './flights.ts';
import type { Ledger } from './ledger.ts';
import type { Ownership } from './ownership.ts';
import type { SessionPlaces } from './session-places.ts';
import type { Slots } from './slots.ts';
import type { UpstreamCapacity } from './upstream-capacity.ts';

/** All that requests share, as one engine carries it: the memory of a process, Redis for replicas, Durable Objects. */
export interface StateEngine {
  readonly slots: Slots;
  readonly capacity: UpstreamCapacity;
  readonly flights: FlightFamilies;
  readonly ledger: Ledger;
  readonly places: SessionPlaces;
  readonly ownership: Ownership;
  health(): EngineHealth;
  close(): Promise<void>;
}

/** `degraded`: what is shared cannot be reached, and this process works on its share of the limits. */
export type EngineHealth = { readonly kind: 'ok' } | { readonly kind: 'degraded'; readonly because: string };
