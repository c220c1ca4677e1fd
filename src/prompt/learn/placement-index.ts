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
  /** By tenant and key: tokens that recent requests added to their conversation. */
  readonly growths: Map<string, number[]>;
  /** By tenant and key: how many positions at the end of a prompt its successor did not keep. */
  readonly volatileTails: Map<string, Float64Array>;
  readonly trust: Trust;
}

export interface PlacementIndexOptions {
  /** About 130 bytes each. */
  readonly maxPositions: number;
}

const MAX_TENANTS = 4096;
const GROWTHS_KEPT = 64;

export function createPlacementIndex({ maxPositions }: PlacementIndexOptions): PlacementIndex {
  return {
    positions: createPositionTable(maxPositions),
    queues: createExpectationQueues(),
    learned: createReturnGroups(),
    growths: new Map(),
    volatileTails: new Map(),
    trust: createTrust(),
  };
}

/** Recent growths of this tenant's conversations, or of everybody's with this key where those are too few. */
export function growthsOf({ growths }: PlacementIndex, view: Tenancy): readonly number[] {
  const own = growths.get(tenantKey(view)) ?? [];
  return own.length >= GROWTHS_KEPT / 2 ? own : (growths.get(view.key) ?? []);
}

export function recordGrowth(index: PlacementIndex, view: Tenancy, tokens: number): void {
  for (const key of [view.key, tenantKey(view)]) {
    const known = index.growths.get(key);
    if (known) {
      known.push(tokens);
      if (known.length > GROWTHS_KEPT) known.shift();
    } else if (index.growths.size < MAX_TENANTS) index.growths.set(key, [tokens]);
  }
}

interface Tenancy {
  readonly tenant: string;
  readonly key: string;
}

/** Longer volatile tails than this are not told apart. */
const MAX_TAIL = 8;
const TAIL_FADE = 0.98;

export function recordTail(index: PlacementIndex, key: string, dropped: number): void {
  let known = index.volatileTails.get(key);
  if (!known) {
    if (index.volatileTails.size >= MAX_TENANTS) return;
    index.volatileTails.set(key, (known = new Float64Array(MAX_TAIL + 1)));
  }
  for (let at = 0; at < known.length; at++) known[at] = (known[at] ?? 0) * TAIL_FADE;
  const at = Math.min(MAX_TAIL, dropped);
  known[at] = (known[at] ?? 0) + 1;
}

/** The key of what is learned by tenant. */
export function tenantKey({ tenant, key }: Tenancy): string {
  return `${tenant}\n${key}`;
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
