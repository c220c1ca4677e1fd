/**
 * Which markers would be best, in order of worth: the deepest readable entry (so that the look-back cannot miss it), what
 * the ladder wants written, then shared heads on the way: what lies below a write costs nothing more to mark, and a
 * prompt that parts there finds an entry.
 */
import type { Ttl } from '../../core/scanned-prompt.ts';
import type { Cut } from './cuts.ts';
import type { Ladder } from './ladder.ts';
import { reachedDepth } from './look-back.ts';
import { allMarks, lastMarkable, type PlannedMark, type PromptView } from '../prompt-view.ts';
import type { PathReading } from './read-path.ts';

/** @param believesReads false where promised reads do not come: then a marker on a presumed entry is a write in disguise. */
export function wishesFor(
  view: PromptView,
  reading: PathReading,
  cuts: readonly Cut[],
  ladder: Ladder,
  believesReads: boolean,
): PlannedMark[] {
  const wishes: PlannedMark[] = [];
  const wish = (depth: number, ttl: Ttl, why: PlannedMark['why']) => {
    const at = lastMarkable(view, depth);
    if (at >= 0 && !wishes.some((known) => known.at === at)) wishes.push({ at, ttl, why });
  };
  const standing = allMarks(view, []);
  if (ladder.hourDepth > 0) wish(ladder.hourDepth, '1h', ladder.why ?? kindAt(cuts, ladder.hourDepth));
  if (ladder.shortDepth > ladder.hourDepth) wish(ladder.shortDepth, '5m', kindAt(cuts, ladder.shortDepth));
  const below = (depth: number): Ttl => (depth < ladder.hourDepth ? '1h' : '5m');
  const written = wishes.length;
  const missed = standing.length === 0 || reachedDepth(standing, reading.live) < reading.liveDepth;
  if (reading.liveDepth > 0 && missed && believesReads) wish(reading.liveDepth, below(reading.liveDepth), 'live');
  const live = wishes.splice(written);
  const { liveDepth: maybeLive } = reading.prolonged;
  const top = Math.max(reading.liveDepth, ladder.hourDepth, ladder.shortDepth, (standing.at(-1)?.at ?? -1) + 1);
  // Whether it lives is what is being learned; under a write it costs nothing to ask.
  if (maybeLive > reading.liveDepth && maybeLive < top) wish(maybeLive, below(maybeLive), 'probe');
  for (const cut of headsBelow(cuts, reading, top)) wish(cut.depth, below(cut.depth), cut.kind);
  return [...live, ...wishes];
}

/** Shared places under what is read or written anyway, those that will be met soonest and hold most first. */
function headsBelow(cuts: readonly Cut[], reading: PathReading, top: number): Cut[] {
  const weight = (cut: Cut) => (cut.short + cut.long) * cut.tokens;
  return cuts
    .filter(
      (cut) => cut.kind !== 'tail' && cut.depth < top && reading.live[cut.depth] !== 1 && reading.live[cut.depth] !== 2,
    )
    .sort((a, b) => Number(a.kind === 'seen') - Number(b.kind === 'seen') || weight(b) - weight(a));
}

function kindAt(cuts: readonly Cut[], depth: number): Cut['kind'] {
  return cuts.find((cut) => cut.depth === depth)?.kind ?? 'tail';
}
