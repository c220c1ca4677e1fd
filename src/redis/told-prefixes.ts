import type { Clock } from '../core/clock.ts';

/**
 * Which entries this process has been told of. Once is enough: where the planner means to write one that it was told of, it
 * knows better, because an answer has shown that the API has dropped the entry; that write is led like any other.
 */
export interface ToldPrefixes {
  /** Since when (Redis's clock) it can be read as far as this process knows; 0: that would be news. */
  knownSinceMs(name: string): number;
  tell(name: string, sinceMs: number): void;
}

/** Requests that were planned before the first of them had told the planner are told as well. */
const REPEATED_FOR_MS = 1_000;
const MAX_NAMES = 10_000;

export function createToldPrefixes(clock: Clock): ToldPrefixes {
  const told = new Map<string, { readonly sinceMs: number; readonly toldAtMs: number }>();
  return {
    knownSinceMs(name) {
      const known = told.get(name);
      return known && clock.nowMs() - known.toldAtMs > REPEATED_FOR_MS ? known.sinceMs : 0;
    },
    tell(name, sinceMs) {
      if (told.get(name)?.sinceMs === sinceMs) return;
      told.delete(name);
      told.set(name, { sinceMs, toldAtMs: clock.nowMs() });
      const [oldest] = told.size > MAX_NAMES ? told.keys() : [];
      if (oldest !== undefined) told.delete(oldest);
    },
  };
}
