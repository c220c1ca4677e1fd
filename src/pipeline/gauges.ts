import type { Clock } from '../core/clock.ts';
import type { Tenant } from '../core/tenant.ts';
import type { HitRatio } from '../metrics/hit-ratio.ts';
import type { TenantLabels } from '../metrics/labels.ts';
import type { GaugeBoard } from '../metrics/metrics.ts';
import type { EngineHealth } from '../state/engine.ts';
import type { SlotCount, Slots } from '../state/slots.ts';
import type { UpstreamCapacity } from '../state/upstream-capacity.ts';
import type { Fleet } from './fleet.ts';

/** The gauges that are read off something when somebody asks. What is gone does not stay at its last value. */
export interface GaugeSources {
  readonly clock: Clock;
  readonly slots: Slots;
  readonly capacity: UpstreamCapacity;
  readonly fleet: Fleet;
  readonly health: () => EngineHealth;
  readonly hitRatio: HitRatio;
  readonly tenantLabels: TenantLabels;
  /** The configured ones: they are shown when idle, too. */
  readonly tenants: () => readonly Tenant[];
}

const GAUGES = [
  'slipstream_slots_in_use',
  'slipstream_slots_limit',
  'slipstream_queue_depth',
  'slipstream_upstream_ratelimit_remaining',
  'slipstream_upstream_state',
  'slipstream_cache_hit_ratio',
  'slipstream_state_degraded',
] as const;

export const BREAKER_STATES = ['closed', 'half_open', 'open', 'credential_refused'] as const;

export function publishGauges(board: GaugeBoard, sources: GaugeSources): void {
  for (const name of GAUGES) board.clear(name);
  publishTenants(board, sources);
  publishUpstreams(board, sources);
  board.set('slipstream_state_degraded', {}, Number(sources.health().kind === 'degraded'));
  for (const [model, ratio] of sources.hitRatio.ratios()) board.set('slipstream_cache_hit_ratio', { model }, ratio);
}

function publishTenants(board: GaugeBoard, { slots, tenants, tenantLabels }: GaugeSources): void {
  const counts = slots.counts();
  for (const { id, slots: rules } of tenants()) {
    if (!counts.has(id)) publishSlots(board, 'tenant', tenantLabels.of(id), { inUse: 0, waiting: 0, ...rules });
  }
  for (const [id, count] of counts) publishSlots(board, 'tenant', tenantLabels.of(id), count);
}

function publishUpstreams(board: GaugeBoard, { capacity, fleet, clock }: GaugeSources): void {
  for (const { upstream, breaker } of fleet.all) {
    publishSlots(board, 'upstream', upstream.id, capacity.load(upstream.id));
    const now = breaker.state(clock.nowMs());
    for (const state of BREAKER_STATES) {
      board.set('slipstream_upstream_state', { upstream: upstream.id, state }, Number(state === now));
    }
  }
  for (const { upstream, modelClass, kind, remaining } of capacity.quotas()) {
    board.set('slipstream_upstream_ratelimit_remaining', { upstream, model_class: modelClass, kind }, remaining);
  }
}

/** Several tenants may share the label `other`: theirs add up. */
function publishSlots(board: GaugeBoard, scope: 'tenant' | 'upstream', name: string, count: SlotCount): void {
  const labels = { scope, name };
  board.add('slipstream_slots_in_use', labels, count.inUse);
  board.add('slipstream_slots_limit', labels, count.limit);
  board.add('slipstream_queue_depth', labels, count.waiting);
}
