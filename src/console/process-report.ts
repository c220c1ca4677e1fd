import type { Clock } from '../core/clock.ts';
import type { Budget, Tenant } from '../core/tenant.ts';
import type { Fleet } from '../pipeline/fleet.ts';
import type { LiveExchanges } from '../pipeline/live-exchanges.ts';
import type { StateEngine } from '../state/engine.ts';
import type { SlotCount } from '../state/slots.ts';
import type { GatewayState, LiveExchange, UpstreamStanding } from './contract.ts';
import { liveExchange } from './live-view.ts';

/**
 * The other half of a snapshot: what runs in one process at this moment, and how that stands. Plain data, so that it can
 * come from another isolate.
 */
export interface ProcessReport {
  readonly gateway: Pick<GatewayState, 'mode' | 'state' | 'because'>;
  /** Longest running first, as many as are shown. */
  readonly live: readonly LiveExchange[];
  readonly liveCount: number;
  readonly tenants: readonly TenantReading[];
  readonly upstreams: readonly UpstreamReading[];
}

export interface TenantReading extends SlotCount {
  readonly id: string;
  readonly weight: number;
  readonly budget: Budget | null;
}

export type UpstreamReading = Omit<UpstreamStanding, 'attempts'>;

/** What a report is made of. Functions, where a reload may change the answer. */
export interface ProcessParts {
  readonly clock: Clock;
  readonly engine: Pick<StateEngine, 'slots' | 'capacity' | 'ledger' | 'health'>;
  readonly fleet: Fleet;
  readonly liveExchanges: LiveExchanges;
  readonly mode: () => GatewayState['mode'];
  readonly openExchanges: { readonly isDraining: boolean };
  /** The configured ones. */
  readonly tenants: () => readonly Tenant[];
  /** What an upstream's limit never passes. */
  readonly ceilingOf: (upstream: string) => number;
}

/** Shown at most. */
export const MOST_LIVE = 200;

export function processReport(parts: ProcessParts): ProcessReport {
  const { clock, liveExchanges } = parts;
  const zeroWallMs = clock.wallMs() - clock.nowMs();
  return {
    gateway: gatewayState(parts),
    live: liveExchanges.list(MOST_LIVE).map((entry) => liveExchange(entry, zeroWallMs)),
    liveCount: liveExchanges.count,
    tenants: tenantReadings(parts),
    upstreams: upstreamReadings(parts),
  };
}

function gatewayState({ mode, openExchanges, engine }: ProcessParts): ProcessReport['gateway'] {
  const health = engine.health();
  const because = health.kind === 'degraded' ? health.because : null;
  const state = openExchanges.isDraining ? 'draining' : because === null ? 'ready' : 'degraded';
  return { mode: mode(), state, because };
}

/** The configured ones, also when idle, and whoever else holds a slot or waits for one. */
function tenantReadings({ tenants, engine }: ProcessParts): TenantReading[] {
  const counts = engine.slots.counts();
  const configured = tenants().map(({ id, slots, weight, budget }) => {
    return { id, weight, budget, ...(counts.get(id) ?? { inUse: 0, waiting: 0, limit: slots.limit }) };
  });
  const known = new Set(configured.map(({ id }) => id));
  const others = [...counts].filter(([id]) => !known.has(id));
  return [...configured, ...others.map(([id, count]) => ({ id, weight: 1, budget: null, ...count }))];
}

function upstreamReadings({ clock, engine, fleet, ceilingOf }: ProcessParts): UpstreamReading[] {
  const quotas = engine.capacity.quotas();
  return fleet.all.map(({ upstream: { id }, cacheDomain, breaker }) => ({
    id,
    cacheDomain,
    ...engine.capacity.load(id),
    ceiling: ceilingOf(id),
    breaker: breaker.state(clock.nowMs()),
    quotas: quotas
      .filter(({ upstream }) => upstream === id)
      .map(({ modelClass, kind, remaining, limit }) => ({ modelClass, kind, remaining, limit })),
  }));
}
