import type { CacheMark, CachePosition, CacheTtl, MarkRefusal } from './cache-types.ts';

/**
 * Which sets of markers the API takes (docs: prompt caching, "what can be cached", "mixing different TTLs", "automatic caching").
 * All markers count, also two on one position and those below the model's minimum; refused before anything is looked up.
 */
const MAX_MARKS = 4;

export type MarkCheck = { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly refusal: MarkRefusal };

export function checkMarks(positions: readonly CachePosition[], marks: readonly CacheMark[]): MarkCheck {
  if (marks.length > MAX_MARKS) return refused({ kind: 'too-many-marks', found: marks.length });
  let fiveMinutesSeen = false;
  for (const mark of inPrefixOrder(marks)) {
    if (positions[mark.at]?.markable !== true) return refused({ kind: 'not-markable', at: mark.at });
    if (mark.ttl === '1h' && fiveMinutesSeen) return refused({ kind: 'ttl-order', at: mark.at });
    if (mark.ttl === '5m') fiveMinutesSeen = true;
  }
  return { kind: 'accepted' };
}

export type AutomaticPlacement =
  | { readonly kind: 'placed'; readonly at: number }
  | { readonly kind: 'already-marked' }
  | { readonly kind: 'nowhere' }
  | { readonly kind: 'refused'; readonly refusal: MarkRefusal };

/**
 * Where a top-level `cache_control` lands: on the last position that may carry a marker. It takes one of the four slots even
 * where it would be a no-op: the docs refuse "four explicit plus automatic" without an exception, so the strict reading is used.
 */
export function placeAutomatic(
  positions: readonly CachePosition[],
  explicit: readonly CacheMark[],
  ttl: CacheTtl,
): AutomaticPlacement {
  if (explicit.length >= MAX_MARKS) {
    return { kind: 'refused', refusal: { kind: 'too-many-marks', found: explicit.length + 1 } };
  }
  const at = positions.findLastIndex((position) => position.markable);
  if (at < 0) return { kind: 'nowhere' };
  const standing = explicit.find((mark) => mark.at === at);
  if (!standing) return { kind: 'placed', at };
  if (standing.ttl === ttl) return { kind: 'already-marked' };
  return { kind: 'refused', refusal: { kind: 'automatic-ttl-clash', at } };
}

/** Stable: of two markers on one position the one given first stays first. */
export function inPrefixOrder(marks: readonly CacheMark[]): CacheMark[] {
  return [...marks].sort((a, b) => a.at - b.at);
}

function refused(refusal: MarkRefusal): MarkCheck {
  return { kind: 'refused', refusal };
}
