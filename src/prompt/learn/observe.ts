/**
 * What a request teaches when it is sent: who came back to what, where prompts part, what is being written from now on.
 * The entries it writes exist only once its answer begins (`settle-answer.ts`); a request that fails before leaves none.
 */
import { endFeatures, sharedDepths, sharedGroupsAt } from '../plan/cuts.ts';
import { markReturn, settle, watch, type Expectation } from './expectations.ts';
import { reachedDepth } from '../plan/look-back.ts';
import { positionKey, recordGrowth, recordTail, saltOf, tenantKey, type PlacementIndex } from './placement-index.ts';
import { findSlot, touchSlot } from './position-table.ts';
import { prolongs } from '../plan/plan.ts';
import {
  allMarks,
  tokensTo,
  TTL_MS,
  type Mark,
  type PlannedMark,
  type PlanRules,
  type PromptView,
} from '../prompt-view.ts';
import { readPath, type PathReading } from '../plan/read-path.ts';
import { countsOf, endGroups, learnName } from './return-groups.ts';

/** A request on its way, as `settleAnswer` needs it. */
export interface SentRequest {
  readonly view: PromptView;
  readonly rules: PlanRules;
  /** All markers it carries, the client's among them, in prefix order. */
  readonly marks: readonly Mark[];
  readonly sentMs: number;
  /** Depth of the entry it should read, as believed and under either reading of prolonging. */
  readonly hitDepth: number;
  /** By depth: not 0 where a readable entry ended when it was sent. */
  readonly live: Uint8Array;
  readonly cautiousDepth: number;
  readonly prolongedDepth: number;
}

/** How long a write in flight is taken to be on its way before it counts as lost. */
const PENDING_MS = 10_000;
const GAP_FADE = 0.97;

/** @param reading of this moment, where somebody else has read the path, too. */
export function observeSent(
  index: PlacementIndex,
  view: PromptView,
  rules: PlanRules,
  added: readonly (Mark | PlannedMark)[],
  nowMs: number,
  reading = readPath(index, view, prolongs(index, rules), nowMs),
): SentRequest {
  settle(index.queues, nowMs);
  learnName(index.learned, view.key);
  learnName(index.learned, tenantKey(view));
  const features = endFeatures(view, reading, nowMs);
  const ends = countsOf(index.learned, endGroups(index.learned, features));
  const shared = watchShared(index, view, rules, reading, nowMs);
  const path = touchPath(index, view, nowMs);
  for (const { depth, expectation } of shared) setExpectation(index, view, depth, expectation);
  if (view.hashes.length > 0)
    endHere(index, view, reading, path, watch(index.queues, nowMs, ends), features.growthTokens, nowMs);
  return sentRequest(index, view, rules, added, reading, nowMs);
}

function sentRequest(
  index: PlacementIndex,
  view: PromptView,
  rules: PlanRules,
  added: readonly (Mark | PlannedMark)[],
  reading: PathReading,
  nowMs: number,
): SentRequest {
  const marks = allMarks(view, added);
  const hitDepth = reachedDepth(marks, reading.live);
  if (added.some((mark) => 'why' in mark && mark.why === 'probe')) index.trust.prolong.probesAsked++;
  for (const mark of marks) {
    if (mark.at + 1 <= hitDepth || tokensTo(view, mark.at + 1) < rules.minimumTokens) continue;
    const slot = slotAt(index, view, mark.at + 1);
    if (slot >= 0) index.positions.pendingUntilMs[slot] = nowMs + PENDING_MS;
  }
  return {
    view,
    rules,
    marks,
    sentMs: nowMs,
    live: reading.live,
    hitDepth,
    cautiousDepth: reachedDepth(marks, reading.cautious.live),
    prolongedDepth: reachedDepth(marks, reading.prolonged.live),
  };
}

