import type { Clock } from '../../core/clock.ts';
import type { FlightFamilies, FlightLead, Flights, FlightWrite, ReadablePrefix } from '../../state/flights.ts';
import { createToldPrefixes } from '../../state/told-prefixes.ts';
import { createDurableLead } from './durable-flight-lead.ts';
import { CLOCK_SLACK_MS, createReadablePrefixes } from '../readable-prefixes.ts';
import type { RemoteCalls } from './remote-call.ts';
import type { RemoteFlightLead, Remotes } from '../remote.ts';
import type { TenantWords } from './tenant-words.ts';

/**
 * Flights, in objects that all isolates ask. A request that neither writes nor wants a prefix asks nobody, nor does one that
 * would write what this isolate has heard to be readable: it is told so at once, and plans anew. What has landed is told to
 * the tenant's object, from where it comes to the other isolates with their next slot.
 */
export interface DurableFlights extends FlightFamilies {
  /** Others have written these. */
  hear(prefixes: readonly ReadablePrefix[]): void;
}

export interface DurableFlightsParts {
  readonly remotes: Pick<Remotes, 'flights'>;
  readonly calls: RemoteCalls;
  readonly clock: Clock;
  readonly words: Pick<TenantWords, 'tell'>;
}

/** Some 150 bytes each, of an isolate's 128 MB. */
const MAX_HEARD = 20_000;

export function createDurableFlights({ remotes, calls, clock, words }: DurableFlightsParts): DurableFlights {
  const heard = createReadablePrefixes(clock, MAX_HEARD);
  const told = createToldPrefixes(clock, CLOCK_SLACK_MS);
  const hear: DurableFlights['hear'] = (prefixes) => {
    for (const one of prefixes) heard.note([one], clock.wallMs() - one.ageMs);
  };
  const readable = (prefixes: readonly ReadablePrefix[]) => {
    for (const { prefix, ageMs } of prefixes) told.tell(prefix, clock.wallMs() - ageMs);
    return { kind: 'readable', prefixes } as const;
  };

  const leadOf = (
    answer: { readonly lead: RemoteFlightLead } & Disposable,
    written: readonly FlightWrite[],
    tenant: string,
  ): FlightLead =>
    createDurableLead({
      remote: answer.lead,
      dispose: () => answer[Symbol.dispose](),
      calls,
      clock,
      onLanded(sentAtMs) {
        for (const { prefix } of written) told.tell(prefix, sentAtMs);
        const ageMs = clock.wallMs() - sentAtMs;
        words.tell(tenant, { written: written.map(({ prefix, ttl }) => ({ prefix, ttl, ageMs })) });
      },
    });

  const flightsOf = (family: number, tenant: string): Flights => ({
    async join({ wanted, written }) {
      if (wanted.length === 0 && written.length === 0) return { kind: 'none' };
      const asked = written.map((write) => ({ ...write, knownSentAtMs: told.knownSinceMs(write.prefix) }));
      const news = heard.newsFor(asked);
      if (news.length > 0) return readable(news);
      const answer = await calls.ask(() => remotes.flights(family).join({ wanted, written: asked }), 0);
      if (answer === 'unreachable') return { kind: 'none' };
      if (answer.kind === 'lead') return { kind: 'lead', lead: leadOf(answer, written, tenant) };
      answer[Symbol.dispose]();
      return answer.kind === 'readable' ? readable(answer.prefixes) : answer;
    },
    async follow(prefix, patience, signal) {
      const answer = await calls.wait({
        signal,
        reach: () => remotes.flights(family),
        begin: (flights, wait) => flights.follow(wait, prefix, patience),
        maxMs: patience.maxMs,
      });
      if (answer === 'abandoned') return { kind: 'abandoned' };
      if (answer === 'unreachable') return { kind: 'timed_out' };
      if (answer.kind === 'promoted') {
        return { kind: 'promoted', lead: leadOf(answer, [{ prefix, ttl: '5m' }], tenant) };
      }
      answer[Symbol.dispose]();
      if (answer.kind === 'landed') hear(answer.prefixes);
      return { kind: answer.kind };
    },
  });

  return { hear, of: ({ family, tenant }) => flightsOf(family, tenant) };
}
