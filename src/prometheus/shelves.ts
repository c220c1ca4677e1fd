import type { Metric } from 'prom-client';
import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Histogram from 'prom-client/lib/histogram.js';
import type { GaugeBoard, Metrics } from '../metrics/metrics.ts';
import { METRICS, type MetricName, type MetricRow } from '../metrics/table.ts';
import { EXEMPLAR_LABEL } from './sample-text.ts';

/**
 * The table's metrics on shelves: one prom-client metric for each tenant that it has a label for, else for each model, else
 * one. prom-client reads a metric out whole; a shelf keeps what is read, rendered or stored in one go small, however many
 * tenants there are. A series lies on exactly one shelf, which its labels name.
 */
export interface Shelves extends Metrics, GaugeBoard {
  /** What lies on a shelf, metric by metric. Shelves are there from the first use on. */
  readonly all: ReadonlyMap<string, Shelf>;
}

export type Shelf = ReadonlyMap<MetricName, Metric>;

type Labels = Readonly<Record<string, string>>;

export function createShelves(): Shelves {
  const all = new Map<string, Map<MetricName, Metric>>();
  const metricFor = (name: MetricName, labels: Labels): Metric => {
    const key = shelfOf(labels);
    let shelf = all.get(key);
    if (!shelf) all.set(key, (shelf = new Map()));
    let metric = shelf.get(name);
    if (!metric) shelf.set(name, (metric = createMetric(name)));
    return metric;
  };
  return {
    all,
    count: (name, labels, by = 1) => (metricFor(name, labels) as Counter).inc(labels, by),
    adjust: (name, labels, by) => (metricFor(name, labels) as Gauge).inc(labels, by),
    add: (name, labels, by) => (metricFor(name, labels) as Gauge).inc(labels, by),
    hold(name, labels) {
      const gauge = metricFor(name, labels) as Gauge;
      gauge.inc(labels, 1);
      return () => gauge.dec(labels, 1);
    },
    set: (name, labels, value) => (metricFor(name, labels) as Gauge).set(labels, value),
    observe: (name, labels, value, requestId) =>
      observe(metricFor(name, labels) as Histogram, name, labels, Math.max(0, value), requestId),
    clear(name) {
      for (const shelf of all.values()) shelf.get(name)?.reset();
    },
  };
}

/** The shelf that a series with these labels lies on. */
export function shelfOf(labels: Labels): string {
  if (labels['tenant'] !== undefined) return `tenant=${labels['tenant']}`;
  return labels['model'] === undefined ? '' : `model=${labels['model']}`;
}

/** prom-client keeps one exemplar for each bucket of a series, the newest, and takes it in a shape of its own. */
function observe(histogram: Histogram, name: MetricName, labels: Labels, value: number, requestId?: string): void {
  if (!rowOf(name).hasExemplars) histogram.observe(labels, value);
  else if (requestId === undefined) histogram.observe({ labels, value });
  else histogram.observe({ labels, value, exemplarLabels: { [EXEMPLAR_LABEL]: requestId } });
}

const rowOf = (name: MetricName): MetricRow => METRICS[name];

function createMetric(name: MetricName): Metric {
  const row = rowOf(name);
  const options = { name, help: row.help, labelNames: row.labels, registers: [] };
  if (row.kind === 'counter') return new Counter(options);
  if (row.kind === 'gauge' || row.kind === 'untyped') return new Gauge(options); // prom-client has no untyped ones
  return new Histogram({ ...options, buckets: [...(row.buckets ?? [])], enableExemplars: row.hasExemplars ?? false });
}
