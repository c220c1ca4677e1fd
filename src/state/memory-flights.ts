import type { Clock } from '../core/clock.ts';
import type { FlightLead, FlightResult, Flights } from './flights.ts';

/** Flights of one process. Every flight is in the map exactly as long as somebody leads it. */
export function createMemoryFlights(clock: Clock): Flights {
  const flights = new Map<string, Flight>();
  return {
    find(prefixes) {
      for (let index = prefixes.length - 1; index >= 0; index--) {
        const prefix = prefixes[index] as string;
        const flight = flights.get(prefix);
        if (flight) return { prefix, startedAtMs: flight.startedAtMs };
      }
      return null;
    },
    lead(prefixes, nowMs) {
      const own = prefixes.filter((prefix) => !flights.has(prefix));
      const flight: Flight = { startedAtMs: nowMs, waiters: new Set(), prefixes: own };
      for (const prefix of own) flights.set(prefix, flight);
      return leadOf(flight, flights, clock);
    },
    follow(prefix, maxMs, signal) {
      const flight = flights.get(prefix);
      if (!flight) return Promise.resolve({ kind: 'landed' });
      return follow(flight, maxMs, signal, clock);
    },
  };
}

interface Flight {
  startedAtMs: number;
  readonly prefixes: readonly string[];
  /** In the order of their arrival. */
  readonly waiters: Set<(result: FlightResult) => void>;
}

function leadOf(flight: Flight, flights: Map<string, Flight>, clock: Clock): FlightLead {
  let isLeading = true;
  const land = (): void => {
    for (const prefix of flight.prefixes) flights.delete(prefix);
    for (const settle of flight.waiters) settle({ kind: 'landed' });
  };
  const hand = (next: (result: FlightResult) => void): void => {
    flight.startedAtMs = clock.nowMs();
    next({ kind: 'promoted', lead: leadOf(flight, flights, clock) });
  };
  return {
    landed() {
      if (isLeading) land();
      isLeading = false;
    },
    failed() {
      if (!isLeading) return;
      isLeading = false;
      const [next] = flight.waiters;
      if (next) hand(next);
      else land();
    },
  };
}

function follow(flight: Flight, maxMs: number, signal: AbortSignal, clock: Clock): Promise<FlightResult> {
  if (signal.aborted) return Promise.resolve({ kind: 'abandoned' });
  return new Promise((resolve) => {
    const settle = (result: FlightResult): void => {
      flight.waiters.delete(settle);
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const onAbort = (): void => settle({ kind: 'abandoned' });
    const cancelTimer = clock.after(maxMs, () => settle({ kind: 'timed_out' }));
    signal.addEventListener('abort', onAbort, { once: true });
    flight.waiters.add(settle);
  });
}
