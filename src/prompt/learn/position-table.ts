/**
 * What is known of each prefix position, bounded by `maxPositions`: columns of typed arrays behind an open-addressing
 * table, about 130 bytes a position. A full table forgets the position untouched longest; a request touches its path from
 * the deepest position up, so a prefix is never forgotten before what extends it.
 */
import type { Expectation } from './expectations.ts';

/** A place where a request ended: what a conversation is recognised by. */
export interface EndRecord {
  readonly atMs: number;
  readonly depth: number;
  readonly turn: number;
  /** Requests that went on from here. */
  followers: number;
  readonly conversation: Conversation;
  readonly expectation: Expectation | undefined;
}

export interface Conversation {
  latestMs: number;
  latest: Expectation | undefined;
}

const NUMBER_COLUMNS = [
  'key',
  'seenMs',
  'busySinceMs',
  'nextHash',
  'untilMs',
  'prolongedUntilMs',
  'pendingUntilMs',
] as const;
const COUNT_COLUMNS = ['newer', 'older', 'passes', 'forks', 'baseDepth'] as const;
const GAP_COLUMNS = ['shortGaps', 'longGaps', 'lostGaps'] as const;
const FLAG_COLUMNS = ['hour', 'prolongedHour'] as const;

type Columns = Record<(typeof NUMBER_COLUMNS)[number], Float64Array> &
  Record<(typeof COUNT_COLUMNS)[number], Int32Array> &
  Record<(typeof GAP_COLUMNS)[number], Float32Array> &
  Record<(typeof FLAG_COLUMNS)[number], Uint8Array>;

/**
 * `busySinceMs`: since when no two passes were more than 5 minutes apart; `passes`: requests that had this prefix; `nextHash`: the position after it, last time; `forks`: how often that changed.
 * `untilMs` and `hour` mirror the cache entry at this position under the cautious reading, `prolonged…` under the other;
 * `baseDepth`: the entry it was written on top of. `…Gaps`: how far apart the passes were.
 */
export interface PositionTable extends Columns {
  readonly maxPositions: number;
  size: number;
  capacity: number;
  buckets: Int32Array;
  newest: number;
  oldest: number;
  ends: (EndRecord | undefined)[];
  expectations: (Expectation | undefined)[];
  /** The last request that had this prefix. */
  owners: (EndRecord | undefined)[];
}

const FIRST_CAPACITY = 1024;
const NONE = -1;

export function createPositionTable(maxPositions: number): PositionTable {
  const capacity = Math.min(FIRST_CAPACITY, maxPositions);
  return {
    ...columns(capacity),
    maxPositions,
    size: 0,
    capacity,
    buckets: new Int32Array(bucketCount(capacity)),
    newest: NONE,
    oldest: NONE,
    ends: [],
    expectations: [],
    owners: [],
  };
}

/** The slot of a position, or -1 where it is unknown. */
export function findSlot(table: PositionTable, key: number): number {
  const { buckets } = table;
  const mask = buckets.length - 1;
  for (let bucket = home(key) & mask; ; bucket = (bucket + 1) & mask) {
    const slot = (buckets[bucket] ?? 0) - 1;
    if (slot < 0) return NONE;
    if (table.key[slot] === key) return slot;
  }
}

/** The slot of a position, made if need be and moved to the young end. */
export function touchSlot(table: PositionTable, key: number): number {
  const found = findSlot(table, key);
  if (found >= 0) {
    unlink(table, found);
    linkNewest(table, found);
    return found;
  }
  const slot = freeSlot(table);
  resetSlot(table, slot, key);
  insertBucket(table, slot);
  linkNewest(table, slot);
  return slot;
}

function freeSlot(table: PositionTable): number {
  if (table.size < table.maxPositions) {
    if (table.size === table.capacity) grow(table);
    return table.size++;
  }
  const slot = table.oldest;
  unlink(table, slot);
  removeBucket(table, slot);
  return slot;
}

function resetSlot(table: PositionTable, slot: number, key: number): void {
  for (const column of [...NUMBER_COLUMNS, ...COUNT_COLUMNS, ...GAP_COLUMNS, ...FLAG_COLUMNS]) table[column][slot] = 0;
  table.key[slot] = key;
  table.seenMs[slot] = Number.NEGATIVE_INFINITY;
  table.untilMs[slot] = Number.NEGATIVE_INFINITY;
  table.prolongedUntilMs[slot] = Number.NEGATIVE_INFINITY;
  table.pendingUntilMs[slot] = Number.NEGATIVE_INFINITY;
  table.nextHash[slot] = NONE;
  table.ends[slot] = undefined;
  table.expectations[slot] = undefined;
  table.owners[slot] = undefined;
}

function grow(table: PositionTable): void {
  const capacity = Math.min(table.maxPositions, table.capacity * 2);
  const wider = columns(capacity);
  for (const column of [...NUMBER_COLUMNS, ...COUNT_COLUMNS, ...GAP_COLUMNS, ...FLAG_COLUMNS])
    wider[column].set(table[column]);
  Object.assign(table, wider);
  table.capacity = capacity;
  table.buckets = new Int32Array(bucketCount(capacity));
  for (let slot = 0; slot < table.size; slot++) insertBucket(table, slot);
}

function columns(capacity: number): Columns {
  const of = <Name extends string, Column>(names: readonly Name[], make: () => Column) =>
    Object.fromEntries(names.map((name) => [name, make()])) as Record<Name, Column>;
  return {
    ...of(NUMBER_COLUMNS, () => new Float64Array(capacity)),
    ...of(COUNT_COLUMNS, () => new Int32Array(capacity)),
    ...of(GAP_COLUMNS, () => new Float32Array(capacity)),
    ...of(FLAG_COLUMNS, () => new Uint8Array(capacity)),
  };
}

function bucketCount(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, capacity * 2)));
}

function home(key: number): number {
  const high = (key / 4294967296) | 0;
  const low = (key - high * 4294967296) | 0;
  const mixed = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

function insertBucket(table: PositionTable, slot: number): void {
  const mask = table.buckets.length - 1;
  let bucket = home(table.key[slot] ?? 0) & mask;
  while (table.buckets[bucket] !== 0) bucket = (bucket + 1) & mask;
  table.buckets[bucket] = slot + 1;
}

/** Linear probing without tombstones: what follows in the run moves back over the hole. */
function removeBucket(table: PositionTable, slot: number): void {
  const { buckets } = table;
  const mask = buckets.length - 1;
  let hole = home(table.key[slot] ?? 0) & mask;
  while (buckets[hole] !== slot + 1) hole = (hole + 1) & mask;
  for (let next = (hole + 1) & mask; buckets[next] !== 0; next = (next + 1) & mask) {
    const wanted = home(table.key[(buckets[next] ?? 1) - 1] ?? 0) & mask;
    if (((next - wanted) & mask) < ((next - hole) & mask)) continue;
    buckets[hole] = buckets[next] ?? 0;
    hole = next;
  }
  buckets[hole] = 0;
}

function linkNewest(table: PositionTable, slot: number): void {
  table.older[slot] = table.newest;
  table.newer[slot] = NONE;
  if (table.newest >= 0) table.newer[table.newest] = slot;
  else table.oldest = slot;
  table.newest = slot;
}

function unlink(table: PositionTable, slot: number): void {
  const newer = table.newer[slot] ?? NONE;
  const older = table.older[slot] ?? NONE;
  if (newer >= 0) table.older[newer] = older;
  else table.newest = older;
  if (older >= 0) table.newer[older] = newer;
  else table.oldest = newer;
}
