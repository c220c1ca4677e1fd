/**
 * Port: slots of a tenant. A lease is one running exchange; whoever gets one gives it back exactly once, when the last
 * byte has left or the caller is gone. Waiting is bounded in number and in time and ends at once when the caller leaves.
 */
export interface SlotRules {
  /** Leases at once; the newest request's counts, so that a reload takes effect. At least 1, whole. */
  readonly limit: number;
  /** Waiters at once; 0 refuses what cannot start immediately. */
  readonly maxWaiters: number;
  readonly maxWaitMs: number;
}

export type SlotGrant =
  | { readonly kind: 'granted'; readonly lease: Lease; readonly waitedMs: number }
  | { readonly kind: 'full'; readonly retryAfterMs: number }
  | { readonly kind: 'timed_out'; readonly retryAfterMs: number }
  | { readonly kind: 'abandoned' };

export interface Lease {
  /** Idempotent: the second call does nothing. */
  release(): void;
}

export interface SlotCount {
  readonly inUse: number;
  readonly waiting: number;
  readonly limit: number;
}

export interface Slots {
  /** @param signal aborted when the caller leaves: the waiter is gone at once and no lease is granted. */
  acquire(name: string, rules: SlotRules, signal: AbortSignal): Promise<SlotGrant>;
  /** The limit of a name has changed: those who fit now are served now. Without effect on an idle name. */
  setLimit(name: string, limit: number): void;
  /** Names in use or waiting, for gauges. Names that are idle are forgotten. */
  counts(): ReadonlyMap<string, SlotCount>;
}
