/**
 * What the index knows of one prompt at one moment: how far it was seen before, which cache entries on its path can be
 * read, what is being written, and which conversation it goes on. Reads only.
 *
 * An entry holds the tokens between it and its base, and lives while both do: one pass from the root upwards decides.
 */
import { positionKey, saltOf, type PlacementIndex } from './placement-index.ts';
import { findSlot, type EndRecord, type PositionTable } from './position-table.ts';
import type { PromptView } from './prompt-view.ts';

export interface PathReading {
  /** Depth of the deepest prefix seen before, and the slot of each position up to it. */
  readonly seenDepth: number;
  readonly slots: Int32Array;
  /** Depth of the deepest entry that can be read; 0 if there is none. */
  readonly liveDepth: number;
  /** The same under the cautious and under the prolonging reading. */
  readonly cautiousDepth: number;
  readonly prolongedDepth: number;
  /** Depth up to which a read now keeps everything alive for an hour. */
  readonly hourDepth: number;
  /** By depth: 1 where a readable entry ends. */
  readonly live: Uint8Array;
  /** Depth of the deepest prefix that a request in flight is writing. */
  readonly pendingDepth: number;
  readonly previous: { readonly depth: number; readonly end: EndRecord } | undefined;
}

/** Where prompts parted more often than this there is a shared head, not the end of somebody's conversation. */
const MAX_FORKS = 3;
/** A conversation quiet for this long starts anew as far as expectations go. */
const FORGOTTEN_MS = 4 * 3_600_000;

export function readPath(index: PlacementIndex, view: PromptView, prolong: boolean, nowMs: number): PathReading {
  const table = index.positions;
  const slots = knownSlots(table, view);
  const seenDepth = slots.length;
  const cautious = liveEntries(table, slots, nowMs, table.untilMs, table.hour);
  const prolonged = liveEntries(table, slots, nowMs, table.prolongedUntilMs, table.prolongedHour);
  const { depth: liveDepth, hourDepth, live } = prolong ? prolonged : cautious;
  return {
    seenDepth,
    slots,
    liveDepth,
    cautiousDepth: cautious.depth,
    prolongedDepth: prolonged.depth,
    hourDepth,
    live,
    pendingDepth: pendingDepth(table, slots, liveDepth, nowMs),
    previous: previousEnd(table, slots, nowMs),
  };
}

function knownSlots(table: PositionTable, view: PromptView): Int32Array {
  const length = view.hashes.length;
  const slots = new Int32Array(length);
  const salt = saltOf(view.key);
  for (let at = 0; at < length; at++) {
    const slot = findSlot(table, positionKey(view.hashes[at] ?? 0, salt));
    if (slot < 0) return slots.subarray(0, at);
    slots[at] = slot;
  }
  return slots;
}

function liveEntries(
  table: PositionTable,
  slots: Int32Array,
  nowMs: number,
  untilMs: Float64Array,
  hour: Uint8Array,
): { depth: number; hourDepth: number; live: Uint8Array } {
  const ALIVE = 1;
  const ALIVE_FOR_HOURS = 2;
  const state = new Uint8Array(slots.length + 1);
  state[0] = ALIVE_FOR_HOURS;
  let depth = 0;
  let hourDepth = 0;
  for (let at = 0; at < slots.length; at++) {
    const slot = slots[at] ?? 0;
    if ((untilMs[slot] ?? 0) <= nowMs) continue;
    const base = state[table.baseDepth[slot] ?? 0] ?? 0;
    if (base === 0) continue;
    depth = at + 1;
    const lasting = hour[slot] === 1 && base === ALIVE_FOR_HOURS;
    state[depth] = lasting ? ALIVE_FOR_HOURS : ALIVE;
    if (lasting) hourDepth = depth;
  }
  state[0] = 0;
  return { depth, hourDepth, live: state };
}

function pendingDepth(table: PositionTable, slots: Int32Array, liveDepth: number, nowMs: number): number {
  for (let depth = slots.length; depth > liveDepth; depth--) {
    if ((table.pendingUntilMs[slots[depth - 1] ?? 0] ?? 0) > nowMs) return depth;
  }
  return 0;
}

function previousEnd(table: PositionTable, slots: Int32Array, nowMs: number): PathReading['previous'] {
  for (let depth = slots.length; depth > 0; depth--) {
    const slot = slots[depth - 1] ?? 0;
    const end = table.ends[slot];
    if (!end || (table.forks[slot] ?? 0) > MAX_FORKS) continue;
    return nowMs - end.atMs > FORGOTTEN_MS ? undefined : { depth, end };
  }
  return undefined;
}
