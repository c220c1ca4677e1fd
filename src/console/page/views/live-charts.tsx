import { useMemo } from 'preact/hooks';
import type { Bucket } from '../../contract.ts';
import { columnsOf, completeBuckets, hitRatio } from '../data/buckets.ts';
import { useLive } from '../data/session.ts';
import { Chart } from '../parts/chart.tsx';
import { ChartTable } from './chart-table.tsx';
import { formatShare, formatTokens, tickShare, tickTokens } from '../words/numbers.ts';
import { formatDuration, tickDuration } from '../words/times.ts';

/** Half an hour in four charts under one cursor. They move when a bucket is complete, every ten seconds. */
export function LiveCharts() {
  const { buckets, bucketMs, snapshot } = useLive();
  const complete = completeBuckets(buckets, bucketMs, snapshot?.atMs ?? 0);
  const newestAtMs = complete.at(-1)?.startAtMs ?? 0;
  const { timesS, rows, columns } = useMemo(() => {
    const { timesS, rows } = columnsOf(complete, bucketMs);
    const column = (read: (bucket: Bucket) => number | null) => rows.map((bucket) => (bucket ? read(bucket) : null));
    const rate = (read: (bucket: Bucket) => number) => column((bucket) => (read(bucket) * 1000) / bucketMs);
    return { timesS, rows, columns: { ...latencies(column), ...throughput(column, rate) } };
  }, [newestAtMs, complete.length]);
  const timing = { timesS, format: formatDuration, formatTick: tickDuration, empty: 'No answer with content yet.' };
  return (
    <section aria-label="Last half hour">
      <div class="charts">
        <Chart title="Time to first token" lines={columns.ttft} {...timing} />
        <Chart title="First token, hit against the rest (median)" lines={columns.gain} {...timing} />
        <Chart
          title="Cache hit rate"
          timesS={timesS}
          lines={columns.hits}
          format={formatShare}
          formatTick={tickShare}
          most={1}
          empty="No input tokens yet: send a request through the gateway."
        />
        <Chart
          title="Tokens a second"
          timesS={timesS}
          lines={columns.tokens}
          format={formatTokens}
          formatTick={tickTokens}
          empty="No tokens yet: send a request through the gateway."
        />
      </div>
      <ChartTable rows={rows} bucketMs={bucketMs} />
    </section>
  );
}

type ReadColumn = (read: (bucket: Bucket) => number | null) => readonly (number | null)[];

function latencies(column: ReadColumn) {
  return {
    ttft: [
      { name: 'median', stroke: 'accent', values: column(({ ttftP50Ms }) => ttftP50Ms) },
      { name: 'p95', stroke: 'soft', isDashed: true, values: column(({ ttftP95Ms }) => ttftP95Ms) },
    ],
    gain: [
      { name: 'hit', stroke: 'accent', values: column(({ hitTtftP50Ms }) => hitTtftP50Ms) },
      { name: 'no hit', stroke: 'soft', isDashed: true, values: column(({ missTtftP50Ms }) => missTtftP50Ms) },
    ],
  } as const;
}

function throughput(column: ReadColumn, rate: (read: (bucket: Bucket) => number) => readonly (number | null)[]) {
  return {
    hits: [{ name: 'of input tokens', stroke: 'accent', isFilled: true, values: column(hitRatio) }],
    tokens: [
      { name: 'cached input', stroke: 'accent', values: rate(({ cacheReadTokens }) => cacheReadTokens) },
      {
        name: 'other input',
        stroke: 'soft',
        isDashed: true,
        values: rate(({ inputTokens, cacheReadTokens }) => inputTokens - cacheReadTokens),
      },
      { name: 'output', stroke: 'ink', values: rate(({ outputTokens }) => outputTokens) },
    ],
  } as const;
}
