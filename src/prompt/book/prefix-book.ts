import { modelName } from '../../core/models.ts';
import { costOf } from '../../core/prices.ts';
import { totalInput, type TokenUsage } from '../../core/usage.ts';
import { saltOf, type PlacementIndex } from '../learn/placement-index.ts';
import { createConversations, type Conversations } from './prefix-book-conversations.ts';
import { cutDepths, cutPlace } from './prefix-book-cuts.ts';
import { addShare, plusTokens, pricesPerToken, type SharedPrefix, type Tokens } from './prefix-book-node.ts';
import { segmentShares, type Cut } from './prefix-book-shares.ts';
import { createSharers, type Sharers } from './prefix-book-sharers.ts';
import type { Prefix } from '../prefix.ts';
import { tokensTo, type PlanRules, type PromptView } from '../prompt-view.ts';

/**
 * The tree of prefixes that requests share, with what each cost and saved: for people, no decision hangs on it. A prefix
 * is known from the second request on that has it. Invariants: every token that usage tells of is counted once, at one
 * prefix or as `elsewhere`; and a prefix is not forgotten before those that go on from it.
 */
export interface PrefixBook {
  /** An answer is over, and this is what it read and wrote. */
  note(request: NotedRequest, usage: TokenUsage, nowMs: number): void;
  read(nowMs: number): PrefixBookReading;
}

export interface NotedRequest {
  readonly mode: 'auto' | 'observe';
  readonly domain: string;
  readonly model: string;
  readonly prefix: Prefix;
  readonly view: PromptView;
  readonly rules: PlanRules;
}

export interface PrefixBookReading {
  /** Known ones, parents among them. */
  readonly prefixes: readonly SharedPrefix[];
  /** Heard of within the hour; none: left out. */
  readonly conversations: ReadonlyMap<SharedPrefix, number>;
  /** What was read and written in conversations, before a prefix was known, or at prefixes since forgotten. */
  readonly elsewhere: Tokens;
}

/** About 600 bytes each, so 2.4 MB when both are full. With tenants and conversations, all of it was measured at 9 MB. */
const MAX_KNOWN = 2_000;
/** Met once: prompts that nobody sends twice must not push out those that many share. */
const MAX_CANDIDATES = 2_000;
/** Callers may name a model and a workspace; what is longer than this is neither, and not worth its bytes. */
const MAX_NAME_LENGTH = 512;

interface Book {
  readonly known: Map<number, SharedPrefix>;
  readonly candidates: Map<number, SharedPrefix>;
  readonly sharers: Sharers;
  /** Without what candidates hold. */
  readonly elsewhere: { readTokens: number; writeTokens: number };
}

export function createPrefixBook(index: PlacementIndex): PrefixBook {
  const book: Book = {
    known: new Map(),
    candidates: new Map(),
    sharers: createSharers(),
    elsewhere: { readTokens: 0, writeTokens: 0 },
  };
  const conversations = createConversations();
  return {
    note(request, usage, nowMs) {
      const isNamed = request.domain.length + request.model.length <= MAX_NAME_LENGTH;
      const path = meetAll(book, request, isNamed ? cutDepths(index, request) : [], nowMs);
      account(book, path, request, usage);
      linkToKnown(path);
      hear(conversations, request.view, path, nowMs);
      while (book.known.size > MAX_KNOWN) forgetOldest(book, book.known);
      while (book.candidates.size > MAX_CANDIDATES) forgetOldest(book, book.candidates);
    },
    read: (nowMs) => ({
      prefixes: [...book.known.values()],
      conversations: conversations.countByPrefix(nowMs),
      elsewhere: [...book.candidates.values()].reduce<Tokens>(plusTokens, book.elsewhere),
    }),
  };
}

/** From the deepest up: the maps are in order of use, so what goes on from a prefix is older than the prefix. */
function meetAll(book: Book, request: NotedRequest, depths: readonly number[], nowMs: number): SharedPrefix[] {
  const path: SharedPrefix[] = [];
  for (const depth of depths.toReversed()) path.unshift(meet(book, request, depth, nowMs));
  return path;
}

