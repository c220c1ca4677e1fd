// Runs arrivals against a capacity on a clock that is stepped: what each tenant waited.

import type { Clock } from '../../src/core/clock.ts';
import type { AttemptResult } from '../../src/core/attempt.ts';
import type { UpstreamCapacity } from '../../src/state/upstream-capacity.ts';
import type { Arrival } from './arrivals.ts';

export interface SteppedClock extends Clock {
  advance(ms: number): Promise<void>;
}

export interface SimulationOptions {
  readonly clock: SteppedClock;
  /** Of the one upstream `UPSTREAM`, with its ceiling set. */
  readonly capacity: Pick<UpstreamCapacity, 'acquire'>;
  readonly arrivals: readonly Arrival[];
  readonly maxWaitMs: number;
  /** What a tenant's own slots let through: more than that of one tenant never stands before the upstream. */
  readonly tenantSlots: number;
}

export interface TenantWaits {
  /** Of each request that came before the upstream; one that waited in vain counts with all its patience. */
  readonly waitsMs: number[];
  servedMs: number;
  timedOut: number;
}

export const UPSTREAM = 'main';

const FINE: AttemptResult = { kind: 'ok', ttftMs: null, uncachedTokens: null };

export async function simulate(options: SimulationOptions): Promise<ReadonlyMap<string, TenantWaits>> {
  const { clock, arrivals, maxWaitMs, tenantSlots } = options;
  const tenants = new Map<string, TenantWaits & { present: number }>();
  const signal = new AbortController().signal;
  const startMs = clock.nowMs();
  const arrive = async ({ tenant, holdMs }: Arrival): Promise<void> => {
    const waits = tenants.get(tenant) ?? { waitsMs: [], servedMs: 0, timedOut: 0, present: 0 };
    tenants.set(tenant, waits);
    waits.present++;
    const ask = { tenant, weight: 1, modelClass: 'other', inputTokens: 0, maxWaitMs };
    const grant = await options.capacity.acquire(UPSTREAM, ask, signal);
    if (grant.kind === 'granted') {
      waits.waitsMs.push(grant.waitedMs);
      waits.servedMs += holdMs;
      await new Promise<void>((resolve) => void clock.after(holdMs, resolve));
      grant.lease.release(FINE);
    } else {
      waits.waitsMs.push(maxWaitMs);
      waits.timedOut++;
    }
    waits.present--;
  };
  for (const arrival of arrivals) {
    await clock.advance(startMs + arrival.atMs - clock.nowMs());
    if ((tenants.get(arrival.tenant)?.present ?? 0) < tenantSlots) void arrive(arrival);
  }
  await clock.advance(DRAINED_MS);
  return tenants;
}

/** The last patience and the longest call are over by then. */
const DRAINED_MS = 3_600_000;

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
