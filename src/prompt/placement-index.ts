/**
 * Everything placement remembers, bounded: positions, open expectations, learned groups, recent growths, and what
 * usage has told about promises that were not kept. Only the observe functions write to it; planning reads.
 */
import { createExpectationQueues, type ExpectationQueues } from './expectations.ts';
import { createPositionTable, type PositionTable } from './position-table.ts';
import { createReturnGroups, type ReturnGroups } from './return-groups.ts';
import { createTrust, type Trust } from './trust.ts';

export interface PlacementIndex {
  readonly positions: PositionTable;
  readonly queues: ExpectationQueues;
  readonly learned: ReturnGroups;
  /** By key: tokens that recent requests added to their conversation. */
  readonly growths: Map<string, number[]>;
  readonly trust: Trust;
}

export interface PlacementIndexOptions {
  /** About 100 bytes each. */
  readonly maxPositions: number;
}

const MAX_GROWTH_KEYS = 1024;
const GROWTHS_KEPT = 64;

export function createPlacementIndex({ maxPositions }: PlacementIndexOptions): PlacementIndex {
  return {
    positions: createPositionTable(maxPositions),
    queues: createExpectationQueues(),
    learned: createReturnGroups(),
    growths: new Map(),
    trust: createTrust(),
  };
}

export function recordGrowth(index: PlacementIndex, key: string, tokens: number): void {
  const known = index.growths.get(key);
  if (known) {
    known.push(tokens);
    if (known.length > GROWTHS_KEPT) known.shift();
    return;
  }
  if (index.growths.size < MAX_GROWTH_KEYS) index.growths.set(key, [tokens]);
}

/** Chain hashes of different keys must not meet, also where the caller has not mixed the key into them. */
export function saltOf(key: string): number {
  let high = 0x811c9dc5;
  let low = 0x01000193;
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x5bd1e995) + high;
  }
  return (high >>> 0) * 0x200000 + ((low >>> 0) & 0x1fffff);
}

/** The key of a position: its chain hash, moved by the salt within 53 bits (a bijection for each salt). */
export function positionKey(hash: number, salt: number): number {
  const room = Number.MAX_SAFE_INTEGER - salt;
  return hash > room ? hash - room : hash + salt;
}
