// What the soak and its gateway's process say to each other; the gateway is a process of its own so that its heap is its own.

import type { TokenUsage } from '../../src/core/usage.ts';

export type GatewayQuestion =
  | { readonly kind: 'listen'; readonly settings: string }
  /** The exchanges that ended since the last time. */
  | { readonly kind: 'records' }
  /** How many are set through the clock. */
  | { readonly kind: 'timers' }
  /** Collects all garbage, then measures. */
  | { readonly kind: 'memory' };

export type GatewayAnswer =
  | { readonly kind: 'listen'; readonly port: number }
  | { readonly kind: 'records'; readonly records: readonly RecordFacts[]; readonly internalErrors: readonly string[] }
  | { readonly kind: 'timers'; readonly timers: number }
  | { readonly kind: 'memory'; readonly memory: MemoryFigures };

export interface RecordFacts {
  readonly id: string;
  readonly tenant: string;
  readonly status: number;
  readonly end: string;
  readonly usage: TokenUsage | null;
}

export interface MemoryFigures {
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly rssBytes: number;
}
