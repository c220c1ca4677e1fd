import type { TokenUsage } from '../../core/usage.ts';

/**
 * What an answer read and wrote, dealt out to the segments of its prompt. Billing runs along the prompt: first what was
 * read, then what was written for an hour, then for 5 minutes, then the rest (docs: prompt caching, mixing TTLs). So
 * every token belongs to one segment, and the shares and what lies behind the last cut add up to the usage.
 */
export interface Cut {
  /** From the start of the prompt. */
  readonly tokens: number;
  /** `billed`: as long as an answer said that something ended here. */
  readonly known: 'estimated' | 'billed';
}

export interface SegmentShare {
  /** Where the segment ends, as this answer lets it appear. */
  readonly end: Cut;
  readonly readTokens: number;
  readonly write5mTokens: number;
  readonly write1hTokens: number;
}

/** Within this share, a cut and an end of billing are the same place. */
const TOLERANCE = 0.06;

/** One share for each cut, of the tokens between it and the cut before. */
export function segmentShares(usage: TokenUsage, cuts: readonly Cut[]): SegmentShare[] {
  const readEnd = usage.cacheRead;
  const hourEnd = readEnd + usage.cacheWrite1h;
  const writeEnd = hourEnd + usage.cacheWrite5m;
  const ends = atBillingEnds(cuts, [readEnd, hourEnd, writeEnd]);
  return ends.map((end, at) => {
    const from = ends[at - 1]?.tokens ?? 0;
    return {
      end,
      readTokens: overlap(from, end.tokens, 0, readEnd),
      write1hTokens: overlap(from, end.tokens, readEnd, hourEnd),
      write5mTokens: overlap(from, end.tokens, hourEnd, writeEnd),
    };
  });
}

/**
 * Whole tokens in rising order, each cut moved to the first end of billing that is near it and to which no other is nearer:
 * what is shared is read or written up to its end, and what follows close behind is the end of a turn. That is why a cut
 * that was billed once can only move down.
 */
function atBillingEnds(cuts: readonly Cut[], billingEnds: readonly number[]): Cut[] {
  let before = 0;
  return cuts.map((cut, at) => {
    const billed = billingEnds.find((end) => isNear(cut, end) && nearestTo(end, cuts) === at);
    before = Math.max(before, billed ?? Math.round(cut.tokens));
    return { tokens: before, known: billed === undefined ? cut.known : 'billed' };
  });
}

function isNear({ tokens, known }: Cut, end: number): boolean {
  return Math.abs(tokens - end) <= TOLERANCE * end && (known === 'estimated' || end <= tokens);
}

function nearestTo(end: number, cuts: readonly Cut[]): number {
  const away = cuts.map(({ tokens }) => Math.abs(tokens - end));
  return away.indexOf(Math.min(...away));
}

function overlap(start: number, end: number, from: number, to: number): number {
  return Math.max(0, Math.min(end, to) - Math.max(start, from));
}
