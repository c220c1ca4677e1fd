import type { Clock } from '../core/clock.ts';
import type { FlightWrite, ReadablePrefix } from '../state/flights.ts';
import { createNewest } from '../core/newest.ts';
import type { RemoteFlightWrite } from './remote.ts';

/** What can be read by now, whoever wrote it: bounded, and forgotten when the cache itself has forgotten it. */
export interface ReadablePrefixes {
  /** @param sentAtMs when the request that wrote them was sent: their life runs from there. */
  note(written: readonly FlightWrite[], sentAtMs: number): void;
  /** Those of these that can be read for as long as is wanted, as far as that is news to the asker. */
  newsFor(written: readonly RemoteFlightWrite[]): readonly ReadablePrefix[];
}

const LIFE_MS = { '5m': 5 * 60_000, '1h': 60 * 60_000 } as const;
/** Some 150 bytes each. */
const MAX_PREFIXES = 100_000;
/** Clocks of two machines differ by so much. */
export const CLOCK_SLACK_MS = 2_000;

export function createReadablePrefixes(clock: Clock, maxPrefixes = MAX_PREFIXES): ReadablePrefixes {
  const entries = createNewest<string, Entry>(maxPrefixes);
  const read = ({ prefix, ttl, knownSentAtMs }: RemoteFlightWrite): readonly ReadablePrefix[] => {
    const entry = entries.get(prefix);
    if (!entry) return [];
    const ageMs = clock.wallMs() - entry.sentAtMs;
    if (!isReadable({ ttl: entry.ttl, ageMs })) {
      entries.delete(prefix);
      return [];
    }
    const isNews = entry.sentAtMs > knownSentAtMs + CLOCK_SLACK_MS;
    const isLongEnough = entry.ttl === '1h' || ttl === '5m';
    return isNews && isLongEnough ? [{ prefix, ttl: entry.ttl, ageMs }] : [];
  };
  return {
    note(written, sentAtMs) {
      for (const { prefix, ttl } of written) {
        const known = entries.get(prefix);
        const entry = { ttl, sentAtMs };
        entries.set(prefix, known && endOf(known) > endOf(entry) ? known : entry);
      }
    },
    newsFor: (written) => written.flatMap(read),
  };
}

export function isReadable({ ttl, ageMs }: Pick<ReadablePrefix, 'ttl' | 'ageMs'>): boolean {
  return ageMs < LIFE_MS[ttl];
}

interface Entry {
  readonly ttl: FlightWrite['ttl'];
  readonly sentAtMs: number;
}

function endOf({ ttl, sentAtMs }: Entry): number {
  return sentAtMs + LIFE_MS[ttl];
}
