import type { AttemptResult, UpstreamFailure } from '../core/attempt.ts';
import { chooseUpstream, isBound, placeAfter, type Depths, type Place } from '../core/choose-upstream.ts';
import type { Admitted, BreakerState } from '../core/failures/circuit-breaker.ts';
import type { Clock } from '../core/clock.ts';
import type { GatewayRequest, Outcome } from '../core/exchange.ts';
import { affinityOf, threadKey, type Affinity } from '../prompt/affinity.ts';
import type { SessionPlaces } from '../state/session-places.ts';
import type { UpstreamCapacity } from '../state/upstream-capacity.ts';
import { attemptResult } from './attempt-result.ts';
import type { Fleet, FleetMember } from './fleet.ts';
import type { Context, Layer } from './service.ts';
import { wholeSeconds } from './with-admission.ts';

/**
 * Which upstream is asked: one that works, and of those the one whose cache knows the prompt best, within a bound on its
 * load. Each attempt is routed anew, away from where the request has failed; what it taught of the upstream's health is
 * reported here, because here is decided who is asked next.
 */
export interface RoutingOptions {
  readonly clock: Clock;
  readonly fleet: Fleet;
  readonly capacity: Pick<UpstreamCapacity, 'load'>;
  readonly places: SessionPlaces;
  /** What the cache of a member's domain can serve of this prompt, and has met of it. */
  readonly depthsIn: (request: GatewayRequest, context: Context, member: FleetMember) => Depths;
  /** An upstream's breaker has moved: for the log. */
  readonly onBreaker: (upstreamId: string, from: BreakerState, to: BreakerState) => void;
}

export function withRouting(options: RoutingOptions): Layer {
  const { clock, fleet } = options;
  return (inner) => async (request, context) => {
    const members = membersFor(fleet, context);
    const affinity = members.length > 1 ? affinityOf(request, context.tenant.id) : NO_AFFINITY;
    const routed = route(members, affinity, request, context, options);
    if (routed.kind === 'none') return noneAvailable(routed.retryAfterMs);
    const { member, admitted } = routed;
    const report = (result: AttemptResult): void => {
      const moved = member.breaker.report(result, admitted, clock.nowMs());
      if (moved) options.onBreaker(member.upstream.id, moved.from, moved.to);
    };
    let result: AttemptResult = { kind: 'ignored' };
    try {
      // A probe's verdict is waited for by others: it is given when content begins, not minutes later when it ends.
      const onContent = (messageId: string | null): void => {
        context.onContent(messageId);
        if (admitted.isProbe) report(BEGUN);
        if (members.length > 1) remember(affinity, member, request, context, messageId, options);
      };
      const outcome = await inner(request, { ...context, routed: member, onContent });
      result = attemptResult(outcome, context.timings);
      return withoutOwnRefusal(outcome, member);
    } finally {
      report(result);
    }
  };
}

const BEGUN: AttemptResult = { kind: 'ok', ttftMs: null, uncachedTokens: null };

/** A reload has taken all of a tenant's upstreams away while its request waited. */
const NOBODY_KNOWN_MS = 1_000;

const NO_AFFINITY: Affinity = { session: null, thread: null };

type Routed =
  | { readonly kind: 'routed'; readonly member: FleetMember; readonly admitted: Admitted }
  | { readonly kind: 'none'; readonly retryAfterMs: number };

/**
 * Those that serve the tenant, or what is left of them for a request that is bound. An object's own upstream is asked for it
 * also when it serves the tenant no more: nobody else has it.
 */
function membersFor(fleet: Fleet, { tenant, boundTo }: Context): readonly FleetMember[] {
  const members = fleet.members(tenant.upstreams);
  if (!boundTo) return members;
  const home = fleet.members([boundTo.upstreamId]);
  if (boundTo.to === 'upstream') return home;
  return members.filter(({ cacheDomain }) => cacheDomain === home[0]?.cacheDomain);
}

/** The best of those that have not failed this request; else of all that can be asked. */
function route(
  members: readonly FleetMember[],
  affinity: Affinity,
  request: GatewayRequest,
  context: Context,
  options: RoutingOptions,
): Routed {
  const { failedAt } = context.attempt;
  const nowMs = options.clock.nowMs();
  const refused = new Set<FleetMember>();
  let retryAfterMs = members.length === 0 ? NOBODY_KNOWN_MS : Number.POSITIVE_INFINITY;
  for (;;) {
    const left = members.filter((member) => !refused.has(member));
    const member = choose(awayFrom(failedAt, left, request), affinity, request, context, options);
    if (!member) return { kind: 'none', retryAfterMs };
    const admitted = member.breaker.admit(nowMs);
    if (admitted.kind === 'admit') return { kind: 'routed', member, admitted };
    refused.add(member);
    retryAfterMs = Math.min(retryAfterMs, admitted.retryAfterMs);
  }
}

