import type { PrefixForest, PrefixNode } from './contract.ts';

/**
 * Which prefixes are shown, and in which order: first those in whose subtree caching moved most money, whether it saved
 * it or lost it. A subtree weighs no less than any part of it, so what is shown hangs together; what is not shown is
 * counted, and its tokens are among those elsewhere.
 */
const MAX_SHOWN = 400;
/** Where no price is known, tokens are weighed as if a million of them cost this. */
const UNPRICED_USD_PER_TOKEN = 1e-6;

interface Weighed {
  readonly node: PrefixNode;
  readonly weight: number;
  readonly children: readonly Weighed[];
}

export function mostValuable({ trees, elsewhere, hiddenNodes, atMs }: PrefixForest, limit = MAX_SHOWN): PrefixForest {
  const weighed = trees.map((tree) => ({ tree, roots: weighAll(tree.roots) }));
  const all = withAllBelow(weighed.flatMap(({ roots }) => roots));
  const shown = new Set(all.toSorted(heavierFirst).slice(0, limit));
  const left = all.filter((one) => !shown.has(one)).map(({ node }) => node);
  return {
    atMs,
    trees: weighed
      .toSorted((one, other) => total(other.roots) - total(one.roots))
      .map(({ tree, roots }) => ({ ...tree, roots: chosen(roots, shown) }))
      .filter(({ roots }) => roots.length > 0),
    hiddenNodes: hiddenNodes + left.length,
    elsewhere: {
      readTokens: left.reduce((sum, { readTokens }) => sum + readTokens, elsewhere.readTokens),
      writeTokens: left.reduce((sum, { writeTokens }) => sum + writeTokens, elsewhere.writeTokens),
    },
  };
}

function weighAll(nodes: readonly PrefixNode[]): Weighed[] {
  return nodes.map((node) => {
    const children = weighAll(node.children);
    return { node, children, weight: movedUsd(node) + total(children) };
  });
}

/** What reads saved and writes cost on top, added up. */
function movedUsd({ savedUsd, writeCostUsd, readTokens, writeTokens }: PrefixNode): number {
  if (savedUsd === null || writeCostUsd === null) return (readTokens + writeTokens) * UNPRICED_USD_PER_TOKEN;
  return savedUsd + 2 * writeCostUsd;
}

function total(weighed: readonly Weighed[]): number {
  return weighed.reduce((sum, { weight }) => sum + weight, 0);
}

/** Parents before children, so that of the same weight the parent is chosen first. */
function withAllBelow(roots: readonly Weighed[]): readonly Weighed[] {
  const all = [...roots];
  for (const one of all) all.push(...one.children); // which are then walked, too
  return all;
}

function heavierFirst(one: Weighed, other: Weighed): number {
  return other.weight - one.weight;
}

function chosen(candidates: readonly Weighed[], shown: ReadonlySet<Weighed>): PrefixNode[] {
  return candidates
    .filter((one) => shown.has(one))
    .toSorted(heavierFirst)
    .map(({ node, children }) => ({ ...node, children: chosen(children, shown) }));
}
