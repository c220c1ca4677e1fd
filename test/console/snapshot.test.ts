import { beforeEach, describe, expect, it } from 'vitest';
import { createConsoleBoard, type ConsoleBoard } from '../../src/console/console-board.ts';
import type { LiveExchange } from '../../src/console/contract.ts';
import type { ProcessReport, TenantReading, UpstreamReading } from '../../src/console/process-report.ts';
import { snapshotOf } from '../../src/console/snapshot.ts';
import { finishedOf, ZERO_WALL_MS } from './records.ts';

const AT_MS = ZERO_WALL_MS + 1_000;

let board: ConsoleBoard;
beforeEach(() => {
  board = createConsoleBoard(ZERO_WALL_MS);
});

const snapshot = (...reports: readonly ProcessReport[]) =>
  snapshotOf(board, reports, { atMs: AT_MS, scope: 'worker', spentUsd: async (_tenant, { usd }) => usd / 2 });

function reportOf(part: Partial<ProcessReport> = {}): ProcessReport {
  const gateway = { mode: 'managed', state: 'ready', because: null } as const;
  return { gateway, live: [], liveCount: 0, tenants: [], upstreams: [], ...part };
}

function tenantOf(id: string, part: Partial<TenantReading> = {}): TenantReading {
  return { id, inUse: 0, waiting: 0, limit: 8, weight: 1, budget: null, ...part };
}

const liveAt = (startedAtMs: number): LiveExchange => ({ id: `slip_${startedAtMs}`, startedAtMs }) as LiveExchange;

describe('a snapshot', () => {
  it('adds up what several processes hold', async () => {
    const upstream: UpstreamReading = {
      id: 'main',
      cacheDomain: 'main',
      inUse: 3,
      waiting: 0,
      limit: 16,
      ceiling: 256,
      breaker: 'closed',
      quotas: [],
    };
    const one = reportOf({
      tenants: [tenantOf('acme', { inUse: 2 })],
      upstreams: [upstream],
      live: [liveAt(5)],
      liveCount: 1,
    });
    const other = reportOf({
      tenants: [tenantOf('acme', { inUse: 1, waiting: 4 })],
      upstreams: [upstream],
      live: [liveAt(2)],
      liveCount: 300,
    });
    const { tenants, upstreams, live, liveCount } = await snapshot(one, other);
    expect(tenants).toMatchObject([{ id: 'acme', inUse: 3, waiting: 4, limit: 8 }]);
    expect(upstreams).toMatchObject([{ id: 'main', inUse: 6, limit: 16, attempts: {} }]);
    expect([live.map(({ startedAtMs }) => startedAtMs), liveCount]).toEqual([[2, 5], 301]);
  });

  it('is degraded where one of them is, and says why', async () => {
    const degraded = { mode: 'managed', state: 'degraded', because: 'Redis is gone' } as const;
    const { gateway } = await snapshot(reportOf(), reportOf({ gateway: degraded }));
    expect(gateway).toEqual({ ...degraded, sinceAtMs: ZERO_WALL_MS, scope: 'worker' });
  });

  it('shows the 200 busiest tenants, and asks for the budgets of no others', async () => {
    const asked: string[] = [];
    const budget = { usd: 10, per: 'day' } as const;
    const ids = Array.from({ length: 250 }, (_, index) => `t-${index}`);
    for (const tenant of ids.slice(-100)) board.add(finishedOf({ tenant }));
    const tenants = ids.map((id, index) => tenantOf(id, { budget, inUse: index === 0 ? 5 : 0 }));
    const spentUsd = async (tenant: string): Promise<number> => asked.push(tenant);
    const shown = await snapshotOf(board, [reportOf({ tenants })], { atMs: AT_MS, scope: 'process', spentUsd });
    expect(shown.tenants).toHaveLength(200);
    expect(shown.tenants[0]).toMatchObject({ id: 't-0', budget: { usd: 10, per: 'day', spentUsd: 1 } });
    expect(new Set(shown.tenants.slice(1, 101).map(({ id }) => id))).toEqual(new Set(ids.slice(-100)));
    expect(asked).toHaveLength(200);
  });

  it('shows who was served and holds nothing now', async () => {
    board.add(finishedOf({ tenant: 't-guest' }));
    expect((await snapshot(reportOf())).tenants).toMatchObject([
      { id: 't-guest', requests: 1, inUse: 0, budget: null },
    ]);
  });

  it('brings the two newest buckets of the history', async () => {
    board.add(finishedOf({ endedAtMs: 900 }));
    const { buckets, totals, recent } = await snapshot(reportOf());
    expect(buckets).toEqual(board.history(AT_MS).buckets.slice(-2));
    expect([totals.requests, recent.requests]).toEqual([1, 1]);
  });
});
