import { totalInput, NO_USAGE, type TokenUsage } from '../../src/core/usage.ts';
import { observeSent } from '../../src/prompt/learn/observe.ts';
import { createPlacementIndex } from '../../src/prompt/learn/placement-index.ts';
import { planCache } from '../../src/prompt/plan/plan.ts';
import { createPrefixBook, type NotedRequest } from '../../src/prompt/book/prefix-book.ts';
import type { SharedPrefix } from '../../src/prompt/book/prefix-book-node.ts';
import type { PlanRules, PromptView } from '../../src/prompt/prompt-view.ts';
import { settleAnswer } from '../../src/prompt/learn/settle-answer.ts';
import { prefixOfBody, text } from './prefixes.ts';

/** Bodies that are planned, sent, answered as planned and noted, with a token for every byte. */
export const MODEL = 'claude-sonnet-5';
export const RULES: PlanRules = { minimumTokens: 1_024, read: 0.1, write5m: 1.25, write1h: 2, prolong: false };

/** A text block of about this many tokens; the same name is the same text. */
export const part = (name: string, tokens: number): object => text(`${name} `.padEnd(tokens, `${name}. `));

export interface Sent {
  readonly tenant?: string;
  readonly model?: string;
  readonly domain?: string;
  readonly mode?: 'auto' | 'observe';
  /** What its answer says; left out: what was planned. */
  readonly usage?: TokenUsage;
  readonly nowMs?: number;
}

export function createTraffic() {
  const index = createPlacementIndex({ maxPositions: 50_000 });
  const prefixes = createPrefixBook(index);
  let clockMs = 0;
  const send = (body: object, sent: Sent = {}): TokenUsage => {
    const nowMs = sent.nowMs ?? (clockMs += 1_000);
    clockMs = nowMs;
    const request = requestOf(body, sent);
    const { view, rules, mode } = request;
    const plan = planCache(index, view, rules, nowMs);
    settleAnswer(index, observeSent(index, view, rules, plan.marks, nowMs), null);
    const planned: TokenUsage = {
      ...NO_USAGE,
      uncachedInput: plan.expected.uncachedTokens,
      cacheRead: plan.expected.readTokens,
      cacheWrite5m: plan.expected.write5mTokens,
      cacheWrite1h: plan.expected.write1hTokens,
    };
    const usage = sent.usage ?? (mode === 'auto' ? planned : { ...NO_USAGE, uncachedInput: totalInput(planned) });
    prefixes.note(request, usage, nowMs);
    return usage;
  };
  /** Only noted: neither entries nor places where prompts part are learned from it. */
  const note = (body: object, sent: Sent = {}): void =>
    prefixes.note(requestOf(body, sent), sent.usage ?? NO_USAGE, clockMs);
  return { index, prefixes, send, note };
}

function requestOf(
  body: object,
  { tenant = 'acme', model = MODEL, domain = 'main//', mode = 'auto' }: Sent,
): NotedRequest {
  const prefix = prefixOfBody(body, `${domain}\n${model}`);
  const view: PromptView = {
    key: `${mode}\n${domain}\n${model}`,
    tenant,
    hashes: prefix.hashes,
    tokens: prefix.bytes,
    markable: prefix.positions.map(({ markable, marker }) => Number(markable || marker !== null)),
    systemEnd: prefix.systemEnd,
    clientMarks: prefix.callerMarks,
    automatic: prefix.automatic,
  };
  return { mode, domain, model, prefix, view, rules: RULES };
}

/** Where it ends, below the places of what it stands on: `tools > system[1]`. */
export function pathOf({ parent, place }: SharedPrefix): string {
  return parent ? `${pathOf(parent)} > ${place}` : place;
}
