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

/**
 * The list with a new first page. A page that shares no row with it is not the next one: requests between the two have been
 * missed, or the gateway was started anew, and a list with a hole in it would be read as whole. It begins again.
 */
export function withNewest(page: readonly RequestRow[], known: readonly RequestRow[]): readonly RequestRow[] {
  const ids = new Set(known.map(({ id }) => id));
  return page.some(({ id }) => ids.has(id)) ? mergeRequests(page, known) : page;
}

export interface Newer {
  readonly count: number;
  /** None of those shown is known any more: there may be others between. */
  readonly isAtLeast: boolean;
}

/** How many rows of `known` stand above the first of those shown. */
export function newerThan(shown: readonly RequestRow[], known: readonly RequestRow[]): Newer {
  const first = shown[0];
  if (!first) return { count: 0, isAtLeast: false };
  const at = known.findIndex(({ id }) => id === first.id);
  return at < 0 ? { count: known.length, isAtLeast: true } : { count: at, isAtLeast: false };
}
