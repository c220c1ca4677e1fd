import { tokensTo } from '../prompt/prompt-view.ts';
import type { FlightFound, FlightLead, FlightResult, Flights } from '../state/flights.ts';
import { courseOf, prefillMs, wantedDepths, writtenDepths, type Course, type CoursePorts } from './cache-course.ts';
import type { CacheSettings, Target } from './cache-target.ts';

/**
 * From a target to markers that can be sent now. Where somebody is writing what this request would write as well, it waits
 * for that one's first content and plans anew, with the entry readable; when the other fails, the one that waited longest
 * leads. It waits no longer than the prefix usually takes to be read, twice over: what is later than that is not coming.
 */
export interface Approach extends Course {
  /** Held while this request writes; null where it writes nothing that nobody else writes. */
  readonly lead: FlightLead | null;
  readonly waitedMs: number;
  readonly role: 'none' | 'leader' | 'follower' | 'promoted';
  /** How the wait ended; `led` where there was none. */
  readonly ending: 'led' | 'landed' | 'timed_out';
}

export interface ApproachPorts extends CoursePorts {
  readonly flights: Flights;
}

const PATIENCE = 2;

/** null: the caller left while waiting. */
export async function approach(
  target: Target,
  settings: CacheSettings,
  signal: AbortSignal,
  ports: ApproachPorts,
): Promise<Approach | null> {
  const { clock, flights } = ports;
  const course = courseOf(target, ports);
  if (!settings.singleFlight || target.mode === 'observe') {
    return { ...course, lead: null, waitedMs: 0, role: 'none', ending: 'led' };
  }
  const depths = wantedDepths(target, course);
  const found = flights.find(depths.map((depth) => flightOf(target, depth)));
  if (!found) return leading(target, course, ports);

  const depth = depths.find((one) => flightOf(target, one) === found.prefix) ?? 0;
  const sinceMs = clock.nowMs();
  const held = await hold(found, prefillMs(tokensTo(target.view, depth)), settings.maxHoldMs, signal, ports);
  const waitedMs = clock.nowMs() - sinceMs;
  if (held.kind === 'abandoned') return null;
  const replanned = courseOf(target, ports);
  if (held.kind === 'promoted') return { ...replanned, lead: held.lead, waitedMs, role: 'promoted', ending: 'led' };
  return { ...replanned, lead: leadOf(target, replanned, ports), waitedMs, role: 'follower', ending: held.kind };
}

/** A promoted leader starts anew, and so does the patience with it, within the bound. */
async function hold(
  found: FlightFound,
  usualMs: number,
  maxHoldMs: number,
  signal: AbortSignal,
  { clock, flights }: ApproachPorts,
): Promise<FlightResult> {
  const untilMs = clock.nowMs() + maxHoldMs;
  for (let flight = found; ;) {
    const patienceEndsMs = Math.min(untilMs, flight.startedAtMs + PATIENCE * usualMs);
    const result = await flights.follow(flight.prefix, Math.max(0, patienceEndsMs - clock.nowMs()), signal);
    if (result.kind !== 'timed_out') return result;
    const now = flights.find([flight.prefix]);
    if (!now) return { kind: 'landed' };
    if (now.startedAtMs === flight.startedAtMs || clock.nowMs() >= untilMs) return result;
    flight = now;
  }
}

function leading(target: Target, course: Course, ports: ApproachPorts): Approach {
  const lead = leadOf(target, course, ports);
  return { ...course, lead, waitedMs: 0, role: lead ? 'leader' : 'none', ending: 'led' };
}

function leadOf(target: Target, course: Course, { clock, flights }: ApproachPorts): FlightLead | null {
  const prefixes = writtenDepths(target, course).map((depth) => flightOf(target, depth));
  return prefixes.length > 0 ? flights.lead(prefixes, clock.nowMs()) : null;
}

/** Chain hashes hold the cache domain and the model already. */
function flightOf({ view }: Target, depth: number): string {
  return String(view.hashes[depth - 1]);
}
