import { beforeEach, describe, expect, it } from 'vitest';
import { createRetryBudget, type RetryBudget } from '../../src/core/failures/retry-budget.ts';
import { periodStartMs, type Tenant } from '../../src/core/tenant.ts';
import { createHitRatio, type HitRatio } from '../../src/metrics/hit-ratio.ts';
import { createTenantLabels } from '../../src/metrics/labels.ts';
import type { GaugeBoard } from '../../src/metrics/metrics.ts';
import type { Fleet } from '../../src/pipeline/fleet.ts';
import { readGauges } from '../../src/pipeline/gauges.ts';
import type { VolatileBlock } from '../../src/prompt/volatile-prefix.ts';
import type { EngineHealth } from '../../src/state/engine.ts';
import { createMemoryLedger, type Ledger } from '../../src/state/ledger.ts';
import type { SlotCount } from '../../src/state/slots.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { createScriptedCapacity, type ScriptedCapacity } from './capacity-under-test.ts';
import { entryOf, fleetOf, takeOut } from './fleet-under-test.ts';
import { createRecordedMetrics, tenantOf } from './scripted.ts';

let clock: FakeClock;
let fleet: Fleet;
let hitRatio: HitRatio;
let counts: Map<string, SlotCount>;
let capacity: ScriptedCapacity;
let tenants: Tenant[];
let health: EngineHealth;
let ledger: Ledger;
let retryBudget: RetryBudget;
let volatile: VolatileBlock[];
let values: Readonly<Record<string, number>>;
beforeEach(() => {
  clock = createFakeClock();
  fleet = fleetOf(entryOf('main'));
  hitRatio = createHitRatio(clock);
  counts = new Map();
  capacity = createScriptedCapacity();
  tenants = [];
  health = { kind: 'ok' };
  ledger = createMemoryLedger();
  retryBudget = createRetryBudget();
  volatile = [];
});

/** A board on which nothing stays that was not put up for this scrape. */
async function publish(labelled = 200): Promise<void> {
  const board = createRecordedMetrics();
  const cleared = new Set<string>();
  const fresh = (name: string): void => expect(cleared).toContain(name);
  const guarded: GaugeBoard = {
    clear: (name) => void cleared.add(name),
    add: (name, labels, by) => (fresh(name), board.add(name, labels, by)),
    set: (name, labels, value) => (fresh(name), board.set(name, labels, value)),
  };
  const slots = { acquire: () => Promise.reject(new Error('not asked')), setLimit: () => {}, counts: () => counts };
  const tenantLabels = createTenantLabels(labelled);
  const sources = {
    clock,
    slots,
    capacity,
    fleet,
    hitRatio,
    tenantLabels,
    tenants: () => tenants,
    health: () => health,
    ledger,
    retryBudget,
    volatilePrefixes: () => volatile,
  };
  const steps = await readGauges(guarded, sources);
  expect(cleared.size).toBe(0);
  for (const putUp of steps) putUp();
  values = board.values;
}

const slotsOf = (scope: string, name: string): (number | undefined)[] =>
  ['slots_in_use', 'slots_limit', 'queue_depth'].map(
    (kind) => values[`slipstream_${kind}{scope="${scope}",name="${name}"}`],
  );

describe('the gauges of tenants', () => {
  it('show who runs and who waits, under the limit that holds now', async () => {
    counts.set('acme', { inUse: 2, waiting: 5, limit: 2 });
    await publish();
    expect(slotsOf('tenant', 'acme')).toEqual([2, 2, 5]);
  });

  it('show a configured tenant that is idle, and one that runs only once', async () => {
    tenants = [tenantOf({ id: 'idle' }), tenantOf({ id: 'acme' })];
    counts.set('acme', { inUse: 1, waiting: 0, limit: 9 });
    await publish();
    expect([slotsOf('tenant', 'idle'), slotsOf('tenant', 'acme')]).toEqual([
      [0, 1, 0],
      [1, 9, 0],
    ]);
  });

  it('add up those of the tenants that share a label', async () => {
    for (const id of ['a', 'b', 'c']) counts.set(id, { inUse: 1, waiting: 2, limit: 4 });
    await publish(1);
    expect([slotsOf('tenant', 'a'), slotsOf('tenant', 'other')]).toEqual([
      [1, 4, 2],
      [2, 8, 4],
    ]);
  });
});