function meet({ known, candidates, sharers }: Book, request: NotedRequest, depth: number, nowMs: number): SharedPrefix {
  const { hashes, tenant } = request.view;
  const hash = hashes[depth - 1] ?? 0;
  const metBefore = known.get(hash) ?? candidates.get(hash);
  const node = metBefore ?? newPrefix(request, hash, depth);
  candidates.delete(hash);
  known.delete(hash);
  if (metBefore) known.set(hash, node);
  else candidates.set(hash, node);
  if (metBefore) node.standing = 'known';
  node.requests++;
  node.lastUsedMs = nowMs;
  node.hasParted ||= node.firstNext !== nextHash(request.view, depth);
  if (request.mode === 'auto') node.entry ??= { salt: saltOf(request.view.key), rules: request.rules };
  sharers.count(node, tenant);
  return node;
}

/** -1: the prompt ends there. */
function nextHash({ hashes }: PromptView, depth: number): number {
  return hashes[depth] ?? -1;
}

function newPrefix({ domain, model, prefix, view }: NotedRequest, hash: number, depth: number): SharedPrefix {
  return {
    hash,
    domain,
    model,
    place: cutPlace(prefix, depth),
    depth,
    isPriced: modelName(model) !== null,
    firstNext: nextHash(view, depth),
    tenants: new Map(),
    standing: 'candidate',
    parent: null,
    entry: null,
    length: { tokens: 0, known: 'estimated' },
    requests: 0,
    lastUsedMs: 0,
    hasParted: false,
    readTokens: 0,
    writeTokens: 0,
    readSavingUsd: 0,
    writePremiumUsd: 0,
  };
}

function account(
  { elsewhere }: Book,
  path: readonly SharedPrefix[],
  { model, view, rules }: NotedRequest,
  usage: TokenUsage,
): void {
  // The view's tokens are estimates: the request's own total is the exchange rate.
  const rate = totalInput(usage) / Math.max(1, tokensTo(view, view.hashes.length));
  const cuts = path.map(({ depth, length }): Cut => {
    return length.known === 'billed' ? length : { tokens: tokensTo(view, depth) * rate, known: 'estimated' };
  });
  const shares = segmentShares(usage, cuts);
  const prices = pricesPerToken(costOf(model, usage), usage, rules);
  elsewhere.readTokens += usage.cacheRead;
  elsewhere.writeTokens += usage.cacheWrite5m + usage.cacheWrite1h;
  path.forEach((node, at) => {
    const share = shares[at];
    if (!share) return;
    addShare(node, share, prices);
    elsewhere.readTokens -= share.readTokens;
    elsewhere.writeTokens -= share.write5mTokens + share.write1hTokens;
  });
}

/** Each stands on the longest known one before it; what was met once only carries nothing yet. */
function linkToKnown(path: readonly SharedPrefix[]): void {
  let below: SharedPrefix | null = null;
  for (const node of path) {
    node.parent = below;
    if (node.standing === 'known') below = node;
  }
}

function hear(
  conversations: Conversations,
  { hashes }: PromptView,
  path: readonly SharedPrefix[],
  nowMs: number,
): void {
  const [parent, deepest] = [path.at(-2), path.at(-1)];
  if (!deepest) return;
  const isNew = deepest.requests === 1;
  if (isNew && parent) conversations.forget(hashes[parent.depth] ?? parent.hash);
  conversations.heard(hashes[deepest.depth] ?? deepest.hash, deepest, nowMs);
}

function forgetOldest({ elsewhere, sharers }: Book, from: Map<number, SharedPrefix>): void {
  const [oldest] = from.values();
  if (!oldest) return;
  from.delete(oldest.hash);
  oldest.standing = 'forgotten';
  sharers.release(oldest);
  Object.assign(elsewhere, plusTokens(elsewhere, oldest));
}
