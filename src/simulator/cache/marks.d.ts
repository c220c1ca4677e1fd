import type { CacheMark, CachePosition, CacheTtl, MarkRefusal } from './cache-types.ts';
export type MarkCheck =
  | {
      readonly kind: 'accepted';
    }
  | {
      readonly kind: 'refused';
      readonly refusal: MarkRefusal;
    };
export declare function checkMarks(positions: readonly CachePosition[], marks: readonly CacheMark[]): MarkCheck;
export type AutomaticPlacement =
  | {
      readonly kind: 'placed';
      readonly at: number;
    }
  | {
      readonly kind: 'already-marked';
    }
  | {
      readonly kind: 'nowhere';
    }
  | {
      readonly kind: 'refused';
      readonly refusal: MarkRefusal;
    };
/**
 * Where a top-level `cache_control` lands: on the last position that may carry a marker. It takes one of the four slots even
 * where it would be a no-op: the docs refuse "four explicit plus automatic" without an exception, so the strict reading is used.
 */
export declare function placeAutomatic(
  positions: readonly CachePosition[],
  explicit: readonly CacheMark[],
  ttl: CacheTtl,
): AutomaticPlacement;
/** Stable: of two markers on one position the one given first stays first. */
export declare function inPrefixOrder(marks: readonly CacheMark[]): CacheMark[];