describe('the gauges of budgets', () => {
  const series = (tenant: string): (number | undefined)[] =>
    ['budget_usd', 'budget_spent_usd'].map((kind) => values[`slipstream_${kind}{tenant="${tenant}"}`]);

  it('show what is spent of each in the current period', async () => {
    const budget = { usd: 50, per: 'hour' } as const;
    tenants = [tenantOf({ id: 'acme', budget }), tenantOf({ id: 'free' })];
    ledger.book('acme', periodStartMs('hour', clock.wallMs()), 12.5);
    await publish();
    expect([series('acme'), series('free')]).toEqual([
      [50, 12.5],
      [undefined, undefined],
    ]);
    await clock.advance(3_600_000);
    await publish();
    expect(series('acme')).toEqual([50, 0]);
  });

  it('leave out tenants that share a label', async () => {
    tenants = ['a', 'b', 'c'].map((id) => tenantOf({ id, budget: { usd: 1, per: 'day' } }));
    await publish(1);
    expect([series('a'), series('other')]).toEqual([
      [1, 0],
      [undefined, undefined],
    ]);
  });
});

describe('the gauges of upstreams', () => {
  it('show the load and the limit of each, idle or not', async () => {
    capacity.load = () => ({ inUse: 3, waiting: 1, limit: 64 });
    await publish();
    expect(slotsOf('upstream', 'main')).toEqual([3, 64, 1]);
  });

  it('show the state of each as one of four', async () => {
    fleet = fleetOf(entryOf('main'), entryOf('down'), entryOf('probed'), entryOf('revoked'));
    takeOut(fleet, 'probed', 0);
    takeOut(fleet, 'revoked', 0, 'credential_refused');
    await clock.advance(1_000);
    takeOut(fleet, 'down', 1_000);
    await publish();
    const states = Object.entries(values).filter(([series]) => series.startsWith('slipstream_upstream_state'));
    expect(states).toHaveLength(16);
    const is = (id: string, state: string) => `slipstream_upstream_state{upstream="${id}",state="${state}"}`;
    expect(states.filter(([, value]) => value === 1).map(([series]) => series)).toEqual([
      is('main', 'closed'),
      is('down', 'open'),
      is('probed', 'half_open'),
      is('revoked', 'credential_refused'),
    ]);
  });

  it('show what is left of each quota, and of how much', async () => {
    const quota = {
      modelClass: 'opus',
      kind: 'input_tokens',
      limit: 9_000,
      remaining: 1_234,
      resetInMs: 7_000,
    } as const;
    capacity.quotas = () => [{ upstream: 'main', ...quota }];
    await publish();
    const labels = 'upstream="main",model_class="opus",kind="input_tokens"';
    expect(values[`slipstream_upstream_ratelimit_remaining{${labels}}`]).toBe(1_234);
    expect(values[`slipstream_upstream_ratelimit_limit{${labels}}`]).toBe(9_000);
  });
});

it('the hit ratio of each model is shown', async () => {
  hitRatio.record('claude-opus-5', 30, 40);
  await publish();
  expect(values['slipstream_cache_hit_ratio{model="claude-opus-5"}']).toBe(0.75);
});

it('places that change with every request are counted by tenant, with the tokens of a day behind them', async () => {
  const block = { model: 'claude-opus-5', place: 'system[0]', requests: 9, changes: 9 };
  volatile = [
    { ...block, tenant: 'acme', tokensBehind: 1_000, requestsPerDay: 20 },
    { ...block, tenant: 'acme', tokensBehind: 300, requestsPerDay: 10 },
    { ...block, tenant: 'globex', tokensBehind: 7, requestsPerDay: 1 },
  ];
  await publish();
  const of = (tenant: string) =>
    ['', '_tokens_per_day'].map((kind) => values[`slipstream_volatile_prefix${kind || 'es'}{tenant="${tenant}"}`]);
  expect([of('acme'), of('globex')]).toEqual([
    [2, 23_000],
    [1, 7],
  ]);
});

it('what is left of the retry budget falls with each retry, and comes back', async () => {
  const series = 'slipstream_retry_budget_remaining_ratio{}';
  for (let retries = 0; retries < 4; retries++) retryBudget.take(clock.nowMs());
  await publish();
  expect(values[series]).toBeCloseTo(0.6, 12);
  await clock.advance(10_000);
  await publish();
  expect(values[series]).toBe(1);
});

describe('the shared state', () => {
  it.each<[EngineHealth, number]>([
    [{ kind: 'ok' }, 0],
    [{ kind: 'degraded', because: 'unreachable' }, 1],
  ])('that is %o shows %d', async (state, shown) => {
    health = state;
    await publish();
    expect(values['slipstream_state_degraded{}']).toBe(shown);
  });
});
