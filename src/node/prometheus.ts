import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { GaugeBoard, Metrics, MetricsPage } from '../metrics/metrics.ts';
import { METRICS, type MetricName, type MetricRow } from '../metrics/table.ts';

/** prom-client behind the metrics port: every metric of the table, and what the operator reads at /metrics. */
export type PrometheusMetrics = Metrics & GaugeBoard & MetricsPage;

type AnyMetric = Counter | Gauge | Histogram;

export function createPrometheusMetrics(): PrometheusMetrics {
  const registry = new Registry();
  const metrics = new Map(
    Object.entries(METRICS).map(([name, row]) => [name, createMetric(name, row as MetricRow, registry)]),
  );
  const get = (name: MetricName): AnyMetric => metrics.get(name) as AnyMetric;
  const beforeScrape: (() => void)[] = [];
  return {
    count: (name, labels, by = 1) => (get(name) as Counter).inc(labels, by),
    add: (name, labels, by) => (get(name) as Gauge).inc(labels, by),
    set: (name, labels, value) => (get(name) as Gauge).set(labels, value),
    observe: (name, labels, value) => (get(name) as Histogram).observe(labels, Math.max(0, value)),
    onScrape: (run) => void beforeScrape.push(run),
    clear: (name) => (get(name) as Gauge).reset(),
    async page(accept) {
      for (const run of beforeScrape) run();
      const isOpenMetrics = accept.includes('application/openmetrics-text');
      if (!isOpenMetrics) return { text: await registry.metrics(), contentType: Registry.PROMETHEUS_CONTENT_TYPE };
      return { text: toOpenMetrics(await registry.metrics()), contentType: Registry.OPENMETRICS_CONTENT_TYPE };
    },
  };
}

function createMetric(name: string, row: MetricRow, registry: Registry): AnyMetric {
  const options = { name, help: row.help, labelNames: row.labels, registers: [registry] };
  if (row.kind === 'counter') return new Counter(options);
  if (row.kind === 'gauge') return new Gauge(options);
  return new Histogram({ ...options, buckets: [...(row.buckets ?? [])] });
}

/**
 * OpenMetrics names a counter's family without `_total` and ends with `# EOF`; the samples are the same. prom-client's
 * own OpenMetrics registry is another registry, and two of them would count everything twice.
 */
function toOpenMetrics(text: string): string {
  const families = text.replace(/^# (HELP|TYPE) (\S+)_total /gm, (line, word: string, family: string) =>
    (METRICS as Record<string, MetricRow>)[`${family}_total`]?.kind === 'counter' ? `# ${word} ${family} ` : line,
  );
  const lines = families.trimEnd().replaceAll('\n\n', '\n'); // Prometheus refuses a page with an empty line in it
  return `${lines}\n# EOF\n`;
}
