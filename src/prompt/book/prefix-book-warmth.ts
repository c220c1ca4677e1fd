import { positionKey, type PlacementIndex } from '../learn/placement-index.ts';
import { prolongs } from '../plan/plan.ts';
import { findSlot } from '../learn/position-table.ts';
import type { SharedPrefix } from './prefix-book-node.ts';

/**
 * Until when a shared prefix can be read, as the planner believes at this moment: an entry of the cache ends exactly here,
 * it lives, and so does the one it was written on top of. A prefix in the middle of a longer entry is not readable: what
 * parts right behind it finds nothing (docs: prompt caching, look-back).
 *
 * Asked of the index instead of kept from usage: expiry, refresh by deeper reads and other replicas' writes are mirrored
 * there already, and two mirrors would disagree.
 */
export type Warmth =
  { readonly kind: 'cold' } | { readonly kind: 'warm'; readonly untilMs: number; readonly ttl: '5m' | '1h' };

const COLD: Warmth = { kind: 'cold' };

/** @returns what is asked for each of many prefixes at one moment; what many stand on is looked up once. */
export function warmthsAt(index: PlacementIndex, nowMs: number): (node: SharedPrefix) => Warmth {
  const known = new Map<SharedPrefix, Warmth>();
  const warmthOf = (node: SharedPrefix): Warmth => {
    const warmth = known.get(node) ?? lookUp(index, node, nowMs, warmthOf);
    known.set(node, warmth);
    return warmth;
  };
  return warmthOf;
}

function lookUp(
  index: PlacementIndex,
  node: SharedPrefix,
  nowMs: number,
  warmthOf: (base: SharedPrefix) => Warmth,
): Warmth {
  if (!node.entry) return COLD;
  const { positions: table } = index;
  const slot = findSlot(table, positionKey(node.hash, node.entry.salt));
  if (slot < 0) return COLD;
  const isProlonged = prolongs(index, node.entry.rules);
  const untilMs = (isProlonged ? table.prolongedUntilMs : table.untilMs)[slot] ?? 0;
  if (untilMs <= nowMs) return COLD;
  const below = baseOf(node, table.baseDepth[slot] ?? 0);
  const base = below ? warmthOf(below) : null;
  if (base?.kind === 'cold') return COLD;
  const hour = (isProlonged ? table.prolongedHour : table.hour)[slot];
  return { kind: 'warm', untilMs: Math.min(untilMs, base?.untilMs ?? untilMs), ttl: hour === 1 ? '1h' : '5m' };
}

/** What it was written on, if that is known as shared; it is refreshed with what stands on it, so it rarely decides. */
function baseOf({ parent }: SharedPrefix, depth: number): SharedPrefix | null {
  for (let node = parent; node && node.depth >= depth; node = node.parent) if (node.depth === depth) return node;
  return null;
}
