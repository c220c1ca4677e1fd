/**
 * How deep to write, and with which TTL, by expected cost in tokens of input price.
 *
 * Writing a segment of s tokens at 5m costs (w5 - 1)·s more than leaving it uncached. If the prefix is met again in time, the
 * segment is read for r instead of being written anew for w5: (w5 - r)·s saved, with the probability p that it is met
 * within 5 minutes. An hour costs (w1 - w5)·s more and saves (w5 - r)·s at each of the N gaps of 5 to 60 minutes still ahead:
 *     gain5m = s·(p·(w5 - r) - (w5 - 1))          gain1h = gain5m + s·(N·(w5 - r) - (w1 - w5))
 * Marks nest, so gains add up along the path: the best pair hour ≤ short of depths is searched, and nothing is written
 * where every sum is negative. What another request is writing already gains nothing from being written twice.
 *
 * Cautious reading: an hour needs the whole prefix to be kept for an hour (`hourDepth`), or nothing below.
 * Prolonging reading: a small 1h write D on top keeps x unprotected tokens alive as well. It is due when it pays at all, and
 * when waiting for a smaller growth d' saves less than the risk of one more gap (optimal stopping):
 *     (w1 - w5)·E[(D - d')+] ≤ P(next gap is 5 to 60 min)·(w5 - r)·(x + D)
 */
import type { Cut } from './cuts.ts';
import type { PlanRules } from '../prompt-view.ts';

export interface Ladder {
  /** Depth to be written for an hour, and for 5 minutes; 0 for none. hour ≤ short where both are set. */
  readonly hourDepth: number;
  readonly shortDepth: number;
  /** Why there is an hour, if not because the place pays by itself. */
  readonly why: 'keep' | 'probe' | null;
  readonly gainTokens: number;
}

export interface LadderGround {
  /** Tokens whose price is settled whatever we do: read, or written under a marker of the client. */
  readonly floorTokens: number;
  /** Tokens up to which another request writes right now. */
  readonly pendingTokens: number;
  /** Of the tokens that will be read, those that die with their next gap of more than 5 minutes. */
  readonly unprotectedTokens: number;
  /** Whether everything below is kept for an hour, so that an hour can be written on top. */
  readonly hourBelow: boolean;
  readonly prolong: boolean;
  /** Share of promised reads that really come. */
  readonly trust: number;
  /** What recent requests of this kind added. */
  readonly growths: readonly number[];
}

interface Rung {
  readonly depth: number;
  readonly size: number;
  readonly short: number;
  readonly hour: number;
}

export const NO_LADDER: Ladder = { hourDepth: 0, shortDepth: 0, why: null, gainTokens: 0 };

export function climb(cuts: readonly Cut[], ground: LadderGround, rules: PlanRules): Ladder {
  if (rules.ttl === '1h') return hourOnly(cuts, ground, rules);
  const rungs = rungsOf(cuts, ground, rules);
  const short = bestPrefix(rungs, 0);
  let best: Ladder = { ...NO_LADDER, shortDepth: short.depth, gainTokens: short.gain };
  if (rules.ttl === '5m') return best;
  if (ground.prolong) return keepAlive(cuts, rungs, best, ground, rules);
  if (!ground.hourBelow) return best;
  let hourGain = 0;
  rungs.forEach((rung, at) => {
    hourGain += rung.hour;
    if (rung.size === 0) return;
    const above = bestPrefix(rungs, at + 1);
    const gainTokens = hourGain + above.gain;
    if (gainTokens > best.gainTokens) best = { hourDepth: rung.depth, shortDepth: above.depth, why: null, gainTokens };
  });
  return best;
}

function rungsOf(cuts: readonly Cut[], ground: LadderGround, rules: PlanRules): Rung[] {
  const saved = (rules.write5m - rules.read) * ground.trust;
  let below = ground.floorTokens;
  return cuts.map((cut) => {
    const size = Math.max(0, cut.tokens - below);
    const pending = Math.max(0, Math.min(ground.pendingTokens, cut.tokens) - below);
    const useful = size - Math.min(size, pending);
    below = Math.max(below, cut.tokens);
    const short = useful * cut.short * saved - size * (rules.write5m - 1);
    const hour = short + useful * cut.longGapsAhead * saved - size * (rules.write1h - rules.write5m);
    return { depth: cut.depth, size, short, hour };
  });
}

/** Where nothing but an hour may be written, it has to pay as 5 minutes would, by returns within the hour. */
function hourOnly(cuts: readonly Cut[], ground: LadderGround, rules: PlanRules): Ladder {
  const within = cuts.map((cut) => ({ ...cut, short: Math.min(1, cut.short + cut.long) }));
  const { depth, gain } = bestPrefix(rungsOf(within, ground, { ...rules, write5m: rules.write1h }), 0);
  return { ...NO_LADDER, hourDepth: depth, gainTokens: gain };
}

/** The depth from rung `from` on at which the summed 5m gains are highest; depth 0 if none is positive. */
function bestPrefix(rungs: readonly Rung[], from: number): { depth: number; gain: number } {
  let best = { depth: 0, gain: 0 };
  let sum = 0;
  for (let at = from; at < rungs.length; at++) {
    const rung = rungs[at];
    if (!rung) break;
    sum += rung.short;
    if (sum > best.gain) best = { depth: rung.depth, gain: sum };
  }
  return best;
}

/** The prolonging reading: each rung as the top of a 1h write, where that pays and is due. */
function keepAlive(
  cuts: readonly Cut[],
  rungs: readonly Rung[],
  short: Ladder,
  ground: LadderGround,
  rules: PlanRules,
): Ladder {
  const saved = (rules.write5m - rules.read) * ground.trust;
  const extra = rules.write1h - rules.write5m;
  let best = short;
  let size = 0;
  let sum = 0;
  rungs.forEach((rung, at) => {
    const cut = cuts[at];
    size += rung.size;
    sum += rung.short;
    if (!cut || rung.size === 0) return;
    const kept = ground.unprotectedTokens + size;
    const worth = saved * cut.longGapsAhead * kept - extra * size;
    if (worth <= 0 || extra * meanExcess(size, ground.growths) > saved * cut.long * kept) return;
    const above = bestPrefix(rungs, at + 1);
    const gainTokens = sum + worth + above.gain;
    if (gainTokens > best.gainTokens)
      best = {
        hourDepth: rung.depth,
        shortDepth: above.depth,
        why: ground.unprotectedTokens > 0 ? 'keep' : null,
        gainTokens,
      };
  });
  return best;
}

/** E[(size - growth)+] over recent growths: what waiting for a smaller one would save. */
function meanExcess(size: number, growths: readonly number[]): number {
  if (growths.length === 0) return 0;
  return growths.reduce((sum, growth) => sum + Math.max(0, size - growth), 0) / growths.length;
}
