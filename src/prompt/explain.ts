import { placeOf, type Position } from '../core/scanned-prompt.ts';
import type { Relation } from './kinship.ts';

/**
 * Why a request read less from the cache than it might have: one of a closed set of reasons, and the place. Decided from
 * what was known of its prefix before it was sent and from what the upstream billed, never from prompt text.
 */
export type MissReason =
  | 'first_seen'
  | 'expired'
  | 'prefix_changed'
  | 'tools_changed'
  | 'model_changed'
  | 'params_changed'
  | 'other_domain'
  | 'below_minimum'
  | 'lookback'
  | 'not_yet_readable'
  | 'evicted';

export interface Explanation {
  readonly reason: MissReason;
  /** Where the prompt parted from the closest known prefix, as `messages[3].content[0]`; null where that is no place. */
  readonly at: string | null;
  /** Offset in the body of the byte where that place begins. */
  readonly byte: number | null;
}

/** What was known when the request was planned. Depths count positions: depth d is the prefix of the first d. */
export interface KnownPrefix {
  readonly positions: readonly Position[];
  readonly toolsEnd: number;
  readonly systemEnd: number;
  /** Deepest prefix that any earlier request had. */
  readonly seenDepth: number;
  /** Whether an earlier request ended there or more than one went on from there: then what follows is simply new. */
  readonly seenIsJoint: boolean;
  /** Deepest entry believed readable, what it holds, and the deepest one that was written at any time. */
  readonly liveDepth: number;
  readonly liveTokens: number;
  readonly writtenDepth: number;
  /** Deepest prefix that another request was writing at the time. */
  readonly pendingDepth: number;
  /** Whether one of the request's markers was within look-back of the deepest live entry. */
  readonly isLiveReachable: boolean;
  readonly elsewhere: Relation;
  /** Of the whole prompt, in the estimate that `liveTokens` is in. */
  readonly tokens: number;
  readonly minimumTokens: number;
}

/** What the upstream billed as input, and how much of it as read. */
export interface BilledInput {
  readonly totalTokens: number;
  readonly readTokens: number;
}

const RELATION_REASON = { model: 'model_changed', params: 'params_changed', domain: 'other_domain' } as const;

/** Estimated and billed tokens are the same within this share. */
const TOLERANCE = 0.1;

export function explainMiss(known: KnownPrefix, billed: BilledInput): Explanation {
  const nowhere = (reason: MissReason): Explanation => ({ reason, at: null, byte: null });
  const { elsewhere, liveDepth, seenDepth } = known;
  if (billed.totalTokens < known.minimumTokens) return nowhere('below_minimum');
  if (liveDepth > 0 && readLess(known, billed)) return nowhere(known.isLiveReachable ? 'evicted' : 'lookback');
  if (known.pendingDepth > liveDepth) return nowhere('not_yet_readable');
  if (known.writtenDepth > liveDepth) return nowhere('expired');
  if (elsewhere !== null && elsewhere !== 'first') return nowhere(RELATION_REASON[elsewhere]);
  if (seenDepth === 0) return elsewhere === 'first' ? partedAt(known) : nowhere('first_seen');
  const isPart = seenDepth < known.systemEnd || !known.seenIsJoint;
  return isPart && seenDepth < known.positions.length ? partedAt(known) : nowhere('first_seen');
}

/** Whether less was read than the deepest live entry holds; the request's own total is the rate of exchange. */
function readLess({ liveTokens, tokens }: KnownPrefix, { readTokens, totalTokens }: BilledInput): boolean {
  return readTokens * tokens < liveTokens * totalTokens * (1 - TOLERANCE);
}

/** Behind the part that was seen before comes something else: in the head always, in messages where history changed. */
function partedAt({ positions, toolsEnd, seenDepth }: KnownPrefix): Explanation {
  const position = positions[seenDepth];
  const reason = seenDepth < toolsEnd ? 'tools_changed' : 'prefix_changed';
  return { reason, at: position ? placeOf(position) : null, byte: position?.start ?? null };
}

/** As `x-slipstream-cache` says it: `; reason=prefix-changed; at=system[1]; byte=812`. */
export function renderExplanation({ reason, at, byte }: Explanation): string {
  return `; reason=${reason.replaceAll('_', '-')}${at === null ? '' : `; at=${at}`}${byte === null ? '' : `; byte=${byte}`}`;
}
