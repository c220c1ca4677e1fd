import type { AttemptResult } from '../core/attempt.ts';
import type { HeaderMap } from '../core/headers.ts';
import type { QuotaReading } from '../core/limits/rate-quota.ts';
import type { SlotCount } from './slots.ts';

/**
 * Port: what an upstream bears. A lease is one call that is on its way there; it is granted when a slot is free, the rate
 * limit of its class of models leaves room for its tokens, and its tenant's turn has come. It is given back exactly once,
 * when the last byte has left or the caller is gone. Waiting needs no bound in number: each waiter holds a tenant's slot.
 */
export interface UpstreamCapacity {
  /**
   * @param upstreamId one whose ceiling has been set.
   * @param signal aborted when the caller leaves: the waiter is gone at once and no lease is granted.
   */
  acquire(upstreamId: string, ask: CapacityAsk, signal: AbortSignal): Promise<CapacityGrant>;
  /** At the start and at each reload; a higher one lets waiters in at once. */
  setCeiling(upstreamId: string, ceiling: number): void;
  /** Of every upstream whose ceiling has been set. */
  counts(): ReadonlyMap<string, SlotCount>;
  load(upstreamId: string): SlotCount;
  /** What the upstreams' answers say is left, for gauges. */
  quotas(): readonly UpstreamQuota[];
}

export interface CapacityAsk {
  readonly tenant: string;
  /** Share of a contended upstream, above 0. */
  readonly weight: number;
  /** Whose rate limit it counts against (`model-class.ts`). */
  readonly modelClass: string;
  /** Input that is expected not to be read from a cache. */
  readonly inputTokens: number;
  /** 0 or less: now or not at all. */
  readonly maxWaitMs: number;
}

/** `full`: to wait would be in vain, because the class is shut for longer than `maxWaitMs`. */
export type CapacityGrant =
  | { readonly kind: 'granted'; readonly lease: CapacityLease; readonly waitedMs: number }
  | { readonly kind: 'timed_out' | 'full'; readonly retryAfterMs: number }
  | { readonly kind: 'abandoned' };

export interface CapacityLease {
  /** The answer's head has come, of whatever status: what it says of rate limits. */
  head(headers: HeaderMap): void;
  /** Says how it went. Idempotent: the second call does nothing. */
  release(result: AttemptResult): void;
}

export interface UpstreamQuota extends QuotaReading {
  readonly upstream: string;
}
