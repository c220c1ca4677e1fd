import { tokensTo } from '../prompt/prompt-view.ts';
import type { FlightLead, Flights } from '../state/flights.ts';
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
  const joined = await flights.join({
    wanted: depths.map((depth) => flightOf(target, depth)),
    written: writtenDepths(target, course).map((depth) => flightOf(target, depth)),
  });
  if (joined.kind === 'lead') return { ...course, lead: joined.lead, waitedMs: 0, role: 'leader', ending: 'led' };
  if (joined.kind === 'none') return { ...course, lead: null, waitedMs: 0, role: 'none', ending: 'led' };

  const depth = depths.find((one) => flightOf(target, one) === joined.prefix) ?? 0;
  const sinceMs = clock.nowMs();
  const sinceSentMs = PATIENCE * prefillMs(tokensTo(target.view, depth));
  const held = await flights.follow(joined.prefix, { sinceSentMs, maxMs: settings.maxHoldMs }, signal);
  const waitedMs = clock.nowMs() - sinceMs;
  if (held.kind === 'abandoned') return null;
  const replanned = courseOf(target, ports);
  if (held.kind === 'promoted') return { ...replanned, lead: held.lead, waitedMs, role: 'promoted', ending: 'led' };
  return {
    ...replanned,
    lead: await leadRest(target, replanned, ports),
    waitedMs,
    role: 'follower',
    ending: held.kind,
  };
}

/** What is still to be written behind what it waited for, and nobody else writes. */
async function leadRest(target: Target, course: Course, { flights }: ApproachPorts): Promise<FlightLead | null> {
  const written = writtenDepths(target, course).map((depth) => flightOf(target, depth));
  const joined = await flights.join({ wanted: [], written });
  return joined.kind === 'lead' ? joined.lead : null;
}

/** Chain hashes hold the cache domain and the model already. */
function flightOf({ view }: Target, depth: number): string {
  return String(view.hashes[depth - 1]);
}
