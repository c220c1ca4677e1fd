import type { PrefixNode, PrefixTree } from '../../contract.ts';

/** A tree of prefixes as rows of a table, in depth order; what hangs below a closed node is left out. */
export interface PrefixRow {
  readonly node: PrefixNode;
  readonly level: number;
  /** Tokens of the prefix it stands on: the rest is its own. */
  readonly tokensBelow: number;
  readonly isOpen: boolean;
}

/** Deeper than this, nodes are closed until somebody opens them. */
export const OPEN_LEVELS = 3;

/** @param toggled ids of nodes that are not as they would be by their level. */
export function prefixRows({ roots }: PrefixTree, toggled: ReadonlySet<string>): readonly PrefixRow[] {
  const rows: PrefixRow[] = [];
  const add = (node: PrefixNode, level: number, tokensBelow: number): void => {
    const isOpen = node.children.length > 0 && level < OPEN_LEVELS !== toggled.has(node.id);
    rows.push({ node, level, tokensBelow, isOpen });
    if (isOpen) for (const child of node.children) add(child, level + 1, node.tokens);
  };
  for (const root of roots) add(root, 0, 0);
  return rows;
}

/** The longest prefix of a tree: what its bars are measured by. */
export function longestTokens(nodes: readonly PrefixNode[]): number {
  return nodes.reduce((most, node) => Math.max(most, node.tokens, longestTokens(node.children)), 0);
}
