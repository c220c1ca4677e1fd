import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as after } from 'node:timers/promises';
import { METRICS, type MetricName, type MetricRow } from '../../src/metrics/table.ts';
import { createPrometheusMetrics } from '../../src/prometheus/prometheus-metrics.ts';
import { quantilesOf } from '../statistics.ts';

/**
 * `node bench/scrape/run.ts [SCRAPES]`: how long a scrape holds the event loop at a time, with 200 tenants, 6 models and
 * three of everything else, every bucket with an exemplar. Prints the slices of work between two turns, put up, rendered or
 * handed to the socket, and the collector's pauses among them. Wall time: on a machine that does other things, the least
 * of many scrapes is the work, and the rest is waiting (as root, `chrt -f 20 node …` keeps others away).
 */
const SCRAPES = Number(process.argv[2] ?? 15);
const DIALECTS = ['text/plain', 'application/openmetrics-text'];
const VALUES: Readonly<Record<string, number>> = { tenant: 200, model: 6 };
const OTHER_VALUES = 3;
const REST_MS = 100;

let slices: number[] = [];
let pauses: number[] = [];
let begunMs = 0;
const endSlice = async (): Promise<void> => {
  slices.push(performance.now() - begunMs);
  await nextTurn();
  begunMs = performance.now();
};
const metrics = createPrometheusMetrics(endSlice);
new PerformanceObserver((list) => pauses.push(...list.getEntries().map(({ duration }) => duration))).observe({
  entryTypes: ['gc'],
});

type Labels = Readonly<Record<string, string>>;

function* labelsOf([label, ...others]: readonly string[], chosen: Labels = {}): Iterable<Labels> {
  if (label === undefined) {
    yield chosen;
    return;
  }
  for (let value = 0; value < (VALUES[label] ?? OTHER_VALUES); value++) {
    yield* labelsOf(others, { ...chosen, [label]: `${label}-${value}` });
  }
}

let requests = 0;
function feed(name: MetricName, { kind, buckets = [] }: MetricRow, labels: Labels): void {
  if (kind === 'counter') metrics.count(name as never, labels, 1.5);
  else if (kind === 'untyped') metrics.adjust(name as never, labels, -1.25);
  else if (kind === 'gauge') metrics.set(name as never, labels, 1);
  else {
    const idOf = (): string => `slip_${String(++requests).padStart(32, '0')}`;
    for (const bound of [...buckets, Infinity]) metrics.observe(name as never, labels, Math.min(bound, 1e9), idOf());
  }
}

async function scrape(accept: string): Promise<{ bytes: number; slices: number[]; pauses: number[] }> {
  await after(REST_MS);
  [slices, pauses, begunMs] = [[], [], performance.now()];
  let bytes = 0;
  for await (const part of (await metrics.page(accept)).parts) bytes += part.byteLength;
  await endSlice();
  await after(REST_MS); // for what the observer has yet to say
  return { bytes, slices, pauses };
}

for (const [name, row] of Object.entries(METRICS) as [MetricName, MetricRow][]) {
  for (const labels of labelsOf(row.labels)) feed(name, row, labels);
}
const ms = (value: number): string => `${value.toFixed(2)} ms`;
for (const accept of DIALECTS) {
  const first = await scrape(accept);
  console.log(`${accept}: ${(first.bytes / 1e6).toFixed(1)} MB in ${first.slices.length} slices`);
  console.log(`  first scrape: longest slice ${ms(Math.max(...first.slices))}`);
  const longest: number[] = [];
  const longestPause: number[] = [];
  for (let count = 0; count < SCRAPES; count++) {
    const one = await scrape(accept);
    longest.push(Math.max(...one.slices));
    longestPause.push(Math.max(0, ...one.pauses));
  }
  const [slice, pause] = [quantilesOf(longest), quantilesOf(longestPause)];
  console.log(`  longest slice of a scrape: least ${ms(slice.min)}, median ${ms(slice.p50)}, most ${ms(slice.max)}`);
  console.log(`  longest pause of the collector in it: median ${ms(pause.p50)}, most ${ms(pause.max)}`);
}
