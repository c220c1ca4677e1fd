/**
 * Learned placement: which markers to add to one prompt, where, with which TTL, and why. Pure: reads the index, changes
 * nothing, takes the time as a value. Causal: everything it weighs was seen before this request or is in it.
 */
import { cutsOf, type Cut } from './cuts.ts';
import { climb, NO_LADDER, type Ladder } from './ladder.ts';
import { clientMarksAreLegal, freeSlots, legalMarks } from './legal-marks.ts';
import { billOf, reachedDepth } from './look-back.ts';
import { growthsOf, type PlacementIndex } from '../learn/placement-index.ts';
import { allMarks, lastMarkable, tokensTo } from '../prompt-view.ts';
import type { Plan, PlannedMark, PlanOutcome, PlanRules, PromptView } from '../prompt-view.ts';
import { readPath, type PathReading } from './read-path.ts';
import { mayProbe, prolongVerdict, trustIn } from '../learn/trust.ts';
import { wishesFor } from './wishes.ts';

export function planCache(index: PlacementIndex, view: PromptView, rules: PlanRules, nowMs: number): Plan {
  const reading = readPath(index, view, prolongs(index, rules), nowMs);
  if (!clientMarksAreLegal(view)) return planOf(view, rules, reading, [], 'client-marks-refused', NO_LADDER);
  if (tokensTo(view, lastMarkable(view, view.hashes.length) + 1) < rules.minimumTokens)
    return planOf(view, rules, reading, [], 'below-minimum', NO_LADDER);
  if (freeSlots(view) === 0) return planOf(view, rules, reading, [], 'no-free-slot', NO_LADDER);
  const cuts = cutsOf(index, view, reading, rules, nowMs);
  const ladder = climbFrom(index, view, rules, reading, cuts, nowMs);
  const wishes = wishesFor(view, reading, cuts, ladder, believesReads(index, view, rules, nowMs));
  const marks = legalMarks(view, wishes, rules.minimumTokens);
  const left = reading.pendingDepth > 0 ? 'being-written' : 'not-worth-it';
  return planOf(view, rules, reading, marks, marks.length > 0 ? 'planned' : left, ladder);
}

export function prolongs(index: PlacementIndex, rules: PlanRules): boolean {
  return rules.prolong === 'learn' ? prolongVerdict(index.trust) === 'yes' : rules.prolong;
}

/** Whether marking an entry that may not be there pays: it saves 1 - r if it is, and costs w5 - 1 if it is not. */
function believesReads(index: PlacementIndex, view: PromptView, rules: PlanRules, nowMs: number): boolean {
  const trust = trustIn(index.trust, view.key, nowMs);
  return trust * (1 - rules.read) > (1 - trust) * (rules.write5m - 1);
}

function climbFrom(
  index: PlacementIndex,
  view: PromptView,
  rules: PlanRules,
  reading: PathReading,
  cuts: readonly Cut[],
  nowMs: number,
): Ladder {
  const client = clientFloor(view, rules);
  const floorDepth = Math.max(reading.liveDepth, client);
  const ground = {
    floorTokens: tokensTo(view, floorDepth),
    pendingTokens: tokensTo(view, reading.pendingDepth),
    unprotectedTokens: tokensTo(view, reading.liveDepth) - tokensTo(view, reading.hourDepth),
    hourBelow: reading.liveDepth === reading.hourDepth && hourMayFollow(view),
    prolong: prolongs(index, rules) && hourMayFollow(view),
    trust: trustIn(index.trust, view.key, nowMs),
    growths: growthsOf(index, view),
  };
  const ladder = climb(cuts, ground, rules);
  return ladder.hourDepth === 0 &&
    hourMayFollow(view) &&
    wantsProbe(index, rules, reading, ladder, cuts, ground.growths)
    ? { ...ladder, hourDepth: ladder.shortDepth, shortDepth: 0, why: 'probe' }
    : ladder;
}

/**
 * Whether a 1h entry prolongs a 5m prefix can only be seen where one was written and the prefix was met again after 5 to 60
 * minutes; so a few of the cheapest are, where the setting asks to learn it.
 */
function wantsProbe(
  index: PlacementIndex,
  rules: PlanRules,
  reading: PathReading,
  ladder: Ladder,
  cuts: readonly Cut[],
  growths: readonly number[],
): boolean {
  const tail = cuts.at(-1);
  if (rules.prolong !== 'learn' || rules.ttl === '5m' || !mayProbe(index.trust) || tail?.kind !== 'tail') return false;
  if (ladder.shortDepth !== tail.depth || reading.liveDepth === 0 || reading.hourDepth > 0) return false;
  const smaller = growths.filter((growth) => growth < tail.tokens - (cuts.at(-2)?.tokens ?? 0)).length;
  return tail.long >= PROBE_MIN_LONG && smaller * 4 <= growths.length;
}

const PROBE_MIN_LONG = 0.02;

/** Depth of the client's last marker: what lies below is written and paid for anyway. */
function clientFloor(view: PromptView, rules: PlanRules): number {
  const last = allMarks(view, []).at(-1);
  return last && tokensTo(view, last.at + 1) >= rules.minimumTokens ? last.at + 1 : 0;
}

function hourMayFollow(view: PromptView): boolean {
  return !allMarks(view, []).some((mark) => mark.ttl === '5m');
}

function planOf(
  view: PromptView,
  rules: PlanRules,
  reading: PathReading,
  marks: readonly PlannedMark[],
  outcome: PlanOutcome,
  ladder: Ladder,
): Plan {
  const all = allMarks(view, marks);
  const bill = billOf(view, all, reachedDepth(all, reading.live), rules.minimumTokens);
  return {
    marks,
    outcome,
    expected: { ...bill, laterSavingTokens: ladder.gainTokens },
    pendingDepth: reading.pendingDepth,
  };
}
