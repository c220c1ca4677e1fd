import type { Budget } from '../core/tenant.ts';
import type { ConsoleBoard } from './console-board.ts';
import type { GatewayState, Snapshot, TenantStanding } from './contract.ts';
import { MOST_LIVE, type ProcessReport, type TenantReading, type UpstreamReading } from './process-report.ts';
import type { StandingsNow } from './standings.ts';

/** The board and the reports of all processes that feed it, as one. What processes hold at once adds up. */
export interface SnapshotOptions {
  readonly atMs: number;
  readonly scope: GatewayState['scope'];
  /** Asked for the tenants that are shown and have a budget. */
  readonly spentUsd: (tenant: string, budget: Budget) => Promise<number>;
}

/** Tenants that are shown: the busiest. */
const MOST_TENANTS = 200;

export async function snapshotOf(
  board: ConsoleBoard,
  reports: readonly ProcessReport[],
  { atMs, scope, spentUsd }: SnapshotOptions,
): Promise<Snapshot> {
  const standings = board.standings(atMs);
  const live = reports.flatMap((report) => report.live).sort((a, b) => a.startedAtMs - b.startedAtMs);
  return {
    atMs,
    gateway: gatewayOf(reports, board.sinceAtMs, scope),
    totals: board.totals(),
    recent: standings.recent,
    live: live.slice(0, MOST_LIVE),
    liveCount: reports.reduce((sum, { liveCount }) => sum + liveCount, 0),
    tenants: await Promise.all(
      busiest(reports, standings).map((reading) => tenantStanding(reading, standings, spentUsd)),
    ),
    upstreams: merged(reports.map(({ upstreams }) => upstreams)).map((reading: UpstreamReading) => {
      return { ...reading, attempts: standings.attempts(reading.id) };
    }),
    buckets: board.newestBuckets(atMs),
  };
}

function gatewayOf(reports: readonly ProcessReport[], sinceAtMs: number, scope: GatewayState['scope']): GatewayState {
  const states = reports.map(({ gateway }) => gateway);
  const worst = states.find(({ state }) => state !== 'ready') ?? states[0];
  const { mode, state, because } = worst ?? { mode: 'managed', state: 'ready', because: null };
  return { mode, state, because, sinceAtMs, scope };
}

/** Those with the most requests lately and now. Who has been served and is idle since is shown, too, while there is room. */
function busiest(reports: readonly ProcessReport[], { requests, tenants }: StandingsNow): TenantReading[] {
  const readings = merged(reports.map((report) => report.tenants));
  const known = new Set(readings.map(({ id }) => id));
  const idle = tenants.filter((id) => !known.has(id)).map((id) => ({ ...NOTHING_HELD, id }));
  const busyness = ({ id, inUse, waiting }: TenantReading): number => (requests.get(id) ?? 0) + inUse + waiting;
  return [...readings, ...idle].sort((a, b) => busyness(b) - busyness(a)).slice(0, MOST_TENANTS);
}

const NOTHING_HELD = { inUse: 0, waiting: 0, limit: 0, weight: 1, budget: null };

async function tenantStanding(
  { budget, ...reading }: TenantReading,
  standings: StandingsNow,
  spentUsd: SnapshotOptions['spentUsd'],
): Promise<TenantStanding> {
  const spent = budget && { usd: budget.usd, per: budget.per, spentUsd: await spentUsd(reading.id, budget) };
  return { ...reading, ...standings.figures(reading.id), budget: spent };
}

interface Held {
  readonly id: string;
  readonly inUse: number;
  readonly waiting: number;
}

/** By id: what each process holds adds up; the rest is as the first of them says. */
function merged<Reading extends Held>(lists: readonly (readonly Reading[])[]): Reading[] {
  const all = new Map<string, Reading>();
  for (const reading of lists.flat()) {
    const known = all.get(reading.id);
    const sums = known && { inUse: known.inUse + reading.inUse, waiting: known.waiting + reading.waiting };
    all.set(reading.id, { ...(known ?? reading), ...sums });
  }
  return [...all.values()];
}
