import { beforeEach, describe, expect, it } from 'vitest';
import type { Tenant } from '../../src/core/tenant.ts';
import { createHitRatio, type HitRatio } from '../../src/metrics/hit-ratio.ts';
import { createTenantLabels } from '../../src/metrics/labels.ts';
import type { GaugeBoard } from '../../src/metrics/metrics.ts';
import type { Fleet } from '../../src/pipeline/fleet.ts';
import { publishGauges } from '../../src/pipeline/gauges.ts';
import type { EngineHealth } from '../../src/state/engine.ts';
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
let values: Readonly<Record<string, number>>;
beforeEach(() => {
  clock = createFakeClock();
  fleet = fleetOf(entryOf('main'));
  hitRatio = createHitRatio(clock);
  counts = new Map();
  capacity = createScriptedCapacity();
  tenants = [];
  health = { kind: 'ok' };
});

/** A board on which nothing stays that was not put up for this scrape. */
function publish(labelled = 200): void {
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
  };
  publishGauges(guarded, sources);
  values = board.values;
}

const slotsOf = (scope: string, name: string): (number | undefined)[] =>
  ['slots_in_use', 'slots_limit', 'queue_depth'].map(
    (kind) => values[`slipstream_${kind}{scope="${scope}",name="${name}"}`],
  );

describe('the gauges of tenants', () => {
  it('show who runs and who waits, under the limit that holds now', () => {
    counts.set('acme', { inUse: 2, waiting: 5, limit: 2 });
    publish();
    expect(slotsOf('tenant', 'acme')).toEqual([2, 2, 5]);
  });

  it('show a configured tenant that is idle, and one that runs only once', () => {
    tenants = [tenantOf({ id: 'idle' }), tenantOf({ id: 'acme' })];
    counts.set('acme', { inUse: 1, waiting: 0, limit: 9 });
    publish();
    expect([slotsOf('tenant', 'idle'), slotsOf('tenant', 'acme')]).toEqual([
      [0, 1, 0],
      [1, 9, 0],
    ]);
  });

  it('add up those of the tenants that share a label', () => {
    for (const id of ['a', 'b', 'c']) counts.set(id, { inUse: 1, waiting: 2, limit: 4 });
    publish(1);
    expect([slotsOf('tenant', 'a'), slotsOf('tenant', 'other')]).toEqual([
      [1, 4, 2],
      [2, 8, 4],
    ]);
  });
});

describe('the gauges of upstreams', () => {
  it('show the load and the limit of each, idle or not', () => {
    capacity.load = () => ({ inUse: 3, waiting: 1, limit: 64 });
    publish();
    expect(slotsOf('upstream', 'main')).toEqual([3, 64, 1]);
  });

  it('show the state of each as one of four', async () => {
    fleet = fleetOf(entryOf('main'), entryOf('down'), entryOf('probed'), entryOf('revoked'));
    takeOut(fleet, 'probed', 0);
    takeOut(fleet, 'revoked', 0, 'credential_refused');
    await clock.advance(1_000);
    takeOut(fleet, 'down', 1_000);
    publish();
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

  it('show what is left of each quota', () => {
    const quota = { modelClass: 'opus', kind: 'input_tokens', remaining: 1_234, resetInMs: 7_000 } as const;
    capacity.quotas = () => [{ upstream: 'main', ...quota }];
    publish();
    const series = 'slipstream_upstream_ratelimit_remaining{upstream="main",model_class="opus",kind="input_tokens"}';
    expect(values[series]).toBe(1_234);
  });
});

it('the hit ratio of each model is shown', () => {
  hitRatio.record('claude-opus-5', 30, 40);
  publish();
  expect(values['slipstream_cache_hit_ratio{model="claude-opus-5"}']).toBe(0.75);
});

describe('the shared state', () => {
  it.each<[EngineHealth, number]>([
    [{ kind: 'ok' }, 0],
    [{ kind: 'degraded', because: 'unreachable' }, 1],
  ])('that is %o shows %d', (state, shown) => {
    health = state;
    publish();
    expect(values['slipstream_state_degraded{}']).toBe(shown);
  });
});
