import type { Clock } from '../core/clock.ts';
import { createNewest } from '../core/newest.ts';

/**
 * Which entries this process has been told of. Once is enough: where the planner means to write one that it was told of, it
 * knows better, because an answer has shown that the API has dropped the entry; that write is led like any other.
 */
export interface ToldPrefixes {
  /** Since when it can be read as far as this process knows, by the clock of whoever told; 0: that would be news. */
  knownSinceMs(name: string): number;
  tell(name: string, sinceMs: number): void;
}

/** Requests that were planned before the first of them had told the planner are told as well. */
const REPEATED_FOR_MS = 1_000;
const MAX_NAMES = 10_000;

/** @param slackMs what is said to be later by no more than this is the same entry, told by another clock. */
export function createToldPrefixes(clock: Clock, slackMs = 0): ToldPrefixes {
  const told = createNewest<string, { readonly sinceMs: number; readonly toldAtMs: number }>(MAX_NAMES);
  return {
    knownSinceMs(name) {
      const known = told.get(name);
      return known && clock.nowMs() - known.toldAtMs > REPEATED_FOR_MS ? known.sinceMs : 0;
    },
    tell(name, sinceMs) {
      const known = told.get(name);
      if (known && sinceMs <= known.sinceMs + slackMs) return;
      told.set(name, { sinceMs, toldAtMs: clock.nowMs() });
    },
  };
}
