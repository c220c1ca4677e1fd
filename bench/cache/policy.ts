/**
 * What is compared: the fixed placements people use today, and Slipstream. A policy answers with markers as depths; only
 * Slipstream also listens to what became of a request.
 */
import type { PlacementIndex } from '../../src/prompt/placement-index.ts';
import { createPlacementIndex } from '../../src/prompt/placement-index.ts';
import { observeSent, type SentRequest } from '../../src/prompt/observe.ts';
import { planCache } from '../../src/prompt/plan.ts';
import type { Ttl } from '../../src/core/scanned-prompt.ts';
import type { PlanRules, Prolong, PromptView } from '../../src/prompt/prompt-view.ts';
import { readPath } from '../../src/prompt/read-path.ts';
import { settleAnswer, type AnswerUsage } from '../../src/prompt/settle-answer.ts';
import type { TraceRequest } from './trace.ts';

/** A marker on the unit that ends the prefix of `depth` units. */
export interface DepthMark {
  readonly depth: number;
  readonly ttl: Ttl;
}

export interface Decision {
  readonly marks: readonly DepthMark[];
  /** Depth of a prefix in flight that is worth waiting for; 0 for none. */
  readonly pendingDepth: number;
}

export interface Policy {
  readonly name: string;
  readonly singleFlight: boolean;
  decide(request: TraceRequest, domain: string, nowMs: number): Decision;
  sent(request: TraceRequest, domain: string, marks: readonly DepthMark[], nowMs: number): void;
  answered(request: TraceRequest, usage: AnswerUsage): void;
  /** Depth of the longest prefix that this domain could read, and of the longest it has seen. */
  depthsIn(request: TraceRequest, domain: string, nowMs: number): { liveDepth: number; seenDepth: number };
}

type Placement = (request: TraceRequest) => readonly DepthMark[];

const system = (ttl: Ttl) => (request: TraceRequest) => [{ depth: request.systemEnd, ttl }];
const last = (ttl: Ttl) => (request: TraceRequest) => [{ depth: request.nodes.length, ttl }];
const both =
  (...parts: Placement[]): Placement =>
  (request) =>
    parts.flatMap((part) => part(request));

export const FIXED_POLICIES: readonly { name: string; place: Placement }[] = [
  { name: 'none', place: () => [] },
  { name: 'system only, 5m (LiteLLM)', place: system('5m') },
  { name: 'last block, 5m (automatic)', place: last('5m') },
  { name: 'system + last, 5m', place: both(system('5m'), last('5m')) },
  { name: 'system 1h + last 5m', place: both(system('1h'), last('5m')) },
  { name: 'system + last, 1h', place: both(system('1h'), last('1h')) },
];

export function fixedPolicy(name: string, place: Placement): Policy {
  return {
    name,
    singleFlight: false,
    decide: (request) => {
      const marks = place(request).filter((mark) => mark.depth > 0 && mark.depth <= request.nodes.length);
      return { marks: marks.filter((mark, at) => marks[at + 1]?.depth !== mark.depth), pendingDepth: 0 };
    },
    sent: () => {},
    answered: () => {},
    depthsIn: () => ({ liveDepth: 0, seenDepth: 0 }),
  };
}

export interface SlipstreamOptions {
  readonly name: string;
  readonly singleFlight: boolean;
  readonly prolong: Prolong;
  readonly rulesFor: (request: TraceRequest) => Omit<PlanRules, 'prolong'>;
  readonly maxPositions: number;
}

export interface SlipstreamPolicy extends Policy {
  readonly index: PlacementIndex;
  readonly planning: { count: number; ms: number };
}

export function slipstreamPolicy(options: SlipstreamOptions): SlipstreamPolicy {
  const index = createPlacementIndex({ maxPositions: options.maxPositions });
  const inFlight = new Map<number, SentRequest>();
  const planning = { count: 0, ms: 0 };
  const rulesFor = (request: TraceRequest): PlanRules => ({ ...options.rulesFor(request), prolong: options.prolong });
  const viewIn = (request: TraceRequest, domain: string): PromptView => ({
    ...request.view,
    key: `${domain}\n${request.view.key}`,
  });
  return {
    name: options.name,
    singleFlight: options.singleFlight,
    index,
    planning,
    decide(request, domain, nowMs) {
      const startedMs = performance.now();
      const plan = planCache(index, viewIn(request, domain), rulesFor(request), nowMs);
      planning.ms += performance.now() - startedMs;
      planning.count++;
      return { marks: plan.marks.map(({ at, ttl }) => ({ depth: at + 1, ttl })), pendingDepth: plan.pendingDepth };
    },
    sent(request, domain, marks, nowMs) {
      const added = marks.map(({ depth, ttl }) => ({ at: depth - 1, ttl }));
      inFlight.set(request.line, observeSent(index, viewIn(request, domain), rulesFor(request), added, nowMs));
    },
    answered(request, usage) {
      const sent = inFlight.get(request.line);
      inFlight.delete(request.line);
      if (sent) settleAnswer(index, sent, usage);
    },
    depthsIn: (request, domain, nowMs) => readPath(index, viewIn(request, domain), options.prolong === true, nowMs),
  };
}
