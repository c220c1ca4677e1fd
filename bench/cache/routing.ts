/**
 * Which of several cache domains (workspaces) gets a request. `affinity` is the gateway's way: where the longest live prefix
 * is, else where most of it was seen (what comes back a second time is worth writing only where that is known), unless that domain already has more than 1.25 times the mean load; load fades with a half-life of ten minutes.
 */
import type { Policy } from './policy.ts';
import type { TraceRequest } from './trace.ts';

export type RouterKind = 'single' | 'round-robin' | 'session' | 'affinity';

export interface Router {
  readonly kind: RouterKind;
  readonly domains: readonly string[];
  readonly load: Float64Array;
  /** Where a request that is being held was sent already. */
  readonly routed: Map<number, string>;
  fadedMs: number;
  turn: number;
}

const LOAD_BOUND = 1.25;
/** Requests; without it a quiet hour would tear conversations apart for the sake of a balance of one or two. */
const LOAD_SLACK = 10;
const HALF_LIFE_MS = 600_000;

export function createRouter(kind: RouterKind, count: number): Router {
  const domains = Array.from({ length: count }, (_, at) => `domain-${at}`);
  return { kind, domains, load: new Float64Array(count), routed: new Map(), fadedMs: 0, turn: 0 };
}

export function chooseRoute(router: Router, policy: Policy, request: TraceRequest, nowMs: number): string {
  const known = router.routed.get(request.line);
  if (known !== undefined) return known;
  const at = pick(router, policy, request, nowMs);
  router.load[at] = (router.load[at] ?? 0) + 1;
  const domain = router.domains[at] ?? '';
  router.routed.set(request.line, domain);
  return domain;
}

function pick(router: Router, policy: Policy, request: TraceRequest, nowMs: number): number {
  const count = router.domains.length;
  if (router.kind === 'single' || count === 1) return 0;
  if (router.kind === 'round-robin') return router.turn++ % count;
  const home = hash(request.session) % count;
  if (router.kind === 'session') return home;
  return longestPrefix(router, policy, request, nowMs);
}

function longestPrefix(router: Router, policy: Policy, request: TraceRequest, nowMs: number): number {
  const fade = 2 ** -((nowMs - router.fadedMs) / HALF_LIFE_MS);
  router.fadedMs = nowMs;
  router.load.forEach((load, at) => (router.load[at] = load * fade));
  const mean = router.load.reduce((sum, load) => sum + load, 1) / router.domains.length;
  const ranked = router.domains
    .map((domain, at) => ({ at, load: router.load[at] ?? 0, ...policy.depthsIn(request, domain, nowMs) }))
    .sort((a, b) => b.liveDepth - a.liveDepth || b.seenDepth - a.seenDepth || a.load - b.load);
  return (ranked.find((candidate) => candidate.load <= LOAD_BOUND * mean + LOAD_SLACK) ?? ranked[0])?.at ?? 0;
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
