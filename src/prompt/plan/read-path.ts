/**
 * What the index knows of one prompt at one moment: how far it was seen before, which cache entries on its path can be
 * read, what is being written, and which conversation it goes on. Reads only.
 *
 * An entry holds the tokens between it and its base, and lives while both do: one pass from the root upwards decides.
 */
import { positionKey, saltOf, type PlacementIndex } from '../learn/placement-index.ts';
import { findSlot, type EndRecord, type PositionTable } from '../learn/position-table.ts';
import { TTL_MS, type PromptView } from '../prompt-view.ts';

export interface PathReading {
  /** Depth of the deepest prefix seen before, and the slot of each position up to it. */
  readonly seenDepth: number;
  readonly slots: Int32Array;
  /** Depth of the deepest entry that can be read; 0 if there is none. */
  readonly liveDepth: number;
  /** Depth up to which a read now keeps everything alive for an hour. */
  readonly hourDepth: number;
  /** By depth: 1 where a readable entry ends. */
  readonly live: Uint8Array;
  /** The same under either reading of what a 1h write on top of a 5m entry does. */
  readonly cautious: LiveEntries;
  readonly prolonged: LiveEntries;
  /** Depth of the deepest prefix that a request in flight is writing. */
  readonly pendingDepth: number;
  readonly previous: { readonly depth: number; readonly end: EndRecord } | undefined;
  /** The request that last had all of what was seen; the conversation may go on from it with its end edited. */
  readonly owner: EndRecord | undefined;
}

export interface LiveEntries {
  readonly liveDepth: number;
  readonly hourDepth: number;
  readonly live: Uint8Array;
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
  const believed = prolong ? prolonged : cautious;
  return {
    seenDepth,
    slots,
    ...believed,
    cautious,
    prolonged,
    pendingDepth: pendingDepth(table, slots, believed.liveDepth, nowMs),
    previous: previousEnd(table, slots, nowMs) ?? editedEnd(table, slots, view.systemEnd, nowMs),
    owner: seenDepth > view.systemEnd ? table.owners[slots[seenDepth - 1] ?? 0] : undefined,
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
): LiveEntries {
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
    const lasting = base === ALIVE_FOR_HOURS && (hour[slot] === 1 || isBusyHead(table, slot, nowMs));
    state[depth] = lasting ? ALIVE_FOR_HOURS : ALIVE;
    if (lasting) hourDepth = depth;
  }
  state[0] = 0;
  return { liveDepth: depth, hourDepth, live: state };
}

/**
 * A shared head that was met every 5 minutes for an hour will be for another, whatever its TTL, and is kept alive by
 * others while this conversation pauses: an hour's write on top of it holds.
 */
function isBusyHead(table: PositionTable, slot: number, nowMs: number): boolean {
  return (table.forks[slot] ?? 0) > MAX_FORKS && nowMs - (table.busySinceMs[slot] ?? nowMs) >= TTL_MS['1h'];
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

/** No request ended on this path, but the last one that went along it past its system prompt may have had its end edited. */
function editedEnd(table: PositionTable, slots: Int32Array, systemEnd: number, nowMs: number): PathReading['previous'] {
  const depth = slots.length;
  const slot = slots[depth - 1];
  if (slot === undefined || depth <= systemEnd || (table.forks[slot] ?? 0) > MAX_FORKS) return undefined;
  const end = table.owners[slot];
  return end && nowMs - end.atMs <= FORGOTTEN_MS ? { depth, end } : undefined;
}
