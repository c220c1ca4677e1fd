/**
 * The places of one prompt where a breakpoint could pay, each with how likely the prefix up to it is met again: the end of
 * tools and system, heads where different prompts parted, the deepest prefix seen before, and the tail. In prefix
 * order, and a shallower cut is never less likely than a deeper one: whoever meets the deeper one meets it too.
 */
import { tenantKey, type PlacementIndex } from '../learn/placement-index.ts';
import { lastMarkable, tokensTo, type PlanRules, type PromptView } from '../prompt-view.ts';
import type { PathReading } from './read-path.ts';
import {
  estimateEdited,
  estimateEnd,
  estimateShared,
  gapsAhead,
  type ReturnEstimate,
} from '../learn/return-estimate.ts';
import { endGroups, sharedGroups, type EndFeatures, type GroupIds } from '../learn/return-groups.ts';

export type CutKind = 'system' | 'head' | 'seen' | 'stable' | 'tail';

export interface Cut extends ReturnEstimate {
  readonly kind: CutKind;
  readonly depth: number;
  readonly tokens: number;
}

/** More heads than this on one path are not weighed: those where prompts part most often are. */
const MAX_HEADS = 8;
/** How many passes a shared prefix needs before its own gaps outweigh what prefixes like it did. */
const OWN_GAPS_WEIGHT = 2;

export function cutsOf(index: PlacementIndex, view: PromptView, reading: PathReading, rules: PlanRules, nowMs: number) {
  const cuts: Cut[] = [];
  const tailDepth = lastMarkable(view, view.hashes.length) + 1;
  for (const { depth, kind } of sharedDepths(index, view, reading)) {
    const markable = lastMarkable(view, depth) + 1;
    const tokens = tokensTo(view, markable);
    if (markable === 0 || markable >= tailDepth || tokens < rules.minimumTokens) continue;
    if (cuts.some((cut) => cut.depth === markable)) continue;
    cuts.push({ kind, depth: markable, tokens, ...estimateAt(index, view, reading, depth, nowMs) });
  }
  cuts.sort((a, b) => a.depth - b.depth);
  const tokens = tokensTo(view, tailDepth);
  if (tailDepth > 0 && tokens >= rules.minimumTokens) {
    const ids = endGroups(index.learned, endFeatures(view, reading, nowMs));
    const stable = stableCut(index, view, ids, cuts.at(-1)?.depth ?? 0);
    if (stable && stable.depth < tailDepth && stable.tokens >= rules.minimumTokens) cuts.push(stable);
    cuts.push({ kind: 'tail', depth: tailDepth, tokens, ...estimateEnd(index.learned, ids) });
  }
  return monotone(cuts);
}

/**
 * Clients that end every prompt with something of the moment (time, state, a reminder) go on from a little before its
 * end. Where that is learned, the prompt up to there is as likely to come back as the conversation.
 */
function stableCut(index: PlacementIndex, view: PromptView, ids: GroupIds, above: number): Cut | undefined {
  const tails = index.volatileTails.get(tenantKey(view));
  if (!tails) return undefined;
  const total = tails.reduce((sum, count) => sum + count, OWN_TAILS_WEIGHT);
  let kept = tails[0] ?? 0;
  for (let dropped = 1; dropped < tails.length - 1; dropped++) {
    kept += tails[dropped] ?? 0;
    if ((tails[dropped] ?? 0) < total * MIN_TAIL_SHARE) continue;
    const depth = lastMarkable(view, view.hashes.length - dropped) + 1;
    if (depth <= above) return undefined;
    return {
      kind: 'stable',
      depth,
      tokens: tokensTo(view, depth),
      ...estimateEdited(index.learned, ids, kept / total),
    };
  }
  return undefined;
}

const OWN_TAILS_WEIGHT = 4;
const MIN_TAIL_SHARE = 0.2;

/** Depths before the end of the prompt that more than one request may share. */
export function sharedDepths(
  index: PlacementIndex,
  view: PromptView,
  reading: PathReading,
): { depth: number; kind: CutKind }[] {
  const length = view.hashes.length;
  const found: { depth: number; kind: CutKind }[] = [];
  if (view.systemEnd > 0 && view.systemEnd < length) found.push({ depth: view.systemEnd, kind: 'system' });
  const { seenDepth } = reading;
  if (seenDepth > 0 && seenDepth < length && seenDepth !== view.systemEnd)
    found.push({ depth: seenDepth, kind: 'seen' });
  for (const depth of headDepths(index, view, reading)) found.push({ depth, kind: 'head' });
  return found;
}

