import { CACHE_TTL_MS, type CacheTtl } from './cache-types.ts';

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

const SWEEP_EVERY_MS = 60_000;

export function createEntryStore(): EntryStore {
  const domains = new Map<string, Map<string, CacheEntry>>();
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  const sweepDomain = (domain: string, entries: Map<string, CacheEntry>, nowMs: number) => {
    for (const [hash, entry] of entries) if (entry.expiresAtMs <= nowMs) entries.delete(hash);
    if (entries.size === 0) domains.delete(domain);
  };
  return {
    find: (domain, hash) => domains.get(domain)?.get(hash),
    put(domain, entry) {
      const entries = domains.get(domain) ?? new Map<string, CacheEntry>();
      domains.set(domain, entries.set(entry.hash, entry));
    },
    sweep(nowMs) {
      if (nowMs - sweptAtMs < SWEEP_EVERY_MS) return;
      sweptAtMs = nowMs;
      for (const [domain, entries] of domains) sweepDomain(domain, entries, nowMs);
    },
    clear() {
      domains.clear();
      sweptAtMs = Number.NEGATIVE_INFINITY;
    },
    get size() {
      return [...domains.values()].reduce((sum, entries) => sum + entries.size, 0);
    },
  };
}

export function isReadable(entry: CacheEntry, nowMs: number): boolean {
  for (let part: CacheEntry | undefined = entry; part; part = part.base) if (part.expiresAtMs <= nowMs) return false;
  return true;
}

export function refresh(entry: CacheEntry, startedAtMs: number): void {
  for (let part: CacheEntry | undefined = entry; part; part = part.base) extend(part, part.ttl, startedAtMs);
}

/** Raises every part to an hour: what a 1h entry does to the 5m entries below it if `prolong` is set. */
export function prolong(entry: CacheEntry | undefined, startedAtMs: number): void {
  for (let part = entry; part; part = part.base) extend(part, '1h', startedAtMs);
}

/** Never shortens: a 5m write onto a living 1h entry leaves the hour. */
export function extend(entry: CacheEntry, ttl: CacheTtl, startedAtMs: number): void {
  if (ttl === '1h') entry.ttl = '1h';
  entry.expiresAtMs = Math.max(entry.expiresAtMs, startedAtMs + CACHE_TTL_MS[ttl]);
}
