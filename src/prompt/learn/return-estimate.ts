/**
 * How likely a prefix is met again, from shrunken counts. Within a chain of groups each estimate is pulled towards the
 * coarser one by SHRINKAGE pseudo-observations, so a group speaks as loudly as it has seen (more of them where returns are
 * rare and a wrong guess buys an hour). What a request looks like and
 * whose it is are two views of it: the tenant's odds relative to everybody's enter with half their logarithm, because the
 * two are not independent.
 */
import type { GroupIds, ReturnGroups } from './return-groups.ts';
import type { ReturnCounts } from './expectations.ts';

export interface ReturnEstimate {
  /** Probability that the prefix is met again within 5 minutes. */
  readonly short: number;
  /** … and that it is not, but then within the hour. */
  readonly long: number;
  /** Expected number of further gaps of 5 to 60 minutes before the prefix is left for good. */
  readonly longGapsAhead: number;
}

const SHRINKAGE = 12;
const LONG_SHRINKAGE = 36;
const TENANT_SHARE = 0.5;
const MAX_PROBABILITY = 0.995;
const MAX_GAPS_AHEAD = 5;

/**
 * Before anything was seen. A third of all ends return within 5 minutes, a little more than the fifth or so from which on a
 * write pays, so that a first conversation is cached; of the others one in twenty within the hour. A system prompt belongs to an application, and applications
 * are called again: even odds that a quiet one is back within the hour.
 */
const PRIOR_SHORT = 0.35;
const PRIOR_LONG = 0.05;
const PRIOR_LONG_SYSTEM = 0.45;

export function estimateEnd(learned: ReturnGroups, ids: GroupIds): ReturnEstimate {
  const short = estimate(learned, ids, EXACT_SHORT, PRIOR_SHORT);
  const later = estimate(learned, ids, EXACT_LONG, PRIOR_LONG);
  const conversation = estimate(learned, ids, CONVERSATION_LONG, PRIOR_LONG);
  return { short, long: (1 - short) * later, longGapsAhead: gapsAhead(conversation) };
}

/** The conversation comes back, whether or not it keeps the end of its prompt; `kept` of those that do keep this much. */
export function estimateEdited(learned: ReturnGroups, ids: GroupIds, kept: number): ReturnEstimate {
  const short = estimate(learned, ids, CONVERSATION_SHORT, PRIOR_SHORT);
  const later = estimate(learned, ids, CONVERSATION_LONG, PRIOR_LONG);
  return { short: short * kept, long: (1 - short) * later * kept, longGapsAhead: gapsAhead(later) * kept };
}

export function estimateShared(learned: ReturnGroups, ids: GroupIds, isSystemEnd: boolean): ReturnEstimate {
  const short = estimate(learned, ids, EXACT_SHORT, PRIOR_SHORT);
  const later = estimate(learned, ids, EXACT_LONG, isSystemEnd ? PRIOR_LONG_SYSTEM : PRIOR_LONG);
  return { short, long: (1 - short) * later, longGapsAhead: gapsAhead(later) };
}

/**
 * After 5 quiet minutes a prefix comes back within the hour with probability q, and stands before the same question again:
 * q + q² + … = q / (1 - q).
 */
export function gapsAhead(later: number): number {
  return Math.min(MAX_GAPS_AHEAD, later / (1 - Math.min(MAX_PROBABILITY, later)));
}

interface Ratio {
  readonly of: (counts: ReturnCounts) => { readonly returns: number; readonly seen: number };
  readonly shrinkage: number;
}

const EXACT_SHORT: Ratio = {
  of: (counts) => ({ returns: counts.shortReturns, seen: counts.shortSeen }),
  shrinkage: SHRINKAGE,
};
const EXACT_LONG: Ratio = {
  of: (counts) => ({ returns: counts.longReturns, seen: counts.longSeen }),
  shrinkage: LONG_SHRINKAGE,
};
const CONVERSATION_SHORT: Ratio = {
  of: (counts) => ({ returns: counts.shortConversations, seen: counts.shortSeen }),
  shrinkage: SHRINKAGE,
};
const CONVERSATION_LONG: Ratio = {
  of: (counts) => ({ returns: counts.longConversations, seen: counts.longConversationsSeen }),
  shrinkage: LONG_SHRINKAGE,
};

function estimate(learned: ReturnGroups, ids: GroupIds, ratio: Ratio, prior: number): number {
  const byTraffic = shrunken(learned, ids.traffic, ratio, prior);
  if (ids.tenant.length === 0) return byTraffic;
  const byTenant = shrunken(learned, ids.tenant, ratio, prior);
  const byAll = shrunken(learned, ids.tenant.slice(0, 1), ratio, prior);
  const odds = logOdds(byTraffic) + TENANT_SHARE * (logOdds(byTenant) - logOdds(byAll));
  return Math.min(MAX_PROBABILITY, 1 / (1 + Math.exp(-odds)));
}

function shrunken(learned: ReturnGroups, ids: readonly number[], ratio: Ratio, prior: number): number {
  let value = prior;
  for (const group of ids) {
    const counts = learned.groups.get(group);
    if (!counts) continue;
    const { returns, seen } = ratio.of(counts);
    value = (returns + ratio.shrinkage * value) / (seen + ratio.shrinkage);
  }
  return Math.min(MAX_PROBABILITY, value);
}

function logOdds(probability: number): number {
  const bounded = Math.min(0.9999, Math.max(0.0001, probability));
  return Math.log(bounded / (1 - bounded));
}
