import { useState } from 'preact/hooks';
import type { Bucket } from '../../contract.ts';
import { hitRatio } from '../data/buckets.ts';
import { Table, type Column } from '../parts/table.tsx';
import { formatCount, formatShare, formatTokenRate } from '../words/numbers.ts';
import { formatClock, formatDuration } from '../words/times.ts';

/** What the charts draw, as figures: for those who cannot see them, or want to know exactly. Built when it is opened. */
export interface ChartTableProps {
  readonly rows: readonly (Bucket | null)[];
  readonly bucketMs: number;
}

export function ChartTable({ rows, bucketMs }: ChartTableProps) {
  const [isOpen, setOpen] = useState(false);
  const known = isOpen ? rows.flatMap((bucket) => bucket ?? []).toReversed() : [];
  return (
    <details class="chart-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>The same figures as a table</summary>
      {isOpen && (
        <div class="scrolls" tabIndex={0} role="region" aria-label="Figures of the last half hour">
          <Table
            caption={`Last half hour, every ${bucketMs / 1000} seconds, newest first`}
            columns={columnsFor(bucketMs)}
            rows={known}
            keyOf={({ startAtMs }) => String(startAtMs)}
            empty="No figures yet."
          />
        </div>
      )}
    </details>
  );
}

function columnsFor(bucketMs: number): readonly Column<Bucket>[] {
  const rate = (tokens: number): string => formatTokenRate((tokens * 1000) / bucketMs);
  return [
    { head: 'From', cell: ({ startAtMs }) => formatClock(startAtMs) },
    { head: 'Requests', isNumber: true, cell: ({ requests }) => formatCount(requests) },
    { head: 'Errors', isNumber: true, cell: ({ errors }) => formatCount(errors) },
    { head: 'TTFT median', isNumber: true, cell: ({ ttftP50Ms }) => formatDuration(ttftP50Ms) },
    { head: 'TTFT p95', isNumber: true, cell: ({ ttftP95Ms }) => formatDuration(ttftP95Ms) },
    { head: 'Hit', isNumber: true, cell: ({ hitTtftP50Ms }) => formatDuration(hitTtftP50Ms) },
    { head: 'No hit', isNumber: true, cell: ({ missTtftP50Ms }) => formatDuration(missTtftP50Ms) },
    { head: 'Hit rate', isNumber: true, cell: (bucket) => formatShare(hitRatio(bucket)) },
    { head: 'Input', isNumber: true, cell: ({ inputTokens }) => rate(inputTokens) },
    { head: 'Output', isNumber: true, cell: ({ outputTokens }) => rate(outputTokens) },
    { head: 'Queue p95', isNumber: true, cell: ({ queueP95Ms }) => formatDuration(queueP95Ms) },
  ];
}
