/**
 * What a set of markers reads and writes, as the API bills it: from each marker down at most 20 positions are searched for
 * an entry, the marker's own among them (docs: prompt caching, look-back); the tokens up to the highest entry are read,
 * those up to the highest 1h marker above it written for an hour, those up to the last marker for 5 minutes.
 */
import { tokensTo, type Mark, type PromptView } from '../prompt-view.ts';

export const LOOK_BACK_POSITIONS = 20;

/** Depth of the deepest entry that these markers find; `live` has 1 or more at depths where one ends. */
export function reachedDepth(marks: readonly Mark[], live: Uint8Array): number {
  let reached = 0;
  for (const mark of marks) {
    const lowest = Math.max(1, mark.at + 2 - LOOK_BACK_POSITIONS);
    for (let depth = mark.at + 1; depth >= lowest && depth > reached; depth--) {
      if ((live[depth] ?? 0) === 0) continue;
      reached = depth;
    }
  }
  return reached;
}

export interface Bill {
  readonly readTokens: number;
  readonly write5mTokens: number;
  readonly write1hTokens: number;
  readonly uncachedTokens: number;
}

export function billOf(view: PromptView, marks: readonly Mark[], hitDepth: number, minimumTokens: number): Bill {
  const read = tokensTo(view, hitDepth);
  let hour = read;
  let last = read;
  for (const mark of marks) {
    const tokens = tokensTo(view, mark.at + 1);
    if (tokens < minimumTokens) continue;
    if (mark.ttl === '1h') hour = Math.max(hour, tokens);
    last = Math.max(last, tokens);
  }
  last = Math.max(last, hour);
  const total = tokensTo(view, view.hashes.length);
  return {
    readTokens: read,
    write1hTokens: hour - read,
    write5mTokens: last - hour,
    uncachedTokens: total - last,
  };
}
