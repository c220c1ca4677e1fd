import type { Clock } from '../../core/clock.ts';
import type { StateEngine } from '../../state/engine.ts';
import { createDurableCapacity } from './durable-capacity.ts';
import { createDurableFlights } from './durable-flights.ts';
import { createDurableLedger } from './durable-ledger.ts';
import { createDurableOwnership } from './durable-ownership.ts';
import { createDurablePlaces } from './durable-places.ts';
import { createDurableSlots } from './durable-slots.ts';
import { createRemoteCalls } from './remote-call.ts';
import type { Remotes } from '../remote.ts';
import { createTenantWords } from './tenant-words.ts';

/**
 * The engine of Workers: slots, capacity, flights and the ledger in durable objects, one view for all isolates. Calls that a
 * request waits for before its upstream is asked, one after the other, each to one object:
 *   2  tenant, upstream: nothing is written to the cache, because it can be read as far as this isolate knows; what the
 *      tenant's other isolates have written it knows with the slot
 *   3  tenant, flights, upstream: something is written, as in each turn of a conversation; or all of it was written by
 *      another tenant, which only the flights know
 *   4  the same, and flights again: another writes it and is waited for, or has written a part that only the flights know;
 *      5 where both are so, or where it writes more than the one it has waited for
 * A budget adds one to the tenant where this isolate has heard nothing of it for a minute, else none: one that is spent
 * refuses without a call. Each attempt after the first asks its upstream once more.
 * What comes with a slot is plain data in this isolate's memory, places of conversations among it: never waited for.
 */
export interface DurableEngineOptions {
  readonly clock: Clock;
  readonly remotes: Remotes;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** A name that nobody else gives. */
  readonly newName: () => string;
}

export function createDurableEngine({ clock, remotes, waitUntil, newName }: DurableEngineOptions): StateEngine {
  const calls = createRemoteCalls({ clock, waitUntil, newName });
  const words = createTenantWords({
    remotes,
    calls,
    newName,
    onWord(tenant, { news, spent }) {
      flights.hear(news.written);
      places.hear(news.places);
      ledger.hear(tenant, spent);
    },
  });
  const flights = createDurableFlights({ remotes, calls, clock, words });
  const places = createDurablePlaces({ clock, tell: (tenant, news) => words.tell(tenant, { places: news }) });
  const ledger = createDurableLedger({ remotes, calls, clock, newName });
  return {
    slots: createDurableSlots(remotes, calls, words),
    capacity: createDurableCapacity(remotes, calls),
    flights,
    ledger,
    places,
    ownership: createDurableOwnership(remotes, calls),
    health: () => (calls.trouble === null ? { kind: 'ok' } : { kind: 'degraded', because: calls.trouble }),
    close: async () => {},
  };
}
