import type { Clock } from '../core/clock.ts';
import { planCache } from '../prompt/plan.ts';
import type { PlacementIndex } from '../prompt/placement-index.ts';
import { allMarks, tokensTo, type Plan } from '../prompt/prompt-view.ts';
import type { FlightLead, Flights } from '../state/flights.ts';
import type { CacheSettings, CacheTarget } from './cache-target.ts';

/**
 * From a target to a plan that can be sent now. Where somebody is writing what this request would write as well, it waits
 * for that one's first content and plans anew, with the entry readable; when the other fails, the one that waited longest
 * leads. It waits no longer than the prefix usually takes to be read, twice over: what is later than that is not coming.
 */
export interface Approach {
  readonly plan: Plan;
  /** Held while this request writes; null where it writes nothing or does not lead. */
  readonly lead: FlightLead | null;
  readonly waitedMs: number;
  readonly role: 'none' | 'leader' | 'follower' | 'promoted';
  /** How the wait ended; `led` where there was none. */
  readonly ending: 'led' | 'landed' | 'timed_out';
}

export interface ApproachPorts {
  readonly clock: Clock;
  readonly index: PlacementIndex;
  readonly flights: Flights;
}

type Target = Extract<CacheTarget, { kind: 'target' }>;

/** What reading a prompt takes: measured TTFT is about half a second and 50 µs per uncached token. */
const PREFILL_BASE_MS = 500;
const PREFILL_MS_PER_TOKEN = 0.05;
const PATIENCE = 2;

/** null: the caller left while waiting. */
export async function approach(
  target: Target,
  settings: CacheSettings,
  signal: AbortSignal,
  ports: ApproachPorts,
): Promise<Approach | null> {
  const { clock, index, flights } = ports;
  const sinceMs = clock.nowMs();
  const planNow = (): Plan => planCache(index, target.view, target.rules, clock.nowMs());
  let plan = planNow();
  if (!settings.singleFlight || target.mode === 'observe') {
    return { plan, lead: null, waitedMs: 0, role: 'none', ending: 'led' };
  }
  const pending = plan.pendingDepth > 0 ? flights.find([flightOf(target, plan.pendingDepth)]) : null;
  if (!pending) return leading(target, plan, ports);

  const maxMs = patienceMs(target, plan.pendingDepth, clock.nowMs() - pending.startedAtMs, settings.maxHoldMs);
  const result = await flights.follow(pending.prefix, maxMs, signal);
  if (result.kind === 'abandoned') return null;
  plan = planNow();
  const waitedMs = clock.nowMs() - sinceMs;
  if (result.kind === 'promoted') return { plan, lead: result.lead, waitedMs, role: 'promoted', ending: 'led' };
  return { plan, lead: null, waitedMs, role: 'follower', ending: result.kind };
}

function leading(target: Target, plan: Plan, { clock, flights }: ApproachPorts): Approach {
  const prefixes = writtenDepths(target, plan).map((depth) => flightOf(target, depth));
  if (prefixes.length === 0) return { plan, lead: null, waitedMs: 0, role: 'none', ending: 'led' };
  return { plan, lead: flights.lead(prefixes, clock.nowMs()), waitedMs: 0, role: 'leader', ending: 'led' };
}

/** Depths that this plan writes, the caller's own marks included, shallow first. */
export function writtenDepths({ view, rules }: Target, plan: Plan): number[] {
  return allMarks(view, plan.marks)
    .map((mark) => mark.at + 1)
    .filter((depth) => {
      const tokens = tokensTo(view, depth);
      return tokens >= rules.minimumTokens && tokens > plan.expected.readTokens;
    });
}

/** Chain hashes hold the cache domain and the model already. */
function flightOf({ view }: Target, depth: number): string {
  return String(view.hashes[depth - 1]);
}

function patienceMs({ view }: Target, depth: number, elapsedMs: number, maxHoldMs: number): number {
  const usualMs = PREFILL_BASE_MS + PREFILL_MS_PER_TOKEN * tokensTo(view, depth);
  return Math.max(0, Math.min(maxHoldMs, PATIENCE * usualMs - elapsedMs));
}
