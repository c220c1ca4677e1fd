import { DurableObject, RpcTarget } from 'cloudflare:workers';
import type { FlightLead, FlightPatience, FlightWrite } from '../../state/flights.ts';
import { createMemoryFlights } from '../../state/memory-flights.ts';
import { createReadablePrefixes } from '../readable-prefixes.ts';
import type { RemoteFlightAsk } from '../remote.ts';
import { createWaits } from './waits.ts';
import { workerClock } from '../worker-clock.ts';

/**
 * Who is writing which prefix, and what has been written lately, in some of the families of prompts, for all isolates.
 * Followers wait here, and are told with the landing what they can read. It knows prefixes by their hashes alone, in memory,
 * never in storage: what it forgets with its end is written once more.
 */
export class FlightsObject extends DurableObject {
  readonly #flights = createMemoryFlights(workerClock);
  readonly #readable = createReadablePrefixes(workerClock);
  readonly #waits = createWaits();

  async join({ wanted, written }: RemoteFlightAsk) {
    const inTheAir = await this.#flights.join({ wanted, written: [] });
    if (inTheAir.kind === 'follow') return inTheAir;
    const prefixes = this.#readable.newsFor(written);
    if (prefixes.length > 0) return { kind: 'readable' as const, prefixes };
    const joined = await this.#flights.join({ wanted, written });
    return joined.kind === 'lead' ? { ...joined, lead: this.#handle(joined.lead, written) } : joined;
  }

  async follow(wait: string, prefix: string, patience: FlightPatience) {
    const held = await this.#waits.hold(wait, (signal) => this.#flights.follow(prefix, patience, signal));
    const write = shortest(prefix);
    if (held.kind === 'landed') {
      return { ...held, prefixes: this.#readable.newsFor([{ ...write, knownSentAtMs: 0 }]) };
    }
    return held.kind === 'promoted' ? { ...held, lead: this.#handle(held.lead, [write]) } : held;
  }

  leave(wait: string): void {
    this.#waits.leave(wait);
  }

  #handle(lead: FlightLead, written: readonly FlightWrite[]): LeadHandle {
    return new LeadHandle(lead, (sentAtMs) => this.#readable.note(written, sentAtMs));
  }
}

/** How long it can be read as far as is certain: who follows does not say for how long it would be written. */
function shortest(prefix: string): FlightWrite {
  return { prefix, ttl: '5m' };
}

class LeadHandle extends RpcTarget {
  readonly #lead: FlightLead;
  readonly #onLanded: (sentAtMs: number) => void;
  #sentAtMs = workerClock.wallMs();
  #isOver = false;

  constructor(lead: FlightLead, onLanded: (sentAtMs: number) => void) {
    super();
    this.#lead = lead;
    this.#onLanded = onLanded;
  }

  sent(): void {
    this.#sentAtMs = workerClock.wallMs();
    this.#lead.sent();
  }

  landed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onLanded(this.#sentAtMs);
    this.#lead.landed();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#lead.failed();
  }
}
