import { planCache } from '../../src/prompt/plan/plan.ts';
import { observeSent, type SentRequest } from '../../src/prompt/learn/observe.ts';
import { createPlacementIndex, type PlacementIndex } from '../../src/prompt/learn/placement-index.ts';
import type { Ttl } from '../../src/core/scanned-prompt.ts';
import type { Mark, Plan, PlanRules, PromptView } from '../../src/prompt/prompt-view.ts';
import { settleAnswer, type AnswerUsage } from '../../src/prompt/learn/settle-answer.ts';

export const SECOND_MS = 1000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

export const RULES: PlanRules = { minimumTokens: 1024, read: 0.1, write5m: 1.25, write1h: 2, prolong: false };

/** A prompt by the names of its positions, 1000 tokens each: `view('tools system | question')`, the bar ends the system. */
export function view(words: string, rest: Partial<PromptView> = {}): PromptView {
  const all = words.split(' ').filter((word) => word !== '');
  const bar = all.indexOf('|');
  const names = all.filter((word) => word !== '|');
  let chain = 0;
  const hashes = names.map((name) => (chain = hashOf(`${chain}/${name}`)));
  return {
    key: 'workspace/model',
    tenant: 'acme',
    hashes,
    tokens: names.map((_, at) => (at + 1) * 1000),
    markable: names.map((name) => (name.startsWith('thinking') ? 0 : 1)),
    systemEnd: Math.max(0, bar),
    clientMarks: [],
    automatic: null,
    ...rest,
  };
}

export function words(prefix: string, count: number): string {
  return Array.from({ length: count }, (_, at) => `${prefix}${at}`).join(' ');
}

export function mark(at: number, ttl: Ttl = '5m'): Mark {
  return { at, ttl };
}

function hashOf(text: string): number {
  let high = 0x811c9dc5;
  let low = 0xc2b2ae35;
  for (let at = 0; at < text.length; at++) {
    high = Math.imul(high ^ text.charCodeAt(at), 0x01000193);
    low = Math.imul(low ^ text.charCodeAt(at), 0x85ebca6b) + high;
  }
  return (high >>> 0) * 0x200000 + ((low >>> 0) & 0x1fffff);
}

/** A planner in traffic: plans, sends, and has every answer begin at once, as expected or with the usage given. */
export function traffic(
  rules: PlanRules = RULES,
  index: PlacementIndex = createPlacementIndex({ maxPositions: 20_000 }),
) {
  const send = (prompt: PromptView, nowMs: number, usage: AnswerUsage | null = null): Plan => {
    const plan = planCache(index, prompt, rules, nowMs);
    settleAnswer(index, observeSent(index, prompt, rules, plan.marks, nowMs), usage);
    return plan;
  };
  const begin = (prompt: PromptView, nowMs: number, marks: readonly Mark[]): SentRequest =>
    observeSent(index, prompt, rules, marks, nowMs);
  const plan = (prompt: PromptView, nowMs: number): Plan => planCache(index, prompt, rules, nowMs);
  return { index, rules, send, begin, plan };
}

export function shown(plan: Plan): string {
  return plan.marks.map(({ at, ttl, why }) => `${at}:${ttl}:${why}`).join(' ');
}
