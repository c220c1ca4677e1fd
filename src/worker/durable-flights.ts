import type { Clock } from '../core/clock.ts';
import type { FlightLead, FlightResult, Flights, FlightWrite } from '../state/flights.ts';
import type { RemoteCalls } from './remote-call.ts';
import type { RemoteFlightLead, Remotes } from './remote.ts';

/**
 * Flights, in an object that all isolates ask. A request that neither writes nor wants a prefix asks nobody. What this
 * isolate has written or has been told of is remembered, so that the object does not tell it again.
 */
export function createDurableFlights(remotes: Pick<Remotes, 'flights'>, calls: RemoteCalls, clock: Clock): Flights {
  const known = createKnownWrites(clock);
  return {
    async join({ wanted, written }) {
      if (wanted.length === 0 && written.length === 0) return { kind: 'none' };
      const asked = written.map((write) => ({ ...write, knownSentAtMs: known.sentAtMs(write.prefix) }));
      const answer = await calls.ask(() => remotes.flights().join({ wanted, written: asked }), 0);
      if (answer === 'unreachable') return { kind: 'none' };
      if (answer.kind === 'lead') {
        const lead = leadOf(answer.lead, () => answer[Symbol.dispose](), written, known, calls, clock);
        return { kind: 'lead', lead };
      }
      answer[Symbol.dispose]();
      if (answer.kind !== 'readable') return answer;
      for (const { prefix, ageMs } of answer.prefixes) known.note(prefix, clock.wallMs() - ageMs);
      return { kind: 'readable', prefixes: answer.prefixes };
    },
    async follow(prefix, patience, signal): Promise<FlightResult> {
      let flights = remotes.flights();
      const answer = await calls.wait({
        signal,
        begin(wait) {
          flights = remotes.flights(); // the one before may be broken
          return flights.follow(wait, prefix, patience);
        },
        leave: (wait) => flights.leave(wait),
        maxMs: patience.maxMs,
      });
      if (answer === 'abandoned') return { kind: 'abandoned' };
      if (answer === 'unreachable') return { kind: 'timed_out' };
      if (answer.kind !== 'promoted') {
        answer[Symbol.dispose]();
        return answer;
      }
      const written = [{ prefix, ttl: '5m' }] as const;
      const lead = leadOf(answer.lead, () => answer[Symbol.dispose](), written, known, calls, clock);
      return { kind: 'promoted', lead };
    },
  };
}

function leadOf(
  remote: RemoteFlightLead,
  dispose: () => void,
  written: readonly FlightWrite[],
  known: KnownWrites,
  calls: RemoteCalls,
  clock: Clock,
): FlightLead {
  let sentAtMs = clock.wallMs();
  let state: 'leading' | 'landed' | 'over' = 'leading';
  return {
    sent() {
      if (state !== 'leading') return;
      sentAtMs = clock.wallMs();
      calls.tell(() => remote.sent());
    },
    landed() {
      if (state !== 'leading') return;
      state = 'landed';
      for (const { prefix } of written) known.note(prefix, sentAtMs);
      calls.tell(() => remote.landed());
    },
    failed() {
      if (state === 'over') return;
      state = 'over';
      dispose();
    },
  };
}

/** When the newest write that is known here was sent, by prefix. */
interface KnownWrites {
  note(prefix: string, sentAtMs: number): void;
  sentAtMs(prefix: string): number | null;
}

/** Some 100 bytes each. */
const MAX_KNOWN = 20_000;

function createKnownWrites(clock: Clock): KnownWrites {
  const sent = new Map<string, number>();
  return {
    note(prefix, sentAtMs) {
      sent.delete(prefix);
      sent.set(prefix, Math.min(sentAtMs, clock.wallMs()));
      if (sent.size > MAX_KNOWN) sent.delete(sent.keys().next().value as string);
    },
    sentAtMs: (prefix) => sent.get(prefix) ?? null,
  };
}
