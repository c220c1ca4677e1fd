import { cacheResultOf, type CacheResult } from '../../core/cache-result.ts';
import type { CacheStory } from '../../core/exchange.ts';
import { placeOf } from '../../core/scanned-prompt.ts';
import { totalInput, type TokenUsage } from '../../core/usage.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { explainMiss, renderExplanation, type Explanation, type KnownPrefix } from '../../prompt/explain.ts';
import { reachedDepth } from '../../prompt/plan/look-back.ts';
import type { PlacementIndex } from '../../prompt/learn/placement-index.ts';
import {
  allMarks,
  tokensTo,
  type Mark,
  type Plan,
  type PlannedMark,
  type PlanOutcome,
} from '../../prompt/prompt-view.ts';
import type { PathReading } from '../../prompt/plan/read-path.ts';
import type { NoTargetReason, Target } from './cache-target.ts';

/** What is said of one request's caching, in the header, the metric and its story. */
export interface CacheReport {
  readonly result: CacheResult;
  /** Why it read less than it might have; null on a full hit. */
  readonly reason: Explanation['reason'] | OffReason | null;
  readonly explanation: Explanation | null;
}

/**
 * Why no marker of ours was set, or nothing came of it: `not_worth_it`: none would have paid; `refused_before`: the upstream
 * refused markers on such prompts; `not_cached`: it neither wrote nor read; `no_usage`: the answer does not say what it read.
 */
export type OffReason = NoTargetReason | 'observe' | 'not_worth_it' | 'refused_before' | 'not_cached' | 'no_usage';

export function knownPrefix(
  index: PlacementIndex,
  { view, prefix, rules }: Target,
  marks: readonly Mark[],
  elsewhere: KnownPrefix['elsewhere'],
  reading: PathReading,
): KnownPrefix {
  const { liveDepth, seenDepth, slots } = reading;
  const { untilMs, ends, forks } = index.positions;
  const seenSlot = slots[seenDepth - 1] ?? -1;
  return {
    positions: prefix.positions,
    toolsEnd: prefix.toolsEnd,
    systemEnd: prefix.systemEnd,
    seenDepth,
    seenIsJoint: ends[seenSlot] !== undefined || (forks[seenSlot] ?? 0) > 0 || seenDepth === prefix.systemEnd,
    liveDepth,
    liveTokens: tokensTo(view, liveDepth),
    writtenDepth: slots.findLastIndex((slot) => (untilMs[slot] ?? 0) > 0) + 1,
    pendingDepth: reading.pendingDepth,
    isLiveReachable: reachedDepth(allMarks(view, marks), reading.live) === liveDepth,
    elsewhere,
    tokens: tokensTo(view, view.hashes.length),
    minimumTokens: rules.minimumTokens,
  };
}

export function reportOf(known: KnownPrefix, plan: Plan, usage: TokenUsage): CacheReport {
  const result = cacheResultOf(usage);
  if (result === 'hit') return { result, reason: null, explanation: null };
  const off = result === 'off' ? offReasonOf(known, plan, usage) : 'explained';
  if (off !== 'explained') return { result, reason: off, explanation: null };
  const billed = { readTokens: usage.cacheRead, totalTokens: totalInput(usage) };
  const explanation = explainMiss(known, billed);
  return { result, reason: explanation.reason, explanation };
}

/** Nothing was read and nothing written: because of the plan, or because the upstream would not. */
function offReasonOf(known: KnownPrefix, { outcome }: Plan, usage: TokenUsage): OffReason | 'explained' {
  if (totalInput(usage) < known.minimumTokens || outcome === 'being-written') return 'explained';
  return OFF_REASONS[outcome];
}

const OFF_REASONS: Readonly<Record<PlanOutcome, OffReason>> = {
  planned: 'not_cached',
  'no-free-slot': 'not_cached',
  'below-minimum': 'not_worth_it',
  'not-worth-it': 'not_worth_it',
  'being-written': 'not_worth_it',
  'client-marks-refused': 'unreadable',
};

/** Of a request that went out as it came: what the caller's own markers did, and why there are none of ours. */
export function untouchedReport(reason: OffReason, usage: TokenUsage | null): CacheReport {
  const result = usage ? cacheResultOf(usage) : 'off';
  return { result, reason: result === 'hit' ? null : reason, explanation: null };
}

/** As `x-slipstream-cache` has it: `miss; reason=prefix-changed; at=system[1]; byte=812`. */
export function renderReport({ result, reason, explanation }: CacheReport): string {
  if (explanation) return `${result}${renderExplanation(explanation)}`;
  return reason === null ? result : `${result}; reason=${reason.replaceAll('_', '-')}`;
}

export function toStory(
  { result, reason, explanation }: CacheReport,
  { prefix }: Target,
  plan: Plan,
  added: readonly PlannedMark[],
  flight: string,
): CacheStory {
  const places = added.map(({ at, ttl, why }) => {
    const position = prefix.positions[at];
    return { place: position ? placeOf(position) : String(at), ttl, why };
  });
  const { at = null, byte = null } = explanation ?? {};
  return { result, reason, at, byte, added: places, flight, expected: { ...plan.expected } };
}

export function countReport(metrics: Metrics, tenant: string, { result, reason }: CacheReport): void {
  metrics.count('slipstream_cache_results_total', { tenant, result, reason: reason ?? '' });
}

/** One for each marker that went out, the caller's and ours. */
export function countBreakpoints(metrics: Metrics, { view, prefix }: Target, added: readonly Mark[]): void {
  const count = (source: 'client' | 'gateway', { at, ttl }: Mark): void => {
    const place = prefix.positions[at]?.section ?? 'messages';
    metrics.count('slipstream_breakpoints_total', { source, place, ttl });
  };
  for (const mark of allMarks(view, [])) count('client', mark);
  for (const mark of added) count('gateway', mark);
}
