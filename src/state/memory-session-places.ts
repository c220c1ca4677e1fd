import type { Place } from '../core/choose-upstream.ts';
import { dropOldest } from '../core/newest.ts';
import type { SessionPlaces } from './session-places.ts';

/**
 * Places of one process. The map's own order is that of the last use, oldest first, so that what is out of date and what
 * is one too many are both found at its beginning.
 */
export interface SessionPlacesOptions {
  readonly nowMs: () => number;
  /** Some 140 bytes each. */
  readonly maxSessions?: number;
}

export interface MemorySessionPlaces extends SessionPlaces {
  /** Whose they are does not matter here. */
  remember(key: number, place: Place): void;
  readonly size: number;
}

/** As long as the longest-lived cache entry (docs: prompt caching, 1-hour duration). */
const IDLE_MS = 3_600_000;
const MAX_SESSIONS = 200_000;

export function createMemorySessionPlaces({
  nowMs,
  maxSessions = MAX_SESSIONS,
}: SessionPlacesOptions): MemorySessionPlaces {
  const entries = new Map<number, { readonly place: Place; readonly lastUsedMs: number }>();
  const forgetIdle = (now: number): void => {
    for (const [key, { lastUsedMs }] of entries) {
      if (now - lastUsedMs <= IDLE_MS) return;
      entries.delete(key);
    }
  };
  return {
    get size() {
      return entries.size;
    },
    find(key) {
      forgetIdle(nowMs());
      return entries.get(key)?.place ?? null;
    },
    remember(key, place) {
      const now = nowMs();
      forgetIdle(now);
      entries.delete(key);
      entries.set(key, { place, lastUsedMs: now });
      dropOldest(entries, maxSessions);
    },
  };
}
