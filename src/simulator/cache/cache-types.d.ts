/**
 * The vocabulary of the cache engine. A prompt is a list of positions in prefix order (tools, system, messages);
 * a position's `hash` is chained: two requests of one domain have the same hash at a place if and only if everything
 * up to and with that place is the same. The engine never sees what a position contains.
 */
export type CacheTtl = '5m' | '1h';
export declare const CACHE_TTL_MS: Readonly<Record<CacheTtl, number>>;
export interface CachePosition {
  readonly hash: string;
  /** Tokens of this position alone. */
  readonly tokens: number;
  /** False where no marker may stand: thinking, empty text. */
  readonly markable: boolean;
}
export interface CacheMark {
  /** Index into the positions. */
  readonly at: number;
  readonly ttl: CacheTtl;
}
export interface CacheRequest {
  /** What never shares entries with another value: workspace and model. */
  readonly domain: string;
  /** Fewest tokens a prefix must have to be written, by model. */
  readonly minTokens: number;
  readonly positions: readonly CachePosition[];
  readonly marks: readonly CacheMark[];
  /** When the request arrived; entry life is counted from here, not from when the answer begins or ends. */
  readonly startedAtMs: number;
}
/** The four ways an input token is billed; their sum is the whole prompt. */
export interface CacheUsage {
  readonly uncachedTokens: number;
  readonly readTokens: number;
  readonly write5mTokens: number;
  readonly write1hTokens: number;
}
export type CacheHit =
  | {
      readonly kind: 'miss';
    }
  | {
      readonly kind: 'hit'; /** Index of the position found. */
      readonly at: number;
      readonly tokens: number;
    };
/** Why the API answers 400 to a set of markers. `at` is the position of the marker that is wrong. */
export type MarkRefusal =
  | {
      readonly kind: 'too-many-marks';
      readonly found: number;
    }
  | {
      readonly kind: 'ttl-order';
      readonly at: number;
    }
  | {
      readonly kind: 'not-markable';
      readonly at: number;
    }
  | {
      readonly kind: 'automatic-ttl-clash';
      readonly at: number;
    };
