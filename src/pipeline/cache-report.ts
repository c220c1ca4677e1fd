import { cacheResultOf, type CacheResult } from '../core/cache-result.ts';
import type { CacheStory } from '../core/exchange.ts';
import { placeOf } from '../core/scanned-prompt.ts';
import type { TokenUsage } from '../core/usage.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { explainMiss, renderExplanation, type Explanation, type KnownPrefix } from '../prompt/explain.ts';
import { LOOK_BACK_POSITIONS } from '../prompt/look-back.ts';
import type { PlacementIndex } from '../prompt/placement-index.ts';
import { allMarks, tokensTo, type Mark, type Plan, type PlannedMark, type PlanOutcome } from '../prompt/prompt-view.ts';
import { readPath } from '../prompt/read-path.ts';
import type { CacheTarget, NoTargetReason } from './cache-target.ts';

/** What is said of one request's caching, in the header, the metric and its story. */
export interface CacheReport {
  readonly result: CacheResult;
  /** Why it read less than it might have; null on a full hit. */
  readonly reason: Explanation['reason'] | OffReason | null;
  readonly explanation: Explanation | null;
}

/** Why nothing was read or written: no marker was worth its price, or none could be set. */
export type OffReason = NoTargetReason | 'observe' | 'not_worth_it' | 'refused_before';

type Target = Extract<CacheTarget, { kind: 'target' }>;

export function knownPrefix(
  index: PlacementIndex,
  target: Target,
  marks: readonly Mark[],
  elsewhere: KnownPrefix['elsewhere'],
  nowMs: number,
): KnownPrefix {
  const { view, prefix, rules } = target;
  const reading = readPath(index, view, false, nowMs);
  const { positions: table } = index;
  const written = reading.slots.findLastIndex((slot) => (table.untilMs[slot] ?? 0) > 0) + 1;
  const isLiveReachable = allMarks(view, marks).some(
    ({ at }) => at + 1 >= reading.liveDepth && at + 2 - LOOK_BACK_POSITIONS <= reading.liveDepth,
  );
  return {
    positions: prefix.positions,
    toolsEnd: prefix.toolsEnd,
    systemEnd: prefix.systemEnd,
    seenDepth: reading.seenDepth,
    previousDepth: reading.previous?.depth ?? 0,
    liveDepth: reading.liveDepth,
    writtenDepth: written,
    pendingDepth: reading.pendingDepth,
    isLiveReachable,
    elsewhere,
    tokens: tokensTo(view, view.hashes.length),
    minimumTokens: rules.minimumTokens,
  };
}

export function reportOf(known: KnownPrefix, plan: Plan, usage: TokenUsage): CacheReport {
  const result = cacheResultOf(usage);
  if (result === 'hit') return { result, reason: null, explanation: null };
  if (result === 'off' && known.tokens >= known.minimumTokens) {
    return { result, reason: OFF_REASONS[plan.outcome] ?? 'not_worth_it', explanation: null };
  }
  const explanation = explainMiss(known, usage.cacheRead);
  return { result, reason: explanation.reason, explanation };
}

const OFF_REASONS: Partial<Record<PlanOutcome, OffReason>> = { 'client-marks-refused': 'unreadable' };

export function offReport(reason: OffReason): CacheReport {
  return { result: 'off', reason, explanation: null };
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
