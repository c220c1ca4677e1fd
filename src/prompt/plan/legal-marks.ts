/**
 * The last word on markers. Whatever is wished for, what comes out is legal beside the client's markers, which stay as
 * they are: four at most with the automatic one, no two on a position, every 1h before every 5m, none on a position that
 * cannot carry one or below the model's minimum. Earlier wishes are served first.
 * Docs: prompt caching, "what can be cached", "mixing different TTLs", "automatic caching".
 */
import {
  allMarks,
  lastMarkable,
  MAX_MARKS,
  tokensTo,
  type Mark,
  type PlannedMark,
  type PromptView,
} from '../prompt-view.ts';

/** Whether the API will take the markers the client has set by itself. */
export function clientMarksAreLegal(view: PromptView): boolean {
  const { clientMarks, automatic } = view;
  if (clientMarks.length + freeSlotsTaken(view) > MAX_MARKS) return false;
  if (clientMarks.some((mark) => view.markable[mark.at] !== 1)) return false;
  const last = lastMarkable(view, view.hashes.length);
  if (automatic !== null && clientMarks.some((mark) => mark.at === last && mark.ttl !== automatic)) return false;
  return inOrder(allMarks(view, []));
}

export function freeSlots(view: PromptView): number {
  return Math.max(0, MAX_MARKS - view.clientMarks.length - freeSlotsTaken(view));
}

/** Slots taken by what stands on no position of its own: the automatic marker, nested ones. */
function freeSlotsTaken({ automatic, clientMarks, clientMarkers }: PromptView): number {
  return Math.max(automatic === null ? 0 : 1, (clientMarkers ?? 0) - clientMarks.length);
}

export function legalMarks(view: PromptView, wishes: readonly PlannedMark[], minimumTokens: number): PlannedMark[] {
  const chosen: PlannedMark[] = [];
  for (const wish of wishes) {
    if (chosen.length >= freeSlots(view)) break;
    if (view.markable[wish.at] !== 1 || tokensTo(view, wish.at + 1) < minimumTokens) continue;
    const standing = allMarks(view, chosen);
    if (standing.some((mark) => mark.at === wish.at)) continue;
    const mark = fitTtl(wish, standing);
    if (mark) chosen.push(mark);
  }
  return chosen.sort((a, b) => a.at - b.at);
}

/** A marker below a 1h one has to be 1h itself (and costs nothing more there); one above a 5m one has to be 5m. */
function fitTtl(wish: PlannedMark, standing: readonly Mark[]): PlannedMark | undefined {
  const hourAbove = standing.some((mark) => mark.at > wish.at && mark.ttl === '1h');
  const shortBelow = standing.some((mark) => mark.at < wish.at && mark.ttl === '5m');
  if (hourAbove) return shortBelow ? undefined : { ...wish, ttl: '1h' };
  return shortBelow ? { ...wish, ttl: '5m' } : wish;
}

function inOrder(marks: readonly Mark[]): boolean {
  return marks.every((mark, at) => at === 0 || mark.ttl === '5m' || marks[at - 1]?.ttl === '1h');
}
