import { headerValue, type HeaderMap } from '../headers.ts';
import type { BucketFigures } from './rate-bucket.ts';

/**
 * Reads `anthropic-ratelimit-*`. Two families share the prefix: the classic one (limit, remaining, reset as RFC 3339) and the
 * one of subscriptions (`unified-*`: status, reset in epoch seconds, no remaining). What cannot be true (a limit of 0,
 * negative or broken numbers) is as if it were not sent.
 */
export type QuotaKind = 'requests' | 'input_tokens' | 'output_tokens';

export interface RateLimitFigures {
  readonly buckets: ReadonlyMap<QuotaKind, BucketFigures>;
  /** A subscription's limit is used up, for so long; null where it is not, or none is told of. */
  readonly rejectedForMs: number | null;
}

const PREFIX = 'anthropic-ratelimit-';
const namesOf = (name: string) => ({
  limit: `${PREFIX}${name}-limit`,
  remaining: `${PREFIX}${name}-remaining`,
  reset: `${PREFIX}${name}-reset`,
});
type FigureNames = ReturnType<typeof namesOf>;
const REQUESTS = namesOf('requests');
const INPUT_TOKENS = namesOf('input-tokens');
const TOKENS = namesOf('tokens');
const OUTPUT_TOKENS = namesOf('output-tokens');
const UNIFIED_STATUS = `${PREFIX}unified-status`;
const UNIFIED_RESET = `${PREFIX}unified-reset`;

/** Token figures are rounded to the nearest thousand (docs: rate limits), so 500 fewer may be left. */
const ROUNDED_BY = 500;
const LONGEST_RESET_MS = 24 * 3_600_000;

/** @param wallMs now, in the terms in which resets are given. */
export function readRateLimits(headers: HeaderMap, wallMs: number): RateLimitFigures {
  const buckets = new Map<QuotaKind, BucketFigures>();
  const put = (kind: QuotaKind, figures: BucketFigures | null): void => {
    if (figures) buckets.set(kind, figures);
  };
  put('requests', readFigures(headers, REQUESTS, 0, wallMs));
  // `tokens-*` is the tighter of the token limits; it stands in where the input has no figures of its own.
  put('input_tokens', readTokens(headers, INPUT_TOKENS, wallMs) ?? readTokens(headers, TOKENS, wallMs));
  put('output_tokens', readTokens(headers, OUTPUT_TOKENS, wallMs));
  return { buckets, rejectedForMs: readRejection(headers, wallMs) };
}

function readTokens(headers: HeaderMap, names: FigureNames, wallMs: number): BucketFigures | null {
  return readFigures(headers, names, ROUNDED_BY, wallMs);
}

function readFigures(headers: HeaderMap, names: FigureNames, roundedBy: number, wallMs: number): BucketFigures | null {
  const limit = readCount(headers, names.limit);
  const remaining = readCount(headers, names.remaining);
  if (limit === null || limit === 0 || remaining === null) return null;
  const certain = remaining >= limit ? limit : Math.max(0, remaining - roundedBy);
  const reset = Date.parse(headerValue(headers, names.reset) ?? '');
  return { limit, remaining: certain, resetInMs: inFuture(reset - wallMs) };
}

function readRejection(headers: HeaderMap, wallMs: number): number | null {
  if (headerValue(headers, UNIFIED_STATUS) !== 'rejected') return null;
  const seconds = readCount(headers, UNIFIED_RESET);
  return seconds === null ? null : inFuture(seconds * 1000 - wallMs);
}

function readCount(headers: HeaderMap, name: string): number | null {
  const text = headerValue(headers, name)?.trim();
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** A moment that has passed, or none, tells nothing of when. */
function inFuture(inMs: number): number | null {
  return inMs > 0 ? Math.min(inMs, LONGEST_RESET_MS) : null;
}
