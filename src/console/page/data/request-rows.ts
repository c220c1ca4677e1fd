import type { RequestRow } from '../../contract.ts';

/** Rows that are kept for counting and showing: more than anybody reads. */
const MOST_ROWS = 2000;

/**
 * Two pages of one list, newest first: a row that is in both is there once, and as the very object it was, because what
 * has ended does not change.
 */
export function mergeRequests(newer: readonly RequestRow[], older: readonly RequestRow[]): readonly RequestRow[] {
  const known = new Map(older.map((row) => [row.id, row]));
  const first = newer.map((row) => {
    const same = known.get(row.id);
    known.delete(row.id);
    return same ?? row;
  });
  return [...first, ...known.values()].slice(0, MOST_ROWS);
}

/** How many rows of `known` stand above the first of those shown. */
export function newerThan(shown: readonly RequestRow[], known: readonly RequestRow[]): number {
  const first = shown[0];
  if (!first) return 0;
  const at = known.findIndex(({ id }) => id === first.id);
  return at < 0 ? known.length : at;
}
