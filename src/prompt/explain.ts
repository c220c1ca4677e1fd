import { placeOf, type Position } from '../core/scanned-prompt.ts';

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
  /** Deepest prefix that an earlier request of the same conversation ended with; 0 where none did. */
  readonly previousDepth: number;
  /** Deepest entry believed readable, and deepest one that was written at any time. */
  readonly liveDepth: number;
  readonly writtenDepth: number;
  /** Deepest prefix that another request was writing at the time. */
  readonly pendingDepth: number;
  /** Whether one of the request's markers was within look-back of the deepest live entry. */
  readonly isLiveReachable: boolean;
  /** The head of the prompt was seen before, but keyed differently. */
  readonly elsewhere: 'model' | 'params' | 'domain' | null;
  readonly tokens: number;
  readonly minimumTokens: number;
}

const ELSEWHERE_REASON = { model: 'model_changed', params: 'params_changed', domain: 'other_domain' } as const;

/** @param readTokens what the upstream read; compared with what the deepest live entry held (in the same estimate). */
export function explainMiss(known: KnownPrefix, readTokens: number): Explanation {
  const nowhere = (reason: MissReason): Explanation => ({ reason, at: null, byte: null });
  if (known.tokens < known.minimumTokens) return nowhere('below_minimum');
  if (known.liveDepth > 0 && readTokens === 0) return nowhere(known.isLiveReachable ? 'evicted' : 'lookback');
  if (known.pendingDepth > known.liveDepth) return nowhere('not_yet_readable');
  if (known.seenDepth === 0) return nowhere(known.elsewhere ? ELSEWHERE_REASON[known.elsewhere] : 'first_seen');
  if (known.writtenDepth > known.liveDepth) return nowhere('expired');
  if (known.seenDepth < known.systemEnd) return partedAt(known);
  if (known.previousDepth < known.seenDepth && known.seenDepth > known.systemEnd + 1) return partedAt(known);
  return nowhere('first_seen');
}

/** Behind the part that was seen before comes something else: in the head always, in messages where history changed. */
function partedAt({ positions, toolsEnd, seenDepth }: KnownPrefix): Explanation {
  const position = positions[seenDepth];
  const reason = seenDepth < toolsEnd ? 'tools_changed' : 'prefix_changed';
  return { reason, at: position ? placeOf(position) : null, byte: position?.start ?? null };
}

/** As `x-slipstream-cache` says it: `; reason=prefix_changed; at=system[1]; byte=812`. */
export function renderExplanation({ reason, at, byte }: Explanation): string {
  return `; reason=${reason.replaceAll('_', '-')}${at === null ? '' : `; at=${at}`}${byte === null ? '' : `; byte=${byte}`}`;
}
