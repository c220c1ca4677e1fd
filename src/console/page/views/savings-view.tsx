import type { SavingsReport, SavingsRow } from '../../contract.ts';
import { usePolled } from '../data/use-polled.ts';
import { ExportButton } from '../parts/export-button.tsx';
import { Figure, Figures } from '../parts/figures.tsx';
import { PolledView } from '../parts/notices.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { hrefOf, SAVINGS_BY } from '../route.ts';
import { formatCount, formatShare, formatTokens, formatUsd } from '../words/numbers.ts';
import { formatInstant } from '../words/times.ts';

/** What caching saved, for whoever pays: every figure can be derived again from the token columns and the price list. */
export function SavingsView({ by }: Pick<SavingsReport, 'by'>) {
  const polled = usePolled<SavingsReport>(`savings?by=${by}`, 10_000);
  return (
    <>
      <h1>Savings</h1>
      <div class="toolbar">
        <nav class="tabs" aria-label="Savings by">
          {SAVINGS_BY.map((one) => (
            <a key={one} href={hrefOf({ view: 'savings', by: one })} aria-current={one === by ? 'page' : undefined}>
              By {one}
            </a>
          ))}
        </nav>
        <ExportButton path="savings.csv" label="Export CSV" />
      </div>
      <PolledView polled={polled}>{(report) => <Report report={report} />}</PolledView>
    </>
  );
}

function Report({ report }: { readonly report: SavingsReport }) {
  const { total, rows, by } = report;
  // So many that what was paid and what was saved add up before one's eyes.
  const decimals = total.withoutCacheUsd < 100 ? 4 : 2;
  return (
    <>
      <Figures>
        <Figure
          name="Saved"
          value={formatUsd(total.savedUsd, decimals)}
          note={`since ${formatInstant(report.sinceAtMs)}`}
        />
        <Figure name="Paid" value={formatUsd(total.costUsd, decimals)} note="with caching" />
        <Figure name="Would have been" value={formatUsd(total.withoutCacheUsd, decimals)} note="without any caching" />
        <Figure name="Saved of that" value={formatShare(shareSaved(total))} note="input and output" />
      </Figures>
      <p class="lead">
        Saved = without caching − paid. Without caching, every input token costs the plain input price; paid includes
        the premium for writing (1.25 times for 5 minutes, twice for 1 hour), so what is written and never read counts
        against it. Models without a known price are not in it.
      </p>
      <Table
        caption={`Savings by ${by}`}
        isCaptionHidden
        columns={columnsFor(by, total, decimals)}
        rows={rows}
        keyOf={({ name }) => name}
        empty="Nothing has been paid for yet."
      />
    </>
  );
}

function shareSaved({ savedUsd, withoutCacheUsd }: SavingsRow): number | null {
  return withoutCacheUsd > 0 ? savedUsd / withoutCacheUsd : null;
}

function columnsFor(by: SavingsReport['by'], total: SavingsRow, decimals: number): readonly Column<SavingsRow>[] {
  const number = (head: string, hint: string, read: (row: SavingsRow) => string): Column<SavingsRow> => {
    return { head, hint, isNumber: true, cell: read, total: read(total) };
  };
  return [
    {
      head: by === 'day' ? 'Day (UTC)' : by === 'model' ? 'Model' : 'Tenant',
      cell: ({ name }) => name,
      total: 'Total',
    },
    number('Requests', 'That were answered.', ({ requests }) => formatCount(requests)),
    number('Uncached', 'Input tokens at the plain price.', ({ tokens }) => formatTokens(tokens.uncached)),
    number('Read', 'Input tokens read from the cache.', ({ tokens }) => formatTokens(tokens.cacheRead)),
    number('Written 5 min', 'Input tokens.', ({ tokens }) => formatTokens(tokens.cacheWrite5m)),
    number('Written 1 h', 'Input tokens.', ({ tokens }) => formatTokens(tokens.cacheWrite1h)),
    number('Output', 'Tokens.', ({ tokens }) => formatTokens(tokens.output)),
    number('Without cache', 'The same requests without any caching.', (row) =>
      formatUsd(row.withoutCacheUsd, decimals),
    ),
    number('Paid', 'With the premium for writing.', (row) => formatUsd(row.costUsd, decimals)),
    number('Write premium', 'Included in what was paid.', (row) => formatUsd(row.writePremiumUsd, decimals)),
    number('Saved', 'Without cache less paid.', (row) => formatUsd(row.savedUsd, decimals)),
    number('Saved share', 'Of what it would have cost.', (row) => formatShare(shareSaved(row))),
  ];
}