/** Those that have not failed this request, where there are any. What is bound to its place has only its place to go to. */
function awayFrom(
  failedAt: ReadonlySet<string>,
  members: readonly FleetMember[],
  { prompt }: GatewayRequest,
): readonly FleetMember[] {
  const fresh = members.filter(({ upstream }) => !failedAt.has(upstream.id));
  if (!isBound(prompt?.tie ?? 'none')) return fresh.length > 0 ? fresh : members;
  const freshDomains = new Set(fresh.map(({ cacheDomain }) => cacheDomain));
  return members.filter((member) => fresh.includes(member) || !freshDomains.has(member.cacheDomain));
}

function choose(
  members: readonly FleetMember[],
  affinity: Affinity,
  request: GatewayRequest,
  context: Context,
  { capacity, depthsIn, places }: RoutingOptions,
): FleetMember | undefined {
  if (members.length <= 1) return members[0];
  const candidates = members.map(({ upstream, cacheDomain }) => {
    const { inUse, waiting, limit } = capacity.load(upstream.id);
    return { id: upstream.id, cacheDomain, load: inUse + waiting, limit };
  });
  const decision = chooseUpstream(candidates, {
    place: placeOf(affinity, places),
    tie: request.prompt?.tie ?? 'none',
    depthsIn(cacheDomain) {
      const member = members.find((one) => one.cacheDomain === cacheDomain);
      return member ? depthsIn(request, context, member) : { liveDepth: 0, seenDepth: 0 };
    },
  });
  return decision.kind === 'chosen' ? members.find(({ upstream }) => upstream.id === decision.upstream.id) : undefined;
}

function placeOf({ thread, session }: Affinity, places: SessionPlaces): Place | null {
  const known = thread === null ? null : places.find(thread);
  return known ?? (session === null ? null : places.find(session));
}

/** From its first content on, a conversation is where this is; what goes on from this very answer, certainly. */
function remember(
  affinity: Affinity,
  { upstream, cacheDomain }: FleetMember,
  { prompt }: GatewayRequest,
  { tenant }: Context,
  messageId: string | null,
  { places }: RoutingOptions,
): void {
  const place = placeAfter(placeOf(affinity, places), { id: upstream.id, cacheDomain }, prompt?.tie ?? 'none');
  if (affinity.session !== null) places.remember(affinity.session, place, tenant.id);
  if (messageId !== null && prompt?.thread) places.remember(threadKey(tenant.id, messageId), place, tenant.id);
}

/** Whether one that has not failed this request could be asked instead; what is bound to its place has no elsewhere. */
export function hasElsewhere(
  { fleet, clock }: Pick<RoutingOptions, 'fleet' | 'clock'>,
  request: GatewayRequest,
  context: Context,
  failedAt: ReadonlySet<string>,
): boolean {
  const nowMs = clock.nowMs();
  const members = membersFor(fleet, context);
  const domains = new Set(members.filter(({ upstream }) => failedAt.has(upstream.id)).map((one) => one.cacheDomain));
  const mayLeave = !isBound(request.prompt?.tie ?? 'none');
  return members.some(
    ({ upstream, breaker, cacheDomain }) =>
      !failedAt.has(upstream.id) && breaker.state(nowMs) === 'closed' && (mayLeave || domains.has(cacheDomain)),
  );
}

/** No call is made, so nothing failed anew: it is tried again when the next one may be let through. */
function noneAvailable(retryAfterMs: number): Outcome {
  const failure: UpstreamFailure = { kind: 'network', retryAfterMs, shouldRetry: null };
  const refusal = { code: 'upstream_unavailable', retryAfterSeconds: wholeSeconds(retryAfterMs) } as const;
  return { kind: 'refused', refusal, failure };
}

/** What the upstream says of our key is not for the caller: it would read it as said of its own. */
function withoutOwnRefusal(outcome: Outcome, { credential }: FleetMember): Outcome {
  const failure = outcome.kind === 'held' ? outcome.failure : null;
  if (credential !== 'own' || failure?.kind !== 'credential_refused') return outcome;
  return { kind: 'refused', refusal: { code: 'upstream_credential_refused' }, failure };
}
