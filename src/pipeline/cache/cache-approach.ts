import { noteWritten } from '../../prompt/learn/note-written.ts';
import { allMarks, tokensTo } from '../../prompt/prompt-view.ts';
import type { FlightFamilies, FlightJoin, FlightLead, Flights, FlightWrite } from '../../state/flights.ts';
import type { Context } from '../service.ts';
import { noteWait } from '../wait.ts';
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
  readonly flights: FlightFamilies;
}

const PATIENCE = 2;

/** null: the caller left while waiting. */
export async function approach(
  target: Target,
  settings: CacheSettings,
  context: Context,
  ports: ApproachPorts,
): Promise<Approach | null> {
  const { clock } = ports;
  if (!settings.singleFlight || target.mode === 'observe') {
    return { ...courseOf(target, ports), lead: null, waitedMs: 0, role: 'none', ending: 'led' };
  }
  const flights = ports.flights.of({ family: target.view.hashes[0] ?? 0, tenant: target.view.tenant });
  const { course, joined } = await join(target, 'follow', flights, ports);
  if (joined.kind === 'lead') return { ...course, lead: joined.lead, waitedMs: 0, role: 'leader', ending: 'led' };
  if (joined.kind !== 'follow') return { ...course, lead: null, waitedMs: 0, role: 'none', ending: 'led' };

  const depth = wantedDepths(target, course).find((one) => flightOf(target, one) === joined.prefix) ?? 0;
  const sinceMs = clock.nowMs();
  const sinceSentMs = PATIENCE * prefillMs(tokensTo(target.view, depth));
  const patience = { sinceSentMs, maxMs: settings.maxHoldMs };
  const held = await noteWait('hold', context, flights.follow(joined.prefix, patience, context.signal));
  const waitedMs = clock.nowMs() - sinceMs;
  if (held.kind === 'abandoned') return null;
  if (held.kind === 'promoted') {
    return { ...courseOf(target, ports), lead: held.lead, waitedMs, role: 'promoted', ending: 'led' };
  }
  const rest = await join(target, 'lead the rest', flights, ports);
  const lead = rest.joined.kind === 'lead' ? rest.joined.lead : null;
  return { ...rest.course, lead, waitedMs, role: 'follower', ending: held.kind };
}

/** As often as there can be news in one request: what it waits for, what stands behind it. */
const MAX_NEWS = 3;

/** Plans, and says so to the others; plans anew where another process has written what is planned. */
async function join(
  target: Target,
  intent: 'follow' | 'lead the rest',
  flights: Flights,
  ports: CoursePorts,
): Promise<{ course: Course; joined: FlightJoin }> {
  for (let news = 0; ; news++) {
    const course = courseOf(target, ports);
    const written = writesOf(target, course);
    const wanted = intent === 'follow' ? wantedDepths(target, course).map((depth) => flightOf(target, depth)) : [];
    const joined = await flights.join({ wanted, written });
    if (joined.kind !== 'readable' || news === MAX_NEWS) return { course, joined };
    for (const { prefix, ttl, ageMs } of joined.prefixes) {
      const depth = writtenDepths(target, course).find((one) => flightOf(target, one) === prefix) ?? 0;
      noteWritten(ports.index, target.view, depth, ttl, ports.clock.nowMs() - ageMs);
    }
  }
}

function writesOf(target: Target, course: Course): FlightWrite[] {
  const ttls = new Map(allMarks(target.view, course.marks).map(({ at, ttl }) => [at + 1, ttl]));
  return writtenDepths(target, course).map((depth) => ({
    prefix: flightOf(target, depth),
    ttl: ttls.get(depth) ?? '5m',
  }));
}

/** Chain hashes hold the cache domain and the model already. */
function flightOf({ view }: Target, depth: number): string {
  return String(view.hashes[depth - 1]);
}
