/**
 * What is compared: the fixed placements people use today, and Slipstream. A policy answers with markers as depths; only
 * Slipstream also listens to what became of a request.
 */
import type { PlacementIndex } from '../../src/prompt/learn/placement-index.ts';
import { createPlacementIndex } from '../../src/prompt/learn/placement-index.ts';
import { observeSent, type SentRequest } from '../../src/prompt/learn/observe.ts';
import { planCache } from '../../src/prompt/plan/plan.ts';
import type { Ttl } from '../../src/core/scanned-prompt.ts';
import type { PlanRules, Prolong, PromptView } from '../../src/prompt/prompt-view.ts';
import { readPath } from '../../src/prompt/plan/read-path.ts';
import { settleAnswer, type AnswerUsage } from '../../src/prompt/learn/settle-answer.ts';
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

/** @param watch what routing asks for depths; a fixed placement itself needs none. */
export function fixedPolicy(name: string, place: Placement, watch: Watch = BLIND): Policy {
  return {
    name,
    singleFlight: false,
    decide: (request) => {
      const marks = place(request).filter((mark) => mark.depth > 0 && mark.depth <= request.nodes.length);
      return { marks: marks.filter((mark, at) => marks[at + 1]?.depth !== mark.depth), pendingDepth: 0 };
    },
    ...watch,
  };
}

/** What is kept of traffic, whoever placed its markers. */
export type Watch = Pick<Policy, 'sent' | 'answered' | 'depthsIn'>;

const BLIND: Watch = { sent: () => {}, answered: () => {}, depthsIn: () => ({ liveDepth: 0, seenDepth: 0 }) };

export interface WatchOptions {
  readonly prolong: Prolong;
  readonly rulesFor: (request: TraceRequest) => Omit<PlanRules, 'prolong'>;
  readonly maxPositions: number;
}

export function watchWith(index: PlacementIndex, { prolong, rulesFor }: WatchOptions): Watch {
  const inFlight = new Map<number, SentRequest>();
  return {
    sent(request, domain, marks, nowMs) {
      const added = marks.map(({ depth, ttl }) => ({ at: depth - 1, ttl }));
      const rules = { ...rulesFor(request), prolong };
      inFlight.set(request.line, observeSent(index, viewIn(request, domain), rules, added, nowMs));
    },
    answered(request, usage) {
      const sent = inFlight.get(request.line);
      inFlight.delete(request.line);
      if (sent) settleAnswer(index, sent, usage);
    },
    depthsIn: (request, domain, nowMs) => readPath(index, viewIn(request, domain), prolong === true, nowMs),
  };
}

function viewIn({ view }: TraceRequest, domain: string): PromptView {
  return { ...view, key: `${domain}\n${view.key}` };
}

export interface SlipstreamOptions extends WatchOptions {
  readonly name: string;
  readonly singleFlight: boolean;
}

export interface SlipstreamPolicy extends Policy {
  readonly index: PlacementIndex;
  readonly planning: { count: number; ms: number };
}

export function slipstreamPolicy(options: SlipstreamOptions): SlipstreamPolicy {
  const { name, singleFlight, prolong } = options;
  const index = createPlacementIndex({ maxPositions: options.maxPositions });
  const planning = { count: 0, ms: 0 };
  return {
    name,
    singleFlight,
    index,
    planning,
    ...watchWith(index, options),
    decide(request, domain, nowMs) {
      const startedMs = performance.now();
      const plan = planCache(index, viewIn(request, domain), { ...options.rulesFor(request), prolong }, nowMs);
      planning.ms += performance.now() - startedMs;
      planning.count++;
      return { marks: plan.marks.map(({ at, ttl }) => ({ depth: at + 1, ttl })), pendingDepth: plan.pendingDepth };
    },
  };
}
