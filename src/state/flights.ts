/**
 * Port: who is writing which prefix right now. Of many requests on one cold prefix one leads and writes it; the others
 * follow, wait for the leader's first content, and read. A leader that fails hands over to the follower that waited
 * longest; nobody waits for a prefix that nobody writes.
 */
export interface Flights {
  /** The deepest of these prefixes that is being written, with when that began; null when none is. */
  find(prefixes: readonly string[]): FlightFound | null;
  /** Leads the writing of those of these prefixes that nobody writes yet. */
  lead(prefixes: readonly string[], nowMs: number): FlightLead;
  /**
   * Waits for a flight. `promoted`: its leader failed, and the caller leads now and gets the lead. `landed`: readable.
   * `timed_out` after `maxMs`; `abandoned` at once when the signal aborts.
   */
  follow(prefix: string, maxMs: number, signal: AbortSignal): Promise<FlightResult>;
}

export interface FlightFound {
  readonly prefix: string;
  readonly startedAtMs: number;
}

export type FlightResult =
  | { readonly kind: 'landed' }
  | { readonly kind: 'promoted'; readonly lead: FlightLead }
  | { readonly kind: 'timed_out' }
  | { readonly kind: 'abandoned' };

export interface FlightLead {
  /** The answer's content has begun: what it wrote can be read. Idempotent, also after `failed`. */
  landed(): void;
  /** The exchange ended without content. Idempotent, without effect after `landed`. */
  failed(): void;
}
