/**
 * Port: who is writing which prefix right now, in families that have no prefix in common. An engine that serves many may
 * keep each family elsewhere, and tell a tenant's other requests what one of them has written.
 */
export interface FlightFamilies {
  of(origin: FlightOrigin): Flights;
}

export interface FlightOrigin {
  /** Chain hash (53 bits) of the prompt's first position: the same for all that can share a prefix, and for them alone. */
  readonly family: number;
  /** Whose request it is. */
  readonly tenant: string;
}

/** An engine that has one place for all. */
export function inOnePlace(flights: Flights): FlightFamilies {
  return { of: () => flights };
}

/**
 * Flights of one family. Of many requests on one cold prefix one leads and writes it; the others
 * follow, wait for the leader's first content, and read. A leader that fails hands over to the follower that waited
 * longest; nobody waits for a prefix that nobody writes.
 */
export interface Flights {
  /** In one step, so that of two who come at once only one leads. */
  join(ask: FlightAsk): Promise<FlightJoin>;
  /**
   * Waits for a flight. `promoted`: its leader failed, and the caller leads now and gets the lead. `landed`: readable.
   * `timed_out`: it is later than it should be; `abandoned` at once when the signal aborts.
   */
  follow(prefix: string, patience: FlightPatience, signal: AbortSignal): Promise<FlightResult>;
}

/** Prefixes shallow first, by keys that name their cache domain. */
export interface FlightAsk {
  /** The deepest of these that somebody writes is followed. */
  readonly wanted: readonly string[];
  /** Where there is none: those of these that nobody writes are led. */
  readonly written: readonly FlightWrite[];
}

export interface FlightWrite {
  readonly prefix: string;
  /** How long it can be read once it is written. */
  readonly ttl: '5m' | '1h';
}

export type FlightJoin =
  | { readonly kind: 'follow'; readonly prefix: string }
  | { readonly kind: 'lead'; readonly lead: FlightLead }
  | {
      /**
       * Another process wrote some of `written`, and they can be read: nothing is led, plan anew with this knowledge. An
       * engine of one process never says so, because its index knows.
       */
      readonly kind: 'readable';
      readonly prefixes: readonly ReadablePrefix[];
    }
  | { /** Nothing of it is being written, by the caller neither. */ readonly kind: 'none' };

export interface ReadablePrefix extends FlightWrite {
  /** How long ago the request that wrote it was sent: its life runs from there. */
  readonly ageMs: number;
}

export interface FlightPatience {
  /** Since the leader sent its request; a new leader begins it anew. */
  readonly sinceSentMs: number;
  /** Since now, whoever leads. */
  readonly maxMs: number;
}

export type FlightResult =
  | { readonly kind: 'landed' }
  | { readonly kind: 'promoted'; readonly lead: FlightLead }
  | { readonly kind: 'timed_out' }
  | { readonly kind: 'abandoned' };

export interface FlightLead {
  /** The request goes out only now, after waiting for capacity: the followers' patience begins here. */
  sent(): void;
  /** The answer's content has begun: what it wrote can be read. Idempotent, also after `failed`. */
  landed(): void;
  /** The exchange ended without content. Idempotent, without effect after `landed`. */
  failed(): void;
}
