import type { Clock } from '../core/clock.ts';
import type { FlightWrite, ReadablePrefix } from '../state/flights.ts';
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
const CLOCK_SLACK_MS = 2_000;

export function createReadablePrefixes(clock: Clock, maxPrefixes = MAX_PREFIXES): ReadablePrefixes {
  const entries = new Map<string, { readonly ttl: FlightWrite['ttl']; readonly sentAtMs: number }>();
  const read = ({ prefix, ttl, knownSentAtMs }: RemoteFlightWrite): readonly ReadablePrefix[] => {
    const entry = entries.get(prefix);
    if (!entry) return [];
    const ageMs = clock.wallMs() - entry.sentAtMs;
    if (ageMs >= LIFE_MS[entry.ttl]) {
      entries.delete(prefix);
      return [];
    }
    const isNews = knownSentAtMs === null || entry.sentAtMs > knownSentAtMs + CLOCK_SLACK_MS;
    const isLongEnough = entry.ttl === '1h' || ttl === '5m';
    return isNews && isLongEnough ? [{ prefix, ttl: entry.ttl, ageMs }] : [];
  };
  return {
    note(written, sentAtMs) {
      for (const { prefix, ttl } of written) {
        entries.delete(prefix); // the map's order is that of the writes
        entries.set(prefix, { ttl, sentAtMs });
        if (entries.size > maxPrefixes) entries.delete(entries.keys().next().value as string);
      }
    },
    newsFor: (written) => written.flatMap(read),
  };
}
