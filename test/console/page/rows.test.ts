import { describe, expect, it } from 'vitest';
import { holdRows } from '../../../src/console/page/data/held-rows.ts';
import { longestTokens, OPEN_LEVELS, prefixRows } from '../../../src/console/page/data/prefix-rows.ts';
import { mergeRequests, newerThan, withNewest } from '../../../src/console/page/data/request-rows.ts';
import { tokensPerSecond } from '../../../src/console/page/data/stream-rate.ts';
import type { LiveExchange, PrefixNode } from '../../../src/console/contract.ts';
import { forestAt, requestRows, snapshotAt } from '../fixture-data.ts';

const NOW_MS = Date.UTC(2026, 10, 22, 9, 30);
const named = (...ids: string[]) => ids.map((id) => ({ id }));

describe('a list that is held', () => {
  const shown = holdRows([], named('a', 'b', 'c'), false);

  it('keeps what has ended in its place and marks it', () => {
    const held = holdRows(shown, named('a', 'c'), true);
    expect(held.map(({ row, isGone }) => `${row.id}${isGone ? ' gone' : ''}`)).toEqual(['a', 'b gone', 'c']);
  });

  it('takes in what is new at its end', () => {
    const held = holdRows(shown, named('b', 'c', 'd'), true);
    expect(held.map(({ row }) => row.id)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('lets go of everything that is gone when it is not held any more', () => {
    const held = holdRows(shown, named('c', 'd'), true);
    expect(holdRows(held, named('c', 'd'), false).map(({ row }) => row.id)).toEqual(['c', 'd']);
  });

  it('shows the newest of each row', () => {
    const held = holdRows([{ row: { id: 'a', age: 1 }, isGone: false }], [{ id: 'a', age: 2 }], true);
    expect(held[0]?.row.age).toBe(2);
  });
});

describe('the list of requests', () => {
  const rows = requestRows(NOW_MS);

  it('has each request once, the newest first, however pages overlap', () => {
    expect(mergeRequests(rows.slice(0, 60), rows.slice(40, 120))).toEqual(rows.slice(0, 120));
  });

  it('keeps a row as it was, so that it is not drawn again', () => {
    const again = structuredClone(rows.slice(0, 10));
    expect(mergeRequests(again, rows)[3]).toBe(rows[3]);
  });

  it('goes on with a page that joins it, and begins again with one that does not: it never has a hole', () => {
    expect(withNewest(rows.slice(0, 60), rows.slice(59, 120))).toEqual(rows.slice(0, 120));
    expect(withNewest(rows.slice(0, 60), rows.slice(61, 120))).toEqual(rows.slice(0, 60));
    expect(withNewest([], rows)).toEqual([]);
  });

  it('knows how many have come since it was held', () => {
    expect(newerThan(rows.slice(7, 50), rows)).toEqual({ count: 7, isAtLeast: false });
    expect(newerThan([], rows)).toEqual({ count: 0, isAtLeast: false });
  });

  it('counts all as newer where none of those shown is left, and says that there may be others', () => {
    expect(newerThan(rows.slice(100), rows.slice(0, 100))).toEqual({ count: 100, isAtLeast: true });
  });
});

describe('a tree of prefixes', () => {
  const tree = forestAt(NOW_MS).trees[0]!;
  const ids = (toggled: readonly string[]) => prefixRows(tree, new Set(toggled)).map(({ node }) => node.id);

  it('is told in depth order, each with the tokens it stands on', () => {
    expect(prefixRows(tree, new Set()).map(({ node, level, tokensBelow }) => [node.id, level, tokensBelow])).toEqual([
      ['a', 0, 0],
      ['b', 1, 4200],
      ['d', 2, 8200],
      ['c', 2, 8200],
    ]);
  });

  it('leaves out what hangs below a closed node', () => {
    expect(ids(['b'])).toEqual(['a', 'b']);
    expect(ids(['a'])).toEqual(['a']);
  });

  it('closes what is deep until somebody opens it', () => {
    const base = tree.roots[0]!;
    const chain = (depth: number): PrefixNode => ({
      ...base,
      id: `at ${depth}`,
      children: depth < OPEN_LEVELS + 1 ? [chain(depth + 1)] : [],
    });
    const deep = { ...tree, roots: [chain(0)] };
    expect(prefixRows(deep, new Set())).toHaveLength(OPEN_LEVELS + 1);
    expect(prefixRows(deep, new Set([`at ${OPEN_LEVELS}`]))).toHaveLength(OPEN_LEVELS + 2);
  });

  it('is measured by its longest prefix', () => {
    expect(longestTokens(tree.roots)).toBe(16_800);
    expect(longestTokens([])).toBe(0);
  });
});

describe('the speed of a stream', () => {
  const stream: LiveExchange = {
    ...snapshotAt(NOW_MS, NOW_MS).live[0]!,
    startedAtMs: NOW_MS - 10_000,
    ttftMs: 2000,
    phase: 'streaming',
    outputTokensEstimate: 400,
  };

  it('is counted from its first token', () => {
    expect(tokensPerSecond(stream, NOW_MS)).toBe(50);
  });

  it('is not known before there is enough of it', () => {
    expect(tokensPerSecond({ ...stream, ttftMs: 9900 }, NOW_MS)).toBeNull();
    expect(tokensPerSecond({ ...stream, ttftMs: null, phase: 'upstream' }, NOW_MS)).toBeNull();
  });
});
