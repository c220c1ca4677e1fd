import { beforeEach } from 'vitest';
import type { Depths } from '../../src/core/choose-upstream.ts';
import type { BreakerState } from '../../src/core/failures/circuit-breaker.ts';
import type { GatewayRequest, Outcome } from '../../src/core/exchange.ts';
import type { Fleet } from '../../src/pipeline/fleet.ts';
import type { Attempt, Context, Service } from '../../src/pipeline/service.ts';
import { withRouting } from '../../src/pipeline/with-routing.ts';
import { createMemorySessionPlaces } from '../../src/state/memory-session-places.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { entryOf, fleetOf } from './fleet-under-test.ts';
import { answeredOf, contextOf, requestOf, tenantOf, type ScriptedContext } from './scripted.ts';

/** The routing layer over three upstreams of a domain each, idle and in service until the test says otherwise. */
export interface RoutingUnderTest {
  clock: FakeClock;
  fleet: Fleet;
  context: ScriptedContext;
  /** Requests at each upstream, of a hundred. */
  loads: Readonly<Record<string, number>>;
  /** What each cache domain knows of any prompt. */
  depths: Readonly<Record<string, Depths>>;
  /** The layer within. */
  answer: Service;
  /** What reached it. */
  reached: { readonly request: GatewayRequest; readonly context: Context }[];
  /** Each move of a breaker, as `a: closed to open`. */
  moves: string[];
  /** The upstreams that were chosen, in order. */
  chosen(): (string | undefined)[];
  /** From now on there is a tenant with these upstreams only. */
  tenantAt(...upstreams: readonly string[]): void;
  state(id: string): BreakerState | undefined;
  send(part?: Partial<GatewayRequest>, changes?: Partial<Context>): Promise<Outcome>;
}

/** Call once per test file. */
export function useRouting(): RoutingUnderTest {
  const stage = {
    chosen: () => stage.reached.map(({ context }) => context.routed?.upstream.id),
    tenantAt: (...upstreams) => void (stage.context = contextOf(stage.clock, tenantOf({ upstreams }))),
    state: (id) => stage.fleet.members([id])[0]?.breaker.state(stage.clock.nowMs()),
    send: (part = {}, changes = {}) => service(requestOf(part), { ...stage.context, ...changes }),
  } as RoutingUnderTest;
  let service: Service;
  beforeEach(() => {
    stage.clock = createFakeClock();
    stage.fleet = fleetOf(entryOf('a'), entryOf('b'), entryOf('c'));
    stage.tenantAt('a', 'b', 'c');
    Object.assign(stage, { loads: {}, depths: {}, moves: [], reached: [], answer: answerAs('msg_1') });
    service = withRouting({
      clock: stage.clock,
      fleet: { members: (ids) => stage.fleet.members(ids), all: [], replace: () => {} },
      places: createMemorySessionPlaces(stage.clock),
      capacity: { load: (id) => ({ inUse: stage.loads[id] ?? 0, waiting: 0, limit: 100 }) },
      depthsIn: (_request, _context, { cacheDomain }) => stage.depths[cacheDomain] ?? { liveDepth: 0, seenDepth: 0 },
      onBreaker: (id, from, to) => stage.moves.push(`${id}: ${from} to ${to}`),
    })((request, context) => {
      stage.reached.push({ request, context });
      return stage.answer(request, context);
    });
  });
  return stage;
}

/** An answer whose content begins. */
export function answerAs(messageId: string | null): Service {
  return async (_request, { onContent }) => (onContent(messageId), answeredOf());
}

export function failedAt(...ids: string[]): Attempt {
  return { failedAt: new Set(ids), retryOf: { upstream: ids.at(-1) ?? '', reason: 'overloaded' } };
}

export function ofSession(name: string): Partial<GatewayRequest> {
  return { headers: { 'x-session-id': name } };
}

export function refusalOf(outcome: Outcome) {
  return outcome.kind === 'refused' ? outcome.refusal : null;
}
