import type { Cost } from '../../core/prices.ts';
import type { TokenUsage } from '../../core/usage.ts';
import type { Cut, SegmentShare } from './prefix-book-shares.ts';
import type { PlanRules } from '../prompt-view.ts';

/**
 * One prefix that requests share, as numbers: how often and by whom it was used, and what was read and written between the
 * end of the one it stands on and its own. No text of it.
 */
export interface SharedPrefix {
  /** Chain hash; it stays in the process. */
  readonly hash: number;
  readonly domain: string;
  readonly model: string;
  readonly place: string;
  /** Positions from the start of the prompt. */
  readonly depth: number;
  /** Whether the model's price is known; else the dollars below say nothing. */
  readonly isPriced: boolean;
  /** `candidate`: met once so far. `forgotten`: others took its room. */
  standing: 'candidate' | 'known' | 'forgotten';
  /** The longest known prefix that this one goes on from. */
  parent: SharedPrefix | null;
  /** From the start of the prompt to its end. An estimate is the mean of what answers let conclude. */
  length: Cut;
  requests: number;
  lastUsedMs: number;
  /** Requests by tenant. */
  readonly tenants: Map<string, number>;
  /** Hash of the position behind it, the first time; whether another was seen since. */
  readonly firstNext: number;
  hasParted: boolean;
  readTokens: number;
  writeTokens: number;
  /** What was read would have cost so much more, what was written so much less, at the price of input. */
  readSavingUsd: number;
  writePremiumUsd: number;
  /** Where the planner's index knows its cache entry; null: only seen where nothing was to be changed. */
  entry: { readonly salt: number; readonly rules: PlanRules } | null;
}

export interface Tokens {
  readonly readTokens: number;
  readonly writeTokens: number;
}

export function plusTokens(one: Tokens, other: Tokens): Tokens {
  return { readTokens: one.readTokens + other.readTokens, writeTokens: one.writeTokens + other.writeTokens };
}

/** What of one answer falls to each token of its segments. */
export interface Prices {
  readonly readSavingUsd: number;
  readonly write5mPremiumUsd: number;
  readonly write1hPremiumUsd: number;
}

/** `cost` knows what multiplies the prices of this answer; the rules know how premiums relate to each other. */
export function pricesPerToken(
  cost: Cost | null,
  { cacheRead, cacheWrite5m, cacheWrite1h }: TokenUsage,
  rules: { readonly write5m: number; readonly write1h: number },
): Prices | null {
  if (!cost) return null;
  const weight = cacheWrite5m * (rules.write5m - 1) + cacheWrite1h * (rules.write1h - 1);
  const premiumUsd = weight > 0 ? cost.writePremiumUsd / weight : 0;
  return {
    readSavingUsd: cacheRead > 0 ? cost.readSavingUsd / cacheRead : 0,
    write5mPremiumUsd: premiumUsd * (rules.write5m - 1),
    write1hPremiumUsd: premiumUsd * (rules.write1h - 1),
  };
}

/** Its requests are counted by now. */
export function addShare(node: SharedPrefix, share: SegmentShare, prices: Prices | null): void {
  const { end, readTokens, write5mTokens, write1hTokens } = share;
  node.length = end.known === 'billed' ? end : meanOf(node.length, end, Math.max(NEWEST_WEIGHT, 1 / node.requests));
  node.readTokens += readTokens;
  node.writeTokens += write5mTokens + write1hTokens;
  if (!prices) return;
  node.readSavingUsd += readTokens * prices.readSavingUsd;
  node.writePremiumUsd += write5mTokens * prices.write5mPremiumUsd + write1hTokens * prices.write1hPremiumUsd;
}

const NEWEST_WEIGHT = 0.05;

function meanOf(one: Cut, newest: Cut, weight: number): Cut {
  return { tokens: one.tokens + (newest.tokens - one.tokens) * weight, known: 'estimated' };
}
