import type { Metric } from 'prom-client';
import Histogram from 'prom-client/lib/histogram.js';
import type { GaugeBoard, Metrics, MetricsPage, MetricsText, ReadGauges } from '../metrics/metrics.ts';
import { dialectOf, METRIC_NAMES, renderPage, type Family } from './page.ts';
import type { Dialect, Readings } from './sample-text.ts';
import { createShelves, type Shelves } from './shelves.ts';

/**
 * prom-client behind the metrics port, for a process that keeps its own figures. One page is rendered at a time, in slices:
 * who asks meanwhile shares the next one, which nobody has begun, so that it holds all that was counted before the asking.
 */
export type PrometheusMetrics = Metrics & GaugeBoard & MetricsPage;

/** @param turn lets others run between two slices of a page; see `renderPage`. */
export function createPrometheusMetrics(turn: () => Promise<unknown>): PrometheusMetrics {
  const shelves = createShelves();
  const beforeScrape: ReadGauges[] = [];
  const next = new Map<Dialect, Promise<MetricsText>>();
  let last: Promise<unknown> = Promise.resolve();

  const begin = async (dialect: Dialect): Promise<MetricsText> => {
    next.delete(dialect);
    const read = await Promise.all(beforeScrape.map((ask) => ask()));
    for (const putUp of read.flat()) {
      await turn();
      putUp();
    }
    await turn();
    return renderPage(familiesOf(shelves), dialect, turn);
  };
  return {
    ...shelves,
    onScrape: (read) => void beforeScrape.push(read),
    page(accept) {
      const dialect = dialectOf(accept);
      const waiting = next.get(dialect);
      if (waiting) return waiting;
      const page = last.then(() => begin(dialect));
      next.set(dialect, page);
      last = page.catch(() => {}); // whoever asked is told
      return page;
    },
  };
}

/** Looked up when their turn comes: there are thousands. */
function* familiesOf({ all }: Shelves): Iterable<Family> {
  for (const name of METRIC_NAMES) {
    const metrics = [...all.values()].flatMap((shelf) => shelf.get(name) ?? []);
    yield { name, readings: metrics.map((metric) => () => readForPage(metric)) };
  }
}

/** Of a histogram as prom-client reads it for its own page: a series' labels once and not with each of its samples. */
function readForPage(metric: Metric): Promise<Readings> {
  return metric instanceof Histogram ? (metric as ReadableHistogram).getForPromString() : metric.get();
}

interface ReadableHistogram extends Histogram {
  getForPromString(): Promise<Readings>;
}
