import type { Clock } from '../core/clock.ts';
import type { FlightLead, FlightPatience, FlightResult, Flights } from './flights.ts';

/** Flights of one process. Every flight is in the map exactly as long as somebody leads it. */
export function createMemoryFlights(clock: Clock): Flights {
  const flights = new Map<string, Flight>();
  return {
    async join({ wanted, written }) {
      const deepest = wanted.findLast((one) => flights.has(one));
      if (deepest !== undefined) return { kind: 'follow', prefix: deepest };
      const own = written.map(({ prefix }) => prefix).filter((one) => !flights.has(one));
      if (own.length === 0) return { kind: 'none' };
      const flight: Flight = { startedAtMs: clock.nowMs(), waiters: new Set(), prefixes: own };
      for (const one of own) flights.set(one, flight);
      return { kind: 'lead', lead: leadOf(flight, flights, clock) };
    },
    async follow(prefix, patience, signal) {
      const flight = flights.get(prefix);
      return flight ? follow(flight, patience, signal, clock) : { kind: 'landed' };
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
    sent() {
      if (isLeading) flight.startedAtMs = clock.nowMs();
    },
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

function follow(flight: Flight, patience: FlightPatience, signal: AbortSignal, clock: Clock): Promise<FlightResult> {
  if (signal.aborted) return Promise.resolve({ kind: 'abandoned' });
  return new Promise((resolve) => {
    const untilMs = clock.nowMs() + patience.maxMs;
    const settle = (result: FlightResult): void => {
      flight.waiters.delete(settle);
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const onAbort = (): void => settle({ kind: 'abandoned' });
    /** The leader may have sent later than it seemed, or be another one by now. */
    const look = (): void => {
      const leftMs = Math.min(untilMs, flight.startedAtMs + patience.sinceSentMs) - clock.nowMs();
      if (leftMs <= 0) settle({ kind: 'timed_out' });
      else cancelTimer = clock.after(leftMs, look);
    };
    let cancelTimer = (): void => {};
    signal.addEventListener('abort', onAbort, { once: true });
    flight.waiters.add(settle);
    look();
  });
}
