import { describe, expect, it } from 'vitest';
import { arrivalsOf, GREEDY, type Traffic } from '../../bench/fairness/arrivals.ts';
import { quantile, simulate, UPSTREAM, type TenantWaits } from '../../bench/fairness/simulate.ts';
import { createMemoryUpstreamCapacity } from '../../src/state/memory-upstream-capacity.ts';
import { createFakeClock } from '../support/fake-clock.ts';

/** Answers of 8 s on average, most between 3 and 20 s; the nine modest tenants alone keep 85 % of the slots busy. */
const TRAFFIC: Omit<Traffic, 'greedyOffers'> = {
  seed: 1,
  slots: 16,
  meanHoldMs: 8_000,
  holdSigma: 0.8,
  modestUtilisation: 0.85,
  modestTenants: 9,
  durationMs: 2 * 3_600_000,
};
const PATIENCE_MS = 60_000;

async function waitsOf(greedyOffers: number): Promise<ReadonlyMap<string, TenantWaits>> {
  const clock = createFakeClock();
  const createLimit = () => ({ current: TRAFFIC.slots, setCeiling: () => {}, report: () => {} });
  const capacity = createMemoryUpstreamCapacity({ clock, createLimit });
  capacity.setCeiling(UPSTREAM, TRAFFIC.slots);
  const arrivals = arrivalsOf({ ...TRAFFIC, greedyOffers });
  const waits = await simulate({ clock, capacity, arrivals, maxWaitMs: PATIENCE_MS, tenantSlots: 64 });
  expect(clock.pending).toBe(0);
  expect(capacity.load(UPSTREAM)).toEqual({ inUse: 0, waiting: 0, limit: TRAFFIC.slots });
  return waits;
}

describe('one tenant that offers 50 times its share', () => {
  it('makes no modest one wait more than twice as long at the 95th percentile, and gets what they leave', async () => {
    const without = await waitsOf(0);
    const withGreedy = await waitsOf(50);
    const greedy = withGreedy.get(GREEDY);
    expect(without.size).toBe(TRAFFIC.modestTenants);
    for (const [tenant, { waitsMs }] of without) {
      const loaded = withGreedy.get(tenant)?.waitsMs ?? [];
      expect(loaded.length).toBe(waitsMs.length);
      expect(quantile(loaded, 0.95), tenant).toBeLessThanOrEqual(2 * quantile(waitsMs, 0.95));
    }
    const slotMs = TRAFFIC.slots * TRAFFIC.durationMs;
    expect((greedy?.servedMs ?? 0) / slotMs).toBeGreaterThan(0.1);
  });
});
