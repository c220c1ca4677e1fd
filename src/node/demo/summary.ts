import { formatCount, formatMs, formatShare, formatUsd, renderTable, type Column } from './table.ts';
import { hitRatioOf, percentileOf, requestsOf, sumOf, type Figures } from './tally.ts';

/** What a whole run came to, and whether it went as it should: the demo's exit code follows `isClean`. */
export interface RunResult {
  readonly seconds: number;
  readonly tenants: readonly TenantResult[];
  /** What went wrong that should not have, in words; a request that the end of the demo cut off is not among them. */
  readonly failures: readonly string[];
}

export interface TenantResult {
  readonly tenant: string;
  readonly retries: number;
  readonly figures: Readonly<Figures>;
}

const FAILURES_SHOWN = 5;

const TRAFFIC_COLUMNS: readonly Column<TenantResult>[] = [
  { head: 'tenant', align: 'left', rank: 0, cell: (row) => row.tenant },
  { head: 'requests', align: 'right', rank: 1, cell: ({ figures }) => formatCount(requestsOf(figures)) },
  { head: 'errors', align: 'right', rank: 1, cell: ({ figures }) => formatCount(figures.failed) },
  { head: 'cut', align: 'right', rank: 3, cell: ({ figures }) => formatCount(figures.left) },
  { head: 'retries', align: 'right', rank: 3, cell: (row) => formatCount(row.retries) },
  { head: 'TTFT p50', align: 'right', rank: 1, cell: ({ figures }) => formatMs(ttftOf(figures, 50)) },
  { head: 'TTFT p95', align: 'right', rank: 1, cell: ({ figures }) => formatMs(ttftOf(figures, 95)) },
  { head: 'spent', align: 'right', rank: 2, cell: ({ figures }) => formatUsd(figures.usd) },
  { head: 'saved', align: 'right', rank: 1, cell: ({ figures }) => formatUsd(figures.savedUsd) },
];

const TOKEN_COLUMNS: readonly Column<TenantResult>[] = [
  { head: 'tenant', align: 'left', rank: 0, cell: (row) => row.tenant },
  tokens('uncached', (sums) => sums.uncachedInput),
  tokens('cache read', (sums) => sums.cacheRead),
  tokens('write 5m', (sums) => sums.cacheWrite5m),
  tokens('write 1h', (sums) => sums.cacheWrite1h),
  tokens('output', (sums) => sums.output),
  { head: 'hit', align: 'right', rank: 1, cell: ({ figures }) => formatShare(hitRatioOf(figures)) },
];

function tokens(head: string, read: (sums: Figures['tokens']) => number): Column<TenantResult> {
  return { head, align: 'right', rank: 1, cell: ({ figures }) => formatCount(read(figures.tokens)) };
}

export function isClean(result: RunResult): boolean {
  return result.failures.length === 0;
}

export function renderSummary(result: RunResult, width: number): string[] {
  const total: TenantResult = {
    tenant: 'total',
    retries: result.tenants.reduce((sum, { retries }) => sum + retries, 0),
    figures: sumOf(result.tenants.map(({ figures }) => figures)),
  };
  const rows = [...result.tenants, total];
  return [
    `Summary of ${result.seconds.toFixed(1)} s`,
    '',
    ...renderTable(TRAFFIC_COLUMNS, rows, width),
    '',
    'Tokens',
    ...renderTable(TOKEN_COLUMNS, rows, width),
    '',
    ...verdict(result, total.figures),
  ];
}

function verdict({ failures }: RunResult, { answered, left }: Readonly<Figures>): string[] {
  if (failures.length === 0) {
    const cut = left === 0 ? '' : `; ${formatCount(left)} had no time to be answered to the end`;
    return [`No request failed: ${formatCount(answered)} were answered${cut}.`];
  }
  const more = failures.length - FAILURES_SHOWN;
  return [
    `Failures that should not have been: ${formatCount(failures.length)}`,
    ...failures.slice(0, FAILURES_SHOWN).map((failure) => `  ${failure}`),
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
  ];
}

function ttftOf({ firstTokens }: Readonly<Figures>, percent: number): number | null {
  return percentileOf(
    firstTokens.map(({ ttftMs }) => ttftMs),
    percent,
  );
}
