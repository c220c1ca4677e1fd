import { beforeEach, describe, expect, it } from 'vitest';
import { processReport, type ProcessParts } from '../../src/console/process-report.ts';
import { createAdaptiveLimit } from '../../src/core/limits/adaptive-limit.ts';
import { createLiveExchanges, type LiveExchanges } from '../../src/pipeline/live-exchanges.ts';
import type { StateEngine } from '../../src/state/engine.ts';
import { createMemoryEngine } from '../../src/state/memory-engine.ts';
import { entryOf, fleetOf } from '../pipeline/fleet-under-test.ts';
import { contextOf, requestOf, tenantOf } from '../pipeline/scripted.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

const FOREVER = new AbortController().signal;
const RULES = { limit: 4, maxWaiters: 8, maxWaitMs: 1_000 };

let clock: FakeClock;
let engine: StateEngine;
let liveExchanges: LiveExchanges;
beforeEach(() => {
  clock = createFakeClock();
  engine = createMemoryEngine(clock, createAdaptiveLimit);
  engine.capacity.setCeiling('main', 256);
  liveExchanges = createLiveExchanges();
});

function reportOf(part: Partial<ProcessParts> = {}) {
  return processReport({
    clock,
    engine,
    liveExchanges,
    fleet: fleetOf(entryOf('main')),
    mode: () => 'managed',
    openExchanges: { isDraining: false },
    tenants: () => [],
    ceilingOf: () => 256,
    ...part,
  });
}

describe('what a process reports', () => {
  it('is every tenant that is configured, also when idle, and whoever else holds a slot', async () => {
    const grant = await engine.slots.acquire('t-guest', RULES, FOREVER);
    const budget = { usd: 5, per: 'day' } as const;
    const acme = tenantOf({ weight: 3, budget, slots: RULES });
    expect(reportOf({ tenants: () => [acme] }).tenants).toEqual([
      { id: 'acme', weight: 3, budget, inUse: 0, waiting: 0, limit: 4 },
      { id: 't-guest', weight: 1, budget: null, inUse: 1, waiting: 0, limit: 4 },
    ]);
    if (grant.kind === 'granted') grant.lease.release();
  });

  it('is what each upstream holds, may hold, and has left of its quotas', async () => {
    const ask = { tenant: 'acme', weight: 1, modelClass: 'sonnet', inputTokens: 10, maxWaitMs: 0 };
    const grant = await engine.capacity.acquire('main', ask, FOREVER);
    if (grant.kind !== 'granted') throw new Error('no capacity');
    grant.lease.head({
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '49',
      'anthropic-ratelimit-requests-reset': new Date(clock.wallMs() + 1_200).toISOString(),
    });
    const [main] = reportOf().upstreams;
    expect(main).toMatchObject({ id: 'main', inUse: 1, waiting: 0, ceiling: 256, breaker: 'closed' });
    expect(main?.quotas).toEqual([{ modelClass: 'sonnet', kind: 'requests', remaining: 49, limit: 50 }]);
  });

  it('is whether it is ready: draining goes before degraded, which says why', () => {
    const degraded: ProcessParts['engine'] = {
      ...engine,
      health: () => ({ kind: 'degraded', because: 'Redis is gone' }),
    };
    expect(reportOf().gateway).toEqual({ mode: 'managed', state: 'ready', because: null });
    expect(reportOf({ engine: degraded }).gateway).toMatchObject({ state: 'degraded', because: 'Redis is gone' });
    const both = reportOf({ engine: degraded, openExchanges: { isDraining: true } });
    expect(both.gateway.state).toBe('draining');
  });

  it('lists the 200 exchanges that run longest, and counts all', () => {
    for (let index = 0; index < 201; index++) {
      liveExchanges.enter(requestOf({ id: `slip_${index}`, receivedAtMs: index }), contextOf(clock));
    }
    const { live, liveCount } = reportOf();
    expect([live.length, live[0]?.id, liveCount]).toEqual([200, 'slip_0', 201]);
    expect(live[0]?.startedAtMs).toBe(clock.wallMs());
  });
});
