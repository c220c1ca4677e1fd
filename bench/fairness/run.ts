// Ten tenants before one upstream, one of them greedy: what the others wait, without it and with it, in this queue and in
// two others. Simulated time, seeded: the same figures on every machine.
//   npm run bench:fairness [-- --hours N]

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createMemoryUpstreamCapacity } from '../../src/state/memory-upstream-capacity.ts';
import type { UpstreamCapacity } from '../../src/state/upstream-capacity.ts';
import { arrivalsOf, GREEDY, type Traffic } from './arrivals.ts';
import { createRankedCapacity } from './ranked-capacity.ts';
import { createSimulatedClock } from './simulated-clock.ts';
import { quantile, simulate, UPSTREAM, type SteppedClock, type TenantWaits } from './simulate.ts';

type Queue = (clock: SteppedClock, slots: number) => Pick<UpstreamCapacity, 'acquire'>;

const QUEUES: Readonly<Record<string, Queue>> = {
  Slipstream(clock, slots) {
    const createLimit = () => ({ current: slots, setCeiling: () => {}, report: () => {} });
    const capacity = createMemoryUpstreamCapacity({ clock, createLimit });
    capacity.setCeiling(UPSTREAM, slots);
    return capacity;
  },
  'first come, first served': (clock, slots) => createRankedCapacity(clock, slots, () => 0),
  'bound: greedy last': (clock, slots) => createRankedCapacity(clock, slots, ({ tenant }) => Number(tenant === GREEDY)),
};
const CASES = [8, 16].flatMap((slots) => [0.7, 0.8, 0.9].map((modestUtilisation) => ({ slots, modestUtilisation })));
const MODEST_TENANTS = 9;
const OFFERS = 50;
const MAX_WAIT_MS = 30_000;
const TENANT_SLOTS = 64;

interface Row {
  readonly slots: number;
  readonly modestUtilisation: number;
  readonly queue: string;
  readonly greedy: 'absent' | 'present';
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly timedOutShare: number;
  /** Of one modest tenant: its p95 with the greedy one by its p95 without. */
  readonly worstRatio: number | null;
  readonly greedyShareOfSlots: number;
}

await run();

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { hours: { type: 'string', default: '1.5' } } });
  const durationMs = Number(values.hours) * 3_600_000;
  if (!(durationMs > 0)) throw new Error(`--hours wants a number above 0, not "${values.hours}"`);
  const rows: Row[] = [];
  for (const { slots, modestUtilisation } of CASES) {
    const traffic = { seed: 1, slots, modestUtilisation, meanHoldMs: 8_000, holdSigma: 0.8, modestTenants: MODEST_TENANTS, durationMs }; // prettier-ignore
    for (const name of Object.keys(QUEUES)) rows.push(...(await compare(name, traffic)));
  }
  console.log(render(rows));
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const file = `${folder}fairness-${new Date().toISOString().replaceAll(':', '-')}.json`;
  writeFileSync(file, `${JSON.stringify({ node: process.version, hours: durationMs / 3_600_000, rows }, null, 2)}\n`);
}

async function compare(queue: string, traffic: Omit<Traffic, 'greedyOffers'>): Promise<Row[]> {
  const without = await measure(queue, { ...traffic, greedyOffers: 0 });
  const withGreedy = await measure(queue, { ...traffic, greedyOffers: OFFERS });
  const ratios = modestOf(withGreedy).map(([tenant, { waitsMs }]) => {
    return quantile(waitsMs, 0.95) / quantile(without.get(tenant)?.waitsMs ?? [], 0.95);
  });
  const worst = Math.max(...ratios);
  return [
    rowOf(queue, 'absent', traffic, without, null),
    rowOf(queue, 'present', traffic, withGreedy, Number.isFinite(worst) ? worst : null),
  ];
}

function measure(queue: string, traffic: Traffic): Promise<ReadonlyMap<string, TenantWaits>> {
  const clock = createSimulatedClock();
  const capacity = QUEUES[queue]?.(clock, traffic.slots);
  if (!capacity) throw new Error(`no queue is called "${queue}"`);
  const arrivals = arrivalsOf(traffic);
  return simulate({ clock, capacity, arrivals, maxWaitMs: MAX_WAIT_MS, tenantSlots: TENANT_SLOTS });
}

function modestOf(tenants: ReadonlyMap<string, TenantWaits>): [string, TenantWaits][] {
  return [...tenants].filter(([tenant]) => tenant !== GREEDY);
}

function rowOf(
  queue: string,
  greedy: Row['greedy'],
  { slots, modestUtilisation, durationMs }: Omit<Traffic, 'greedyOffers'>,
  tenants: ReadonlyMap<string, TenantWaits>,
  worstRatio: number | null,
): Row {
  const modest = modestOf(tenants).map(([, waits]) => waits);
  const waitsMs = modest.flatMap((waits) => waits.waitsMs);
  const timedOut = modest.reduce((sum, waits) => sum + waits.timedOut, 0);
  return {
    slots,
    modestUtilisation,
    queue,
    greedy,
    p50Ms: quantile(waitsMs, 0.5),
    p95Ms: quantile(waitsMs, 0.95),
    p99Ms: quantile(waitsMs, 0.99),
    timedOutShare: timedOut / waitsMs.length,
    worstRatio,
    greedyShareOfSlots: (tenants.get(GREEDY)?.servedMs ?? 0) / (slots * durationMs),
  };
}

function render(rows: readonly Row[]): string {
  const head = ['slots', 'modest', 'greedy', 'p50 s', 'p95 s', 'p99 s', 'in vain', 'worst p95 ×', 'greedy has'];
  const seconds = (ms: number): string => (ms / 1000).toFixed(2);
  const percent = (share: number, digits = 0): string => `${(share * 100).toFixed(digits)} %`;
  const lines = rows.map((row) => [
    row.queue,
    String(row.slots),
    percent(row.modestUtilisation),
    row.greedy,
    seconds(row.p50Ms),
    seconds(row.p95Ms),
    seconds(row.p99Ms),
    percent(row.timedOutShare, 1),
    row.worstRatio?.toFixed(2) ?? (row.greedy === 'present' ? '∞' : ''),
    row.greedy === 'present' ? percent(row.greedyShareOfSlots) : '',
  ]);
  return [['what the nine modest tenants wait', ...head], ...lines]
    .map((cells) => cells.map((cell, at) => (at === 0 ? cell.padEnd(34) : cell.padStart(12))).join(''))
    .join('\n');
}