function headDepths(index: PlacementIndex, view: PromptView, { slots }: PathReading): number[] {
  const table = index.positions;
  const heads: { depth: number; forks: number }[] = [];
  for (let at = 0; at < slots.length - 1; at++) {
    const slot = slots[at] ?? 0;
    const forks = table.forks[slot] ?? 0;
    if (forks === 0 || at + 1 === view.systemEnd) continue;
    if (forks > 1 || table.nextHash[slot] !== view.hashes[at + 1]) heads.push({ depth: at + 1, forks });
  }
  if (heads.length > MAX_HEADS) heads.sort((a, b) => b.forks - a.forks || b.depth - a.depth);
  return heads.slice(0, MAX_HEADS).map((head) => head.depth);
}

function estimateAt(
  index: PlacementIndex,
  view: PromptView,
  reading: PathReading,
  depth: number,
  nowMs: number,
): ReturnEstimate {
  const estimate = estimateShared(
    index.learned,
    sharedGroupsAt(index, view, reading, depth, nowMs),
    depth === view.systemEnd,
  );
  const slot = depth <= reading.seenDepth ? reading.slots[depth - 1] : undefined;
  return slot === undefined ? estimate : withOwnGaps(index, slot, estimate);
}

export function sharedGroupsAt(
  index: PlacementIndex,
  view: PromptView,
  reading: PathReading,
  depth: number,
  nowMs: number,
): GroupIds {
  const slot = depth <= reading.seenDepth ? reading.slots[depth - 1] : undefined;
  const table = index.positions;
  return sharedGroups(index.learned, {
    key: view.key,
    tenant: view.tenant,
    isSystemEnd: depth === view.systemEnd,
    passes: slot === undefined ? 0 : (table.passes[slot] ?? 0),
    gapMs: slot === undefined ? Number.POSITIVE_INFINITY : nowMs - (table.seenMs[slot] ?? 0),
  });
}

function withOwnGaps(index: PlacementIndex, slot: number, estimate: ReturnEstimate): ReturnEstimate {
  const table = index.positions;
  const short = table.shortGaps[slot] ?? 0;
  const long = table.longGaps[slot] ?? 0;
  const lost = table.lostGaps[slot] ?? 0;
  const weight = OWN_GAPS_WEIGHT;
  const total = short + long + lost + weight;
  const never = Math.max(0.001, 1 - estimate.short - estimate.long);
  const longWeight = long + weight * estimate.long;
  return {
    short: (short + weight * estimate.short) / total,
    long: longWeight / total,
    longGapsAhead: gapsAhead(longWeight / (longWeight + lost + weight * never)),
  };
}

export function endFeatures(view: PromptView, reading: PathReading, nowMs: number): EndFeatures {
  const { previous, seenDepth } = reading;
  const lengthTokens = tokensTo(view, view.hashes.length);
  return {
    key: view.key,
    tenant: view.tenant,
    turn: previous ? previous.end.turn + 1 : 1,
    lengthTokens,
    growthTokens: previous ? lengthTokens - tokensTo(view, previous.depth) : 0,
    gapMs: previous ? nowMs - previous.end.conversation.latestMs : 0,
    familiarity: seenDepth > view.systemEnd + 1 ? 2 : seenDepth > 0 ? 1 : 0,
    siblings: previous ? previous.end.followers : 0,
  };
}

function monotone(cuts: readonly Cut[]): Cut[] {
  const result = [...cuts];
  for (let at = result.length - 2; at >= 0; at--) {
    const cut = result[at];
    const deeper = result[at + 1];
    if (!cut || !deeper) continue;
    const short = Math.max(cut.short, deeper.short);
    const within = Math.max(cut.short + cut.long, deeper.short + deeper.long);
    result[at] = {
      ...cut,
      short,
      long: Math.max(0, within - short),
      longGapsAhead: Math.max(cut.longGapsAhead, deeper.longGapsAhead),
    };
  }
  return result;
}
