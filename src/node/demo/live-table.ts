import { formatCount, formatMs, formatShare, formatUsd, renderTable, type Column } from './table.ts';
import { firstTokensSince, hitRatioOf, percentileOf, requestsOf, sumOf, type Figures } from './tally.ts';

/** What the table shows of a tenant at one moment. Counts are since the start, TTFT is of the last minute. */
export interface LiveRow {
  readonly tenant: string;
  readonly traffic: string;
  readonly openStreams: number;
  readonly waiting: number;
  readonly requests: number;
  readonly ttftP50Ms: number | null;
  readonly ttftP95Ms: number | null;
  readonly hitRatio: number | null;
  readonly retries: number;
  readonly usd: number;
  readonly savedUsd: number;
}

export const TTFT_WINDOW_MS = 60_000;

/** What is read off the gateway of one tenant. */
export interface Reading {
  readonly tenant: string;
  readonly traffic: string;
  readonly openStreams: number;
  readonly waiting: number;
  readonly retries: number;
  readonly figures: Readonly<Figures>;
}

/** A row for each tenant and one for all of them. */
export function liveRows(readings: readonly Reading[], nowMs: number): LiveRow[] {
  const sum = (read: (reading: Reading) => number): number => readings.reduce((total, one) => total + read(one), 0);
  const total: Reading = {
    tenant: 'total',
    traffic: '',
    openStreams: sum((reading) => reading.openStreams),
    waiting: sum((reading) => reading.waiting),
    retries: sum((reading) => reading.retries),
    figures: sumOf(readings.map((reading) => reading.figures)),
  };
  return [...readings, total].map((reading) => liveRow(reading, nowMs));
}

function liveRow({ figures, ...reading }: Reading, nowMs: number): LiveRow {
  const ttfts = firstTokensSince(figures, nowMs - TTFT_WINDOW_MS);
  return {
    ...reading,
    requests: requestsOf(figures),
    ttftP50Ms: percentileOf(ttfts, 50),
    ttftP95Ms: percentileOf(ttfts, 95),
    hitRatio: hitRatioOf(figures),
    usd: figures.usd,
    savedUsd: figures.savedUsd,
  };
}

const COLUMNS: readonly Column<LiveRow>[] = [
  { head: 'tenant', align: 'left', rank: 0, cell: (row) => row.tenant },
  { head: 'open', align: 'right', rank: 1, cell: (row) => String(row.openStreams) },
  { head: 'queue', align: 'right', rank: 3, cell: (row) => String(row.waiting) },
  { head: 'done', align: 'right', rank: 5, cell: (row) => formatCount(row.requests) },
  { head: 'TTFT p50', align: 'right', rank: 1, cell: (row) => formatMs(row.ttftP50Ms) },
  { head: 'p95', align: 'right', rank: 4, cell: (row) => formatMs(row.ttftP95Ms) },
  { head: 'hit', align: 'right', rank: 2, cell: (row) => formatShare(row.hitRatio) },
  { head: 'retries', align: 'right', rank: 7, cell: (row) => formatCount(row.retries) },
  { head: 'spent', align: 'right', rank: 6, cell: (row) => formatUsd(row.usd) },
  { head: 'saved', align: 'right', rank: 2, cell: (row) => formatUsd(row.savedUsd) },
  { head: 'traffic', align: 'left', rank: 8, cell: (row) => row.traffic },
];

export function renderLiveTable(rows: readonly LiveRow[], width: number): string[] {
  return renderTable(COLUMNS, rows, width);
}

/** The same for where there is no terminal: one line that stands for itself. */
export function renderLiveLine(row: LiveRow): string {
  return [
    `${row.tenant}: ${row.openStreams} open`,
    `${row.waiting} queued`,
    `${formatCount(row.requests)} done`,
    `TTFT p50 ${formatMs(row.ttftP50Ms)} p95 ${formatMs(row.ttftP95Ms)}`,
    `hit ${formatShare(row.hitRatio)}`,
    `${formatCount(row.retries)} retries`,
    `${formatUsd(row.usd)} spent`,
    `${formatUsd(row.savedUsd)} saved`,
  ].join(', ');
}
