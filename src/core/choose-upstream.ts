import type { Tie } from './scanned-prompt.ts';

/**
 * Which upstream gets a request, by cache affinity with bounded load. Upstreams of one cache domain (keys of a Claude
 * workspace) are one place for the cache: a domain is chosen first, then the least loaded of its upstreams. In this order:
 *   bound    what only its organization can read or find stays there, whatever the load
 *   session  a conversation stays where it ran, unless that place has far more than its share
 *   prefix   else the longest prefix that can be read from a cache, of the places with little more than their share
 *   seen     else the longest prefix met before: where what comes back is known to come back
 *   load     else whoever has most room
 * Session stands before prefix, because a conversation that pauses longer than its entries live would otherwise follow
 * a shared head to a place where nothing of it was ever seen.
 */
export interface Candidate {
  readonly id: string;
  readonly cacheDomain: string;
  /** Requests under way and waiting. */
  readonly load: number;
  /** Requests at once, as the adaptive limit stands. */
  readonly limit: number;
}

/** Where a conversation ran last. */
export interface Place {
  readonly upstreamId: string;
  readonly cacheDomain: string;
  /** Whether something of it is bound to this place. */
  readonly holds: boolean;
}

/** In positions of the prompt: the deepest prefix that a domain's cache can serve, and the deepest it has met. */
export interface Depths {
  readonly liveDepth: number;
  readonly seenDepth: number;
}

export interface RouteFacts {
  readonly place: Place | null;
  readonly tie: Tie;
  /** Asked once per domain, and only where there are several and the session does not decide. */
  readonly depthsIn: (cacheDomain: string) => Depths;
}

export type RouteReason = 'only' | 'bound' | 'session' | 'prefix' | 'seen' | 'load';

export type RouteDecision =
  | { readonly kind: 'chosen'; readonly upstream: Candidate; readonly reason: RouteReason }
  | { /** There was no candidate. */ readonly kind: 'none' };

/** How much more than the mean a place may have, relative to its limit, and still get a conversation that is new to it. */
const LOAD_BOUND = 1.25;
/**
 * And still keep one that runs. Balance comes from where new ones go; a long conversation that moves is written once more
 * from its first token. On recorded Claude Code traffic over four workspaces 1.25 here means 146 moves instead of 6, and 5 % of the whole cost.
 */
const STAY_BOUND = 2;
/** Requests; without it a quiet hour would tear conversations apart for the sake of a balance of one or two. */
const LOAD_SLACK = 10;
/** Ten requests are little for a limit of hundreds and more than all for a limit of four. */
const LOAD_SLACK_SHARE = 0.25;

/** @param candidates in order of preference: those that serve the tenant and whose breaker lets them be asked. */
export function chooseUpstream(candidates: readonly Candidate[], facts: RouteFacts): RouteDecision {
  const [first] = candidates;
  if (!first) return { kind: 'none' };
  if (candidates.length === 1) return { kind: 'chosen', upstream: first, reason: 'only' };
  const domains = domainsOf(candidates);
  const home = domains.find(({ cacheDomain }) => cacheDomain === facts.place?.cacheDomain);
  if (home && isBound(facts.tie)) return at(home, 'bound', facts);
  if (home && (facts.tie === 'none' ? home.hasRoom : home.mayKeep)) return at(home, 'session', facts);
  if (domains.length === 1) return at(domains[0] as Domain, 'load', facts);
  const known = domains.map((domain): Known => ({ domain, ...facts.depthsIn(domain.cacheDomain) }));
  const origin = isBound(facts.tie) && facts.place === null ? originOf(known, facts) : undefined;
  return origin ? at(origin.domain, 'bound', facts) : bestOf(known, facts);
}

export function isBound(tie: Tie): boolean {
  return tie !== 'none' && tie !== 'turns';
}

/**
 * Where the conversation is from now on; to be remembered once an answer has begun, since an attempt that failed has made
 * nothing there. A request without an answer of the model's in it may be a side request of a session (a title, a subagent),
 * so it goes where there is room and moves nobody; nor does one without ties of its own move what is bound.
 */
export function placeAfter(
  known: Place | null,
  { id, cacheDomain }: Pick<Candidate, 'id' | 'cacheDomain'>,
  tie: Tie,
): Place {
  const isHome = known?.cacheDomain === cacheDomain;
  if (known && !isHome && (tie === 'none' || (known.holds && !isBound(tie)))) return known;
  return { upstreamId: id, cacheDomain, holds: isBound(tie) || (isHome && known.holds) };
}

interface Domain {
  readonly cacheDomain: string;
  /** In order of preference. */
  readonly upstreams: Candidate[];
  readonly utilization: number;
  readonly hasRoom: boolean;
  readonly mayKeep: boolean;
}

function domainsOf(candidates: readonly Candidate[]): Domain[] {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const group = groups.get(candidate.cacheDomain);
    if (group) group.push(candidate);
    else groups.set(candidate.cacheDomain, [candidate]);
  }
  const mean = utilizationOf(candidates);
  return [...groups].map(([cacheDomain, upstreams]) => {
    const limit = limitOf(upstreams);
    const utilization = utilizationOf(upstreams);
    const slack = Math.min(LOAD_SLACK, limit * LOAD_SLACK_SHARE) / limit;
    const hasRoom = utilization <= LOAD_BOUND * mean + slack;
    const mayKeep = utilization <= STAY_BOUND * mean + slack;
    return { cacheDomain, upstreams, utilization, hasRoom, mayKeep };
  });
}

function limitOf(upstreams: readonly Candidate[]): number {
  return upstreams.reduce((sum, { limit }) => sum + Math.max(1, limit), 0);
}

function utilizationOf(upstreams: readonly Candidate[]): number {
  return upstreams.reduce((sum, { load }) => sum + load, 0) / limitOf(upstreams);
}

interface Known extends Depths {
  readonly domain: Domain;
}

/**
 * Bound, but its place is forgotten. Files were uploaded to the first upstream, where everything goes that is no message;
 * else it ran where most of it was seen. Undefined where none has seen more of it than another.
 */
function originOf(known: readonly Known[], { tie }: RouteFacts): Known | undefined {
  if (tie === 'file') return known[0];
  const [most, next] = known.toSorted((a, b) => b.seenDepth - a.seenDepth);
  return most && most.seenDepth > (next?.seenDepth ?? 0) ? most : undefined;
}

function bestOf(known: readonly Known[], facts: RouteFacts): RouteDecision {
  const [best] = known
    .filter(({ domain }) => domain.hasRoom)
    .sort(
      (a, b) => b.liveDepth - a.liveDepth || b.seenDepth - a.seenDepth || a.domain.utilization - b.domain.utilization,
    );
  if (!best) return { kind: 'none' };
  const reason = best.liveDepth > 0 ? 'prefix' : best.seenDepth > 0 ? 'seen' : 'load';
  return at(best.domain, reason, facts);
}

/** The least loaded of its upstreams; a thread goes back to the very key that has it, wherever that still is. */
function at({ upstreams }: Domain, reason: RouteReason, { tie, place }: RouteFacts): RouteDecision {
  const same = tie === 'thread' ? upstreams.find(({ id }) => id === place?.upstreamId) : undefined;
  const upstream = same ?? upstreams.reduce((least, one) => (isLighter(one, least) ? one : least));
  return { kind: 'chosen', upstream, reason };
}

function isLighter(one: Candidate, other: Candidate): boolean {
  return utilizationOf([one]) < utilizationOf([other]);
}
