/**
 * Which of several cache domains (workspaces) gets a request. `session`, `prefix` and `affinity` are the gateway's own
 * decision: with what it remembers of sessions alone, with what the index knows of prefixes alone, and with both, which
 * is how it runs. The others need no memory. A client's session is the trace's: a gateway sees it in a header.
 *
 * The decision weighs requests under way; a replay has none, so load is requests, fading with a half-life.
 */
import { chooseUpstream, placeAfter, type Candidate } from '../../src/core/choose-upstream.ts';
import { hashText } from '../../src/prompt/content-hash.ts';
import { createMemorySessionPlaces, type MemorySessionPlaces } from '../../src/state/memory-session-places.ts';
import type { Policy } from './policy.ts';
import type { TraceRequest } from './trace.ts';

export const ROUTER_KINDS = ['round-robin', 'session hash', 'session', 'prefix', 'affinity'] as const;
export type RouterKind = 'single' | (typeof ROUTER_KINDS)[number];

export interface Router {
  readonly kind: RouterKind;
  readonly domains: readonly string[];
  readonly load: Float64Array;
  readonly places: MemorySessionPlaces;
  /** Where a request that is being held was sent already. */
  readonly routed: Map<number, string>;
  readonly halfLifeMs: number;
  nowMs: number;
  turn: number;
}

/** The default of `maxConcurrency`; it sets how much slack ten requests are. */
const LIMIT = 256;

export function createRouter(kind: RouterKind, count: number, halfLifeMs = 600_000): Router {
  const router: Router = {
    kind,
    domains: Array.from({ length: count }, (_, at) => `domain-${at}`),
    load: new Float64Array(count),
    places: createMemorySessionPlaces({ nowMs: () => router.nowMs }),
    routed: new Map(),
    halfLifeMs,
    nowMs: 0,
    turn: 0,
  };
  return router;
}

export function chooseRoute(router: Router, policy: Policy, request: TraceRequest, nowMs: number): string {
  const known = router.routed.get(request.line);
  if (known !== undefined) return known;
  fade(router, nowMs);
  const at = pick(router, policy, request);
  router.load[at] = (router.load[at] ?? 0) + 1;
  const domain = router.domains[at] ?? '';
  router.routed.set(request.line, domain);
  return domain;
}

function fade(router: Router, nowMs: number): void {
  const share = 2 ** -((nowMs - router.nowMs) / router.halfLifeMs);
  router.nowMs = nowMs;
  router.load.forEach((load, at) => (router.load[at] = load * share));
}

function pick(router: Router, policy: Policy, request: TraceRequest): number {
  const count = router.domains.length;
  if (router.kind === 'single' || count === 1) return 0;
  if (router.kind === 'round-robin') return router.turn++ % count;
  if (router.kind === 'session hash') return hashText(request.session) % count;
  return decide(router, policy, request);
}

function decide({ kind, domains, load, places, nowMs }: Router, policy: Policy, request: TraceRequest): number {
  const candidates = domains.map((id, at): Candidate => ({ id, cacheDomain: id, load: load[at] ?? 0, limit: LIMIT }));
  const key = hashText(request.session);
  const place = kind === 'prefix' ? null : places.find(key);
  const tie = place ? 'turns' : 'none';
  const depthsIn = (domain: string) =>
    kind === 'session' ? { liveDepth: 0, seenDepth: 0 } : policy.depthsIn(request, domain, nowMs);
  const decision = chooseUpstream(candidates, { place, tie, depthsIn });
  if (decision.kind === 'none') return 0;
  places.remember(key, placeAfter(place, decision.upstream, tie));
  return domains.indexOf(decision.upstream.id);
}
