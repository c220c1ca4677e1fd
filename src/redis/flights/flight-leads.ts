import type { Clock } from '../../core/clock.ts';
import type { FlightLead } from '../../state/flights.ts';
import type { Flight } from './flight-replies.ts';
import type { FlightStore } from './flight-store.ts';
import type { FlightWatches } from './flight-watches.ts';

/**
 * The flights that this replica leads. Each is held in Redis by a lease, renewed while the flight is in the map, so that
 * another replica takes it over soon after this one has died. Followers here are told directly, with or without Redis: a
 * leader that fails hands over to the one that waited longest here, and only where nobody does to another replica.
 */
export interface FlightLeads {
  lead(flight: Flight): FlightLead;
  /** The flight of this replica that writes this name. */
  leading(name: string): Flight | undefined;
  /** A flight without a leader: to the follower here that waited longest; given back where there is none. */
  handOver(flight: Flight): void;
  /** Redis may have forgotten all of it: holds every flight anew, and tells what could not be told. */
  renew(): void;
  close(): void;
}

export interface FlightLeadsParts {
  readonly store: FlightStore;
  readonly watches: FlightWatches;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** It landed; `sinceMs` (Redis's clock) is how Redis names the entries from now on. */
  readonly onLanded: (flight: Flight, sinceMs: number) => void;
}

/** A lease outlives two renewals that were lost. */
const RENEWALS_PER_LEASE = 3;
/** Of more than that the others learn by the end of the leases. */
const MAX_UNTOLD = 1_000;

export function createFlightLeads({ store, watches, clock, leaseMs, onLanded }: FlightLeadsParts): FlightLeads {
  const flights = new Map<string, Flight>();
  /** Flights that another replica has taken over, because this one was not heard of for a lease. */
  const lost = new Set<Flight>();
  let cancelRenewal = (): void => {};
  const renewLater = (): void => {
    cancelRenewal = clock.after(leaseMs / RENEWALS_PER_LEASE, () => {
      renewLater();
      leads.renew();
    });
  };
  const renew = async (flight: Flight): Promise<void> => {
    const held = await store.hold(flight, 'quiet');
    if (held === 'lost' && [...flights.values()].includes(flight)) lost.add(flight);
  };
  /** Landings and failures that Redis was not well enough to be told of; to say them twice does no harm. */
  const untold = new Set<() => Promise<boolean>>();
  const tell = async (say: () => Promise<boolean>): Promise<void> => {
    if (!(await say()) && untold.size < MAX_UNTOLD) untold.add(say);
  };
  const forget = (flight: Flight): boolean => {
    for (const { prefix } of flight.writes) if (flights.get(prefix) === flight) flights.delete(prefix);
    if (flights.size === 0) cancelRenewal();
    return lost.delete(flight);
  };

  const leads: FlightLeads = {
    leading: (name) => flights.get(name),
    lead(flight) {
      if (flights.size === 0) renewLater();
      for (const { prefix } of flight.writes) flights.set(prefix, flight);
      return leadOf(flight);
    },
    handOver(flight) {
      const next = watches.oldest(flight);
      if (!next) {
        void tell(() => store.release(flight));
        return;
      }
      flight.sentAtMs = clock.nowMs();
      watches.sent(flight);
      next.settle({ kind: 'promoted', lead: leads.lead(flight) });
      void store.hold(flight, 'tell');
    },
    renew() {
      const again = [...untold];
      untold.clear();
      for (const say of again) void tell(say);
      for (const flight of new Set(flights.values())) void renew(flight);
    },
    close() {
      flights.clear();
      untold.clear();
      cancelRenewal();
    },
  };
  return leads;

  function leadOf(flight: Flight): FlightLead {
    let isLeading = true;
    return {
      sent() {
        if (!isLeading) return;
        flight.sentAtMs = clock.nowMs();
        watches.sent(flight);
        void store.hold(flight, 'tell');
      },
      landed() {
        if (!isLeading) return;
        isLeading = false;
        forget(flight);
        void tell(() => land(flight));
        watches.landed(flight);
      },
      failed() {
        if (!isLeading) return;
        isLeading = false;
        if (forget(flight)) watches.news(flight.writes.map(({ prefix }) => prefix));
        else leads.handOver(flight);
      },
    };
  }

  async function land(flight: Flight): Promise<boolean> {
    const sinceMs = await store.land(flight);
    if (sinceMs !== null) onLanded(flight, sinceMs);
    return sinceMs !== null;
  }
}
