import type { Clock } from '../core/clock.ts';
import type { RetryBudget } from '../core/failures/retry-budget.ts';
import { periodStartMs, type Budget, type Tenant } from '../core/tenant.ts';
import type { HitRatio } from '../metrics/hit-ratio.ts';
import type { TenantLabels } from '../metrics/labels.ts';
import type { GaugeBoard } from '../metrics/metrics.ts';
import type { VolatileBlock } from '../prompt/volatile-prefix.ts';
import type { EngineHealth } from '../state/engine.ts';
import type { Ledger } from '../state/ledger.ts';
import type { SlotCount, Slots } from '../state/slots.ts';
import type { UpstreamCapacity } from '../state/upstream-capacity.ts';
import type { Fleet } from './fleet.ts';

/** The gauges that are read off something when somebody asks. What is gone does not stay at its last value. */
export interface GaugeSources {
  readonly clock: Clock;
  readonly slots: Slots;
  readonly capacity: UpstreamCapacity;
  readonly fleet: Fleet;
  readonly ledger: Pick<Ledger, 'spentUsd'>;
  readonly retryBudget: Pick<RetryBudget, 'remainingRatio'>;
  readonly volatilePrefixes: () => readonly VolatileBlock[];
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
  'slipstream_upstream_ratelimit_limit',
  'slipstream_upstream_state',
  'slipstream_cache_hit_ratio',
  'slipstream_volatile_prefixes',
  'slipstream_volatile_prefix_tokens_per_day',
  'slipstream_budget_usd',
  'slipstream_budget_spent_usd',
  'slipstream_retry_budget_remaining_ratio',
  'slipstream_state_degraded',
] as const;

export const BREAKER_STATES = ['closed', 'half_open', 'open', 'credential_refused'] as const;

/** Spending is asked for first, which may take a while on a shared ledger; the rest is read as the board is written, in steps. */
export async function readGauges(board: GaugeBoard, sources: GaugeSources): Promise<readonly (() => void)[]> {
  const spending = await readSpending(sources);
  return [
    () => GAUGES.forEach((name) => board.clear(name)),
    () => publishTenants(board, sources),
    () => publishSpending(board, spending),
    () => publishUpstreams(board, sources),
    () => publishPrompts(board, sources),
    () => publishProcess(board, sources),
  ];
}

interface TenantSpending {
  readonly tenant: string;
  readonly budget: Budget;
  readonly spentUsd: number;
}

/** Of tenants with a label of their own: a sum of several budgets says of none whether it is spent. */
function readSpending({ tenants, tenantLabels, ledger, clock }: GaugeSources): Promise<TenantSpending[]> {
  const wallMs = clock.wallMs();
  const asked = tenants().map(async ({ id, budget }): Promise<TenantSpending[]> => {
    if (budget === null || tenantLabels.of(id) !== id) return [];
    return [{ tenant: id, budget, spentUsd: await ledger.spentUsd(id, periodStartMs(budget.per, wallMs)) }];
  });
  return Promise.all(asked).then((each) => each.flat());
}

function publishSpending(board: GaugeBoard, spending: readonly TenantSpending[]): void {
  for (const { tenant, budget, spentUsd } of spending) {
    board.set('slipstream_budget_usd', { tenant }, budget.usd);
    board.set('slipstream_budget_spent_usd', { tenant }, spentUsd);
  }
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
  for (const { upstream, modelClass, kind, remaining, limit } of capacity.quotas()) {
    const labels = { upstream, model_class: modelClass, kind };
    board.set('slipstream_upstream_ratelimit_remaining', labels, remaining);
    board.set('slipstream_upstream_ratelimit_limit', labels, limit);
  }
}

function publishPrompts(board: GaugeBoard, { hitRatio, volatilePrefixes, tenantLabels }: GaugeSources): void {
  for (const [model, ratio] of hitRatio.ratios()) board.set('slipstream_cache_hit_ratio', { model }, ratio);
  for (const { tenant: id, tokensBehind, requestsPerDay } of volatilePrefixes()) {
    const tenant = tenantLabels.of(id);
    board.add('slipstream_volatile_prefixes', { tenant }, 1);
    board.add('slipstream_volatile_prefix_tokens_per_day', { tenant }, tokensBehind * requestsPerDay);
  }
}

function publishProcess(board: GaugeBoard, { retryBudget, clock, health }: GaugeSources): void {
  board.set('slipstream_retry_budget_remaining_ratio', {}, retryBudget.remainingRatio(clock.nowMs()));
  board.set('slipstream_state_degraded', {}, Number(health().kind === 'degraded'));
}

/** Several tenants may share the label `other`: theirs add up. */
function publishSlots(board: GaugeBoard, scope: 'tenant' | 'upstream', name: string, count: SlotCount): void {
  const labels = { scope, name };
  board.add('slipstream_slots_in_use', labels, count.inUse);
  board.add('slipstream_slots_limit', labels, count.limit);
  board.add('slipstream_queue_depth', labels, count.waiting);
}
