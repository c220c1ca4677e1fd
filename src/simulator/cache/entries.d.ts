import { type CacheTtl } from './cache-types.ts';
/**
 * What is stored: one entry per position that was written, by domain and chained hash. An entry holds only the tokens
 * between it and its `base`, the entry it was written on top of, because only those were paid for at its TTL. It can be
 * read while it and every entry below it lives; reading uses, and so refreshes, all of them, each for its own TTL.
 */
export interface CacheEntry {
  readonly hash: string;
  readonly at: number;
  readonly base: CacheEntry | undefined;
  ttl: CacheTtl;
  expiresAtMs: number;
}
export interface EntryStore {
  /** The entry at this place, dead or alive. */
  find(domain: string, hash: string): CacheEntry | undefined;
  put(domain: string, entry: CacheEntry): void;
  /** Forgets what has run out by its own time, so that memory is bounded by an hour of writes; cheap to call often. */
  sweep(nowMs: number): void;
  clear(): void;
  readonly size: number;
}
export declare function createEntryStore(): EntryStore;
export declare function isReadable(entry: CacheEntry, nowMs: number): boolean;
export declare function refresh(entry: CacheEntry, startedAtMs: number): void;
/** Raises every part to an hour: what a 1h entry does to the 5m entries below it if `prolong` is set. */
export declare function prolong(entry: CacheEntry | undefined, startedAtMs: number): void;
/** Never shortens: a 5m write onto a living 1h entry leaves the hour. */
export declare function extend(entry: CacheEntry, ttl: CacheTtl, startedAtMs: number): void;
