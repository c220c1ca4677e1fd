import type { AttemptResult } from '../core/attempt.ts';
import type { Place } from '../core/choose-upstream.ts';
import type { HeaderMap } from '../core/headers.ts';
import type { FlightPatience, FlightWrite, ReadablePrefix } from '../state/flights.ts';
import type { Account } from '../state/ledger.ts';
import type { ObjectKind } from '../core/owned-objects.ts';
import type { Found, Listed, ObjectPage, OwnedObject } from '../state/ownership.ts';
import type { SlotCount, SlotRules } from '../state/slots.ts';
import type { CapacityAsk, CapacityGrant, UpstreamQuota } from '../state/upstream-capacity.ts';

/**
 * What the durable objects answer, as seen from a Worker. Whatever waits does so in an object: a promise that one request
 * settles for another does not work in a Worker (its context hangs). A wait is named by the asker, so that it can be left.
 *
 * Each answer is `Disposable`, and so are the handles in it. The runtime disposes what a request has not when its context
 * ends, however that ends: a handle that is disposed gives back what it stands for. No lease has to time out.
 */
export interface RemoteTenant {
  acquire(wait: string, rules: SlotRules, asker: Asker): Promise<SlotAnswer & Disposable>;
  leave(wait: string): Promise<void>;
  /** @param isolate whose news it is: it is told to all others. */
  tell(isolate: string, news: TenantNews): Promise<void>;
  spent(): Promise<Account>;
  /** @param booking names it, so that one that is sent again is not booked again. */
  book(booking: string, periodStartMs: number, usd: number): Promise<void>;
  claim(kind: ObjectKind, object: OwnedObject): Promise<void>;
  findClaim(kind: ObjectKind, id: string): Promise<Found>;
  forgetClaim(kind: ObjectKind, id: string): Promise<void>;
  listClaims(kind: ObjectKind, page: ObjectPage): Promise<Listed>;
  count(): Promise<SlotCount>;
}

export interface Asker {
  readonly isolate: string;
  /** The version of the last word that it has heard; 0: of none. */
  readonly heardTo: number;
}

export type SlotAnswer = (
  | { readonly kind: 'granted'; readonly lease: Disposable; readonly waitedMs: number }
  | { readonly kind: 'full' | 'timed_out'; readonly retryAfterMs: number }
  | { readonly kind: 'abandoned' }
) & {
  /** What comes along with every slot, so that a request need not ask for it. */
  readonly word: TenantWord;
};

export interface TenantWord {
  readonly version: number;
  /** What other isolates have told since the asker's last word. */
  readonly news: TenantNews;
  readonly spent: Account;
}

/** What one isolate has learned that the tenant's requests in the others would otherwise pay for. */
export interface TenantNews {
  readonly written: readonly ReadablePrefix[];
  readonly places: readonly KeyedPlace[];
}

export interface KeyedPlace {
  /** Of `prompt/affinity.ts`. */
  readonly key: number;
  readonly place: Place;
}

export interface RemoteUpstream {
  /** @param ceiling as the asker's settings have it: the newest counts. */
  acquire(wait: string, ceiling: number, ask: CapacityAsk): Promise<CapacityAnswer & Disposable>;
  leave(wait: string): Promise<void>;
  standing(): Promise<UpstreamStanding>;
}

export type CapacityAnswer = (
  | { readonly kind: 'granted'; readonly lease: RemoteCapacityLease; readonly waitedMs: number }
  | Exclude<CapacityGrant, { kind: 'granted' }>
) & {
  /** After the grant; routing steers by it until there is news. */
  readonly load: SlotCount;
};

export interface RemoteCapacityLease extends Disposable {
  head(headers: HeaderMap): Promise<void>;
  /** Disposed without it, the call has taught nothing. */
  release(result: AttemptResult): Promise<void>;
}

export interface UpstreamStanding {
  readonly load: SlotCount;
  readonly quotas: readonly Omit<UpstreamQuota, 'upstream'>[];
}

export interface RemoteFlights {
  join(ask: RemoteFlightAsk): Promise<FlightAnswer & Disposable>;
  follow(wait: string, prefix: string, patience: FlightPatience): Promise<FollowAnswer & Disposable>;
  leave(wait: string): Promise<void>;
}

export interface RemoteFlightAsk {
  readonly wanted: readonly string[];
  readonly written: readonly RemoteFlightWrite[];
}

export interface RemoteFlightWrite extends FlightWrite {
  /** When the newest write of it that the asker knows of was sent: what is not newer is no news. 0: knows of none. */
  readonly knownSentAtMs: number;
}

export type FlightAnswer =
  | { readonly kind: 'follow'; readonly prefix: string }
  | { readonly kind: 'lead'; readonly lead: RemoteFlightLead }
  | { readonly kind: 'readable'; readonly prefixes: readonly ReadablePrefix[] }
  | { readonly kind: 'none' };

export type FollowAnswer =
  | { readonly kind: 'landed'; /** What it can read now. */ readonly prefixes: readonly ReadablePrefix[] }
  | { readonly kind: 'timed_out' | 'abandoned' }
  | { readonly kind: 'promoted'; readonly lead: RemoteFlightLead };

/** Disposed before it has landed, it has failed. */
export interface RemoteFlightLead extends Disposable {
  sent(): Promise<void>;
  landed(): Promise<void>;
}

/** How the objects are found: by the tenant's id, by the upstream's, by the family of the prompts. */
export interface Remotes {
  tenant(id: string): RemoteTenant;
  upstream(id: string): RemoteUpstream;
  flights(family: number): RemoteFlights;
}
