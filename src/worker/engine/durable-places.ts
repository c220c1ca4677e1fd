import type { Place } from '../../core/choose-upstream.ts';
import type { Clock } from '../../core/clock.ts';
import { createMemorySessionPlaces } from '../../state/memory-session-places.ts';
import { createNewest } from '../../core/newest.ts';
import type { SessionPlaces } from '../../state/session-places.ts';
import type { KeyedPlace } from '../remote.ts';

/**
 * Where conversations ran, over all isolates: this one's memory, which tells the tenant's object what it learns and takes in
 * what comes with the tenant's slots. Without that a conversation that goes on in another isolate would go to whichever
 * upstream has room: the price of its whole prompt where caches differ, and a refusal where its thinking cannot be read.
 */
export interface DurablePlaces extends SessionPlaces {
  /** Other isolates have told of these. */
  hear(places: readonly KeyedPlace[]): void;
}

export interface DurablePlacesParts {
  readonly clock: Clock;
  readonly tell: (tenant: string, places: readonly KeyedPlace[]) => void;
}

/** An isolate has 128 MB for everything; some 140 bytes each. */
const MAX_SESSIONS = 20_000;
/** Told again, so that those who do not see it used do not forget it within the hour. */
const TELL_AGAIN_MS = 1_200_000;

export function createDurablePlaces({ clock, tell }: DurablePlacesParts): DurablePlaces {
  const memory = createMemorySessionPlaces({ nowMs: clock.nowMs, maxSessions: MAX_SESSIONS });
  const toldAtMs = createNewest<number, number>(MAX_SESSIONS);
  const isKnownElsewhere = (key: number, place: Place): boolean => {
    const known = memory.find(key);
    const sinceMs = toldAtMs.get(key);
    return known !== null && isSame(known, place) && sinceMs !== undefined && clock.nowMs() - sinceMs < TELL_AGAIN_MS;
  };
  return {
    find: memory.find,
    remember(key, place, tenant) {
      const isNews = !isKnownElsewhere(key, place);
      memory.remember(key, place);
      if (!isNews) return;
      toldAtMs.set(key, clock.nowMs());
      tell(tenant, [{ key, place }]);
    },
    hear(places) {
      for (const { key, place } of places) {
        memory.remember(key, place);
        toldAtMs.set(key, clock.nowMs());
      }
    },
  };
}

function isSame(one: Place, other: Place): boolean {
  return one.upstreamId === other.upstreamId && one.cacheDomain === other.cacheDomain && one.holds === other.holds;
}
