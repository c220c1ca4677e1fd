import type { AdaptiveLimit } from '../core/limits/adaptive-limit.ts';
import type { Clock } from '../core/clock.ts';
import type { SlotCount } from './slots.ts';
import type { CapacityAsk, CapacityGrant, UpstreamCapacity } from './upstream-capacity.ts';
import { createUpstreamLine, type UpstreamLine } from './upstream-line.ts';

export interface UpstreamCapacityOptions {
  readonly clock: Clock;
  readonly createLimit: (ceiling: number) => AdaptiveLimit;
}

/** Capacity of one process. What was learned of an upstream outlives its idleness; there are as many as were configured. */
export function createMemoryUpstreamCapacity({ clock, createLimit }: UpstreamCapacityOptions): UpstreamCapacity {
  const lines = new Map<string, UpstreamLine>();
  return {
    async acquire(upstreamId: string, ask: CapacityAsk, signal: AbortSignal): Promise<CapacityGrant> {
      const line = lines.get(upstreamId);
      if (!line) throw new Error(`no ceiling has been set for the upstream "${upstreamId}"`);
      return signal.aborted ? { kind: 'abandoned' } : line.acquire(ask, signal);
    },
    setCeiling(upstreamId, ceiling) {
      const line = lines.get(upstreamId);
      if (line) line.setCeiling(ceiling);
      else lines.set(upstreamId, createUpstreamLine(clock, createLimit(ceiling)));
    },
    counts: () => new Map([...lines].map(([upstream, line]) => [upstream, line.count()])),
    load: (upstreamId) => lines.get(upstreamId)?.count() ?? UNKNOWN,
    quotas: () => [...lines].flatMap(([upstream, line]) => line.quotas().map((reading) => ({ upstream, ...reading }))),
  };
}

const UNKNOWN: SlotCount = { inUse: 0, waiting: 0, limit: 0 };
