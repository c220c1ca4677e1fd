import { type CacheHit, type CacheMark, type CacheRequest } from './cache-types.ts';
import type { CacheUsage, MarkRefusal } from './cache-types.ts';
import { type CacheEntry } from './entries.ts';
/**
 * Claude's prompt cache as documented, on abstract positions, without a clock: time is what the requests say.
 * A request is looked up when it starts (`begin`) and writes when its answer begins (`commit`); one that fails before
 * that is simply never committed, so parallel requests on a cold prefix all miss and all pay.
 */
export interface CacheEngine {
  /** What `begin` would answer, without touching an entry. */
  peek(request: CacheRequest): CacheOutcome;
  /** Looks up and refreshes what is read. */
  begin(request: CacheRequest): CacheOutcome;
  /** Makes this request's entries readable: the answer has begun. */
  commit(lookup: CacheLookup): void;
  clear(): void;
  readonly entries: number;
}
type CacheOutcome =
  | {
      readonly kind: 'refused';
      readonly refusal: MarkRefusal;
    }
  | {
      readonly kind: 'accepted';
      readonly lookup: CacheLookup;
    };
export interface CacheLookup {
  readonly request: CacheRequest;
  readonly hit: CacheHit;
  readonly usage: CacheUsage;
  /** Markers that write, in prefix order: one per position, none below the model's minimum. */
  readonly writingMarks: readonly CacheMark[];
  readonly hitEntry: CacheEntry | undefined;
}
export interface CacheEngineOptions {
  /**
   * Whether a 1h entry written above a living 5m entry keeps the whole prefix alive for the hour, although only the part
   * above the hit is billed at the 1h price. Not documented; false is the cautious reading.
   */
  readonly prolong: boolean;
}
export declare function createCacheEngine(options: CacheEngineOptions): CacheEngine;
export {};
