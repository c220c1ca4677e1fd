import type { PrefixForest, PrefixNode } from './contract.ts';
import { mostValuable } from './prefix-forest-choice.ts';

/**
 * One forest of several, each seen by another isolate of a Worker: the same domain, model and id are the same prefix. What
 * was counted is added up (a conversation that two isolates heard of counts twice); of estimates, the busiest isolate's
 * stands. An isolate may not have met what lies between two prefixes: the deepest parent that any knows is the right one.
 */
export function mergeForests(forests: readonly PrefixForest[]): PrefixForest {
  const trees = Map.groupBy(
    forests.flatMap((forest) => forest.trees),
    ({ domain, model }) => `${domain}\n${model}`,
  );
  return mostValuable({
    atMs: Math.max(0, ...forests.map(({ atMs }) => atMs)),
    trees: [...trees.values()].map((alike) => {
      const { domain = '', model = '' } = alike[0] ?? {};
      return { domain, model, roots: mergeRoots(alike.flatMap(({ roots }) => roots)) };
    }),
    hiddenNodes: sum(forests, ({ hiddenNodes }) => hiddenNodes),
    elsewhere: {
      readTokens: sum(forests, ({ elsewhere }) => elsewhere.readTokens),
      writeTokens: sum(forests, ({ elsewhere }) => elsewhere.writeTokens),
    },
  });
}

interface Sighting {
  readonly node: PrefixNode;
  /** In the forest it was seen in; null: a root there. */
  readonly parentId: string | null;
}

function mergeRoots(roots: readonly PrefixNode[]): PrefixNode[] {
  const sightings = Map.groupBy(
    roots.flatMap((root) => sightingsIn(root, null)),
    ({ node }) => node.id,
  );
  const merged = new Map([...sightings].map(([id, seen]) => [id, mergeNodes(seen.map(({ node }) => node))]));
  const below = Map.groupBy(merged.values(), ({ id }) => deepestParent(sightings.get(id) ?? [], merged));
  const withChildren = (node: PrefixNode): PrefixNode => {
    return { ...node, children: (below.get(node.id) ?? []).map(withChildren) };
  };
  return (below.get(null) ?? []).map(withChildren);
}

function sightingsIn(node: PrefixNode, parentId: string | null): Sighting[] {
  return [{ node, parentId }, ...node.children.flatMap((child) => sightingsIn(child, node.id))];
}

function deepestParent(seen: readonly Sighting[], merged: ReadonlyMap<string, PrefixNode>): string | null {
  const tokensOf = (id: string | null): number => (id === null ? -1 : (merged.get(id)?.tokens ?? -1));
  return seen.reduce<string | null>(
    (deepest, { parentId }) => (tokensOf(parentId) > tokensOf(deepest) ? parentId : deepest),
    null,
  );
}

function mergeNodes(seen: readonly PrefixNode[]): PrefixNode {
  const busiestFirst = seen.toSorted((one, other) => other.requests - one.requests);
  const [busiest] = busiestFirst as [PrefixNode];
  const warmest = seen.reduce((best, one) => ((one.warmUntilMs ?? 0) > (best.warmUntilMs ?? 0) ? one : best));
  const tenants = inTurn(busiestFirst.map((node) => node.tenants));
  return {
    ...busiest,
    requests: sum(seen, ({ requests }) => requests),
    tenants: tenants.slice(0, TENANTS_NAMED),
    tenantCount: Math.max(tenants.length, ...seen.map(({ tenantCount }) => tenantCount)),
    conversations: sum(seen, ({ conversations }) => conversations),
    lastUsedAtMs: Math.max(...seen.map(({ lastUsedAtMs }) => lastUsedAtMs)),
    warmUntilMs: warmest.warmUntilMs,
    ttl: warmest.ttl,
    readTokens: sum(seen, ({ readTokens }) => readTokens),
    writeTokens: sum(seen, ({ writeTokens }) => writeTokens),
    writeCostUsd: sumKnown(seen.map(({ writeCostUsd }) => writeCostUsd)),
    savedUsd: sumKnown(seen.map(({ savedUsd }) => savedUsd)),
    children: [],
  };
}

const TENANTS_NAMED = 20;

/** All of them once: the first of each list, then the second of each. */
function inTurn(lists: readonly (readonly string[])[]): string[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  const ranks = Array.from({ length: longest }, (_, rank) => lists.flatMap((list) => list[rank] ?? []));
  return [...new Set(ranks.flat())];
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function sumKnown(values: readonly (number | null)[]): number | null {
  return values.reduce((total, value) => (total === null || value === null ? null : total + value), 0);
}
