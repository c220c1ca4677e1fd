import type { PrefixForest, PrefixNode, PrefixTree } from './contract.ts';
import type { PrefixBookReading } from '../prompt/book/prefix-book.ts';
import { plusTokens, type SharedPrefix, type Tokens } from '../prompt/book/prefix-book-node.ts';
import { warmthsAt, type Warmth } from '../prompt/book/prefix-book-warmth.ts';
import type { PromptMemory } from '../prompt/prompt-memory.ts';
import { mostValuable } from './prefix-forest-choice.ts';

/**
 * The shared prefixes as the console shows them. Where prompts part, what only one conversation ever went on with is that
 * conversation's own: it is not shown, and part of what is read and written elsewhere.
 */
export interface ForestOptions {
  /** The same moment, on the gateway's clock and as time of day. */
  readonly nowMs: number;
  readonly wallMs: number;
  readonly idOf: IdOfPrefix;
}

export type IdOfPrefix = (hash: number) => string;

/** The busiest of a prefix's tenants that are named. */
const TENANTS_NAMED = 20;
const ID_LENGTH = 12;

/**
 * Ids from a keyed digest: whoever sees them, but not the key, can neither find the text nor confirm a guess at it. The
 * same key gives the same prefix the same id, wherever it was met. 48 bits: two of 2,000 alike, once in 10^8.
 */
export function keyedIds(key: string, sha256Hex: (text: string) => string): IdOfPrefix {
  return (hash) => sha256Hex(`${key}\n${hash}`).slice(0, ID_LENGTH);
}

type Shown = Pick<PromptMemory, 'prefixes' | 'index'>;

export function prefixForestOf(memory: Shown, options: ForestOptions): PrefixForest {
  const reading = memory.prefixes.read(options.nowMs);
  const warmthOf = warmthsAt(memory.index, options.nowMs);
  const grown = growTrees(reading, (node, children) => nodeOf(node, children, reading, warmthOf(node), options));
  return mostValuable({
    atMs: options.wallMs,
    trees: grown.trees,
    hiddenNodes: 0,
    elsewhere: plusTokens(reading.elsewhere, grown.inConversations),
  });
}

type Render = (node: SharedPrefix, children: PrefixNode[]) => PrefixNode;

function growTrees({ prefixes }: PrefixBookReading, render: Render) {
  const below = Map.groupBy(prefixes, ({ parent }) => parent);
  const toParting = leadingToParting(prefixes);
  let inConversations: Tokens = { readTokens: 0, writeTokens: 0 };
  const grow = (node: SharedPrefix): PrefixNode[] => {
    const isOneConversation = node.parent?.hasParted && !toParting.has(node);
    if (!isOneConversation) return [render(node, (below.get(node) ?? []).flatMap(grow))];
    inConversations = branchOf(node, below).reduce(plusTokens, inConversations);
    return [];
  };
  const roots = Map.groupBy(below.get(null) ?? [], ({ domain, model }) => `${domain}\n${model}`);
  const trees = [...roots.values()].map((alike): PrefixTree => {
    const { domain = '', model = '' } = alike[0] ?? {};
    return { domain: withoutEmptyEnd(domain), model, roots: alike.flatMap(grow) };
  });
  return { trees, inConversations };
}

/** Where prompts part, and what lies on the way there. A tenant can make chains of 2,000: each is walked once. */
function leadingToParting(prefixes: readonly SharedPrefix[]): ReadonlySet<SharedPrefix> {
  const leading = new Set<SharedPrefix>();
  for (const prefix of prefixes.filter(({ hasParted }) => hasParted)) {
    for (let node: SharedPrefix | null = prefix; node && !leading.has(node); node = node.parent) leading.add(node);
  }
  return leading;
}

function branchOf(
  root: SharedPrefix,
  below: ReadonlyMap<SharedPrefix | null, readonly SharedPrefix[]>,
): readonly SharedPrefix[] {
  const branch = [root];
  for (const node of branch) branch.push(...(below.get(node) ?? [])); // which are then walked, too
  return branch;
}

function nodeOf(
  node: SharedPrefix,
  children: readonly PrefixNode[],
  { conversations }: PrefixBookReading,
  warmth: Warmth,
  { nowMs, wallMs, idOf }: ForestOptions,
): PrefixNode {
  const onTheWall = (atMs: number): number => Math.round(wallMs + atMs - nowMs);
  return {
    id: idOf(node.hash),
    place: node.place,
    tokens: Math.round(node.length.tokens),
    requests: node.requests,
    tenants: busiest(node.tenants),
    tenantCount: node.tenants.size,
    conversations: conversations.get(node) ?? 0,
    lastUsedAtMs: onTheWall(node.lastUsedMs),
    ...(warmth.kind === 'warm'
      ? { warmUntilMs: onTheWall(warmth.untilMs), ttl: warmth.ttl }
      : warmthOfNext(node, children)),
    readTokens: node.readTokens,
    writeTokens: node.writeTokens,
    writeCostUsd: node.isPriced ? node.writePremiumUsd : null,
    savedUsd: node.isPriced ? node.readSavingUsd - node.writePremiumUsd : null,
    children,
  };
}

/** Without an entry of its own it is readable as part of what always follows it; where prompts part, it is not. */
function warmthOfNext({ hasParted }: SharedPrefix, [next, ...others]: readonly PrefixNode[]) {
  const isOnTheWay = !hasParted && next && others.length === 0;
  return isOnTheWay ? { warmUntilMs: next.warmUntilMs, ttl: next.ttl } : { warmUntilMs: null, ttl: null };
}

function busiest(tenants: ReadonlyMap<string, number>): string[] {
  return [...tenants]
    .sort(([, one], [, other]) => other - one)
    .slice(0, TENANTS_NAMED)
    .map(([tenant]) => tenant);
}

/** A cache domain names the workspace's upstream, then the credential's owner and the workspace, both of them often empty. */
function withoutEmptyEnd(domain: string): string {
  let end = domain.length;
  while (domain[end - 1] === '/') end--;
  return domain.slice(0, end);
}