/** Shared places were met again, or for the first time: their gaps are counted and they are watched anew. */
function watchShared(index: PlacementIndex, view: PromptView, rules: PlanRules, reading: PathReading, nowMs: number) {
  const watched: { depth: number; expectation: Expectation }[] = [];
  for (const { depth } of sharedDepths(index, view, reading)) {
    if (tokensTo(view, depth) < rules.minimumTokens) continue;
    const slot = depth <= reading.seenDepth ? reading.slots[depth - 1] : undefined;
    if (slot !== undefined) {
      const met = index.positions.expectations[slot];
      if (met) markReturn(index.queues, met, 'exact', nowMs);
      countGap(index, slot, nowMs);
    }
    const counts = countsOf(index.learned, sharedGroupsAt(index, view, reading, depth, nowMs));
    watched.push({ depth, expectation: watch(index.queues, nowMs, counts) });
  }
  return watched;
}

function countGap({ positions: table }: PlacementIndex, slot: number, nowMs: number): void {
  const gapMs = nowMs - (table.seenMs[slot] ?? 0);
  if (gapMs === Number.POSITIVE_INFINITY) return; // another process met it, nobody here has
  const column = gapMs <= TTL_MS['5m'] ? 'shortGaps' : gapMs <= TTL_MS['1h'] ? 'longGaps' : 'lostGaps';
  for (const gaps of ['shortGaps', 'longGaps', 'lostGaps'] as const)
    table[gaps][slot] = (table[gaps][slot] ?? 0) * GAP_FADE + (gaps === column ? 1 : 0);
}

/** From the deepest position up, so that the table forgets what extends a prefix before the prefix. */
function touchPath(index: PlacementIndex, view: PromptView, nowMs: number): Int32Array {
  const table = index.positions;
  const path = new Int32Array(view.hashes.length);
  const salt = saltOf(view.key);
  for (let at = view.hashes.length - 1; at >= 0; at--) {
    const slot = touchSlot(table, positionKey(view.hashes[at] ?? 0, salt));
    path[at] = slot;
    if (nowMs - (table.seenMs[slot] ?? 0) > TTL_MS['5m']) table.busySinceMs[slot] = nowMs;
    table.seenMs[slot] = nowMs;
    table.passes[slot] = (table.passes[slot] ?? 0) + 1;
    const next = view.hashes[at + 1];
    if (next === undefined) continue;
    const known = table.nextHash[slot] ?? -1;
    if (known >= 0 && known !== next) table.forks[slot] = (table.forks[slot] ?? 0) + 1;
    table.nextHash[slot] = next;
  }
  return path;
}

/** This prompt's end becomes what the next request of its conversation is recognised by. */
function endHere(
  index: PlacementIndex,
  view: PromptView,
  { previous, owner, seenDepth }: PathReading,
  path: Int32Array,
  expectation: Expectation,
  growthTokens: number,
  nowMs: number,
): void {
  const conversation = previous?.end.conversation ?? { latestMs: nowMs, latest: undefined };
  if (previous) {
    previous.end.followers++;
    const extendsEnd = previous.end.depth === previous.depth;
    if (extendsEnd && previous.end.expectation) markReturn(index.queues, previous.end.expectation, 'exact', nowMs);
    if (conversation.latest) markReturn(index.queues, conversation.latest, 'conversation', nowMs);
    if (extendsEnd && nowMs - conversation.latestMs < TTL_MS['1h']) recordGrowth(index, view, growthTokens);
  }
  conversation.latest = expectation;
  conversation.latestMs = nowMs;
  if (owner) recordTail(index, tenantKey(view), owner.depth - seenDepth);
  const depth = view.hashes.length;
  const turn = previous ? previous.end.turn + 1 : 1;
  const end = { atMs: nowMs, depth, turn, followers: 0, conversation, expectation };
  const slot = slotAt(index, view, depth);
  if (slot >= 0) index.positions.ends[slot] = end;
  for (const owned of path) index.positions.owners[owned] = end;
}

function setExpectation(index: PlacementIndex, view: PromptView, depth: number, expectation: Expectation): void {
  const slot = slotAt(index, view, depth);
  if (slot >= 0) index.positions.expectations[slot] = expectation;
}

export function slotAt(index: PlacementIndex, view: PromptView, depth: number): number {
  const hash = view.hashes[depth - 1];
  return hash === undefined ? -1 : findSlot(index.positions, positionKey(hash, saltOf(view.key)));
}
