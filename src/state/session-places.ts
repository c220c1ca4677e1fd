import type { Place } from '../core/choose-upstream.ts';

/**
 * Port: where each conversation ran last, by the keys of `prompt/affinity.ts`. A memory, not a record: what it has
 * forgotten is chosen anew, at the price of a cold cache. Nothing of it outlives the cache entries it stands for.
 */
export interface SessionPlaces {
  find(key: number): Place | null;
  /**
   * Also when nothing has changed: it is what keeps the key.
   * @param tenant whose conversation it is: an engine of several processes tells those that serve it.
   */
  remember(key: number, place: Place, tenant: string): void;
}
