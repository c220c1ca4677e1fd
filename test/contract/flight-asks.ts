import type { FlightJoin, FlightLead, FlightResult, FlightWrite } from '../../src/state/flights.ts';

export const writes = (...prefixes: string[]): FlightWrite[] => prefixes.map((prefix) => ({ prefix, ttl: '5m' }));

export function leadOf(result: FlightJoin | FlightResult): FlightLead {
  if (result.kind === 'lead' || result.kind === 'promoted') return result.lead;
  throw new Error(`does not lead: ${result.kind}`);
}

/** Timers of real clocks fire up to so much early. */
export const TIMER_GRAIN_MS = 2;
/** Patience runs from the leader's start, which was a little before the follower came. */
export const JOIN_TO_FOLLOW_MS = 20;
