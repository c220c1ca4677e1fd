import type { Clock } from '../../core/clock.ts';
import type { GaugeBoard, Metrics, MetricsPage, ReadGauges } from '../../metrics/metrics.ts';
import type { MetricName } from '../../metrics/table.ts';
import { createErrand } from '../errand.ts';
import { SEEN_EVERY_MS } from './metrics-busy-tenants.ts';
import type { Board, Labels, MetricEvent, RemoteMetricsHub } from './metrics-remote.ts';

/**
 * The metrics of an isolate: it keeps none. Events are collected for a moment and pushed to the isolate's hub in one call,
 * by the request that had the first of them; they are plain data, so that one request may push another's. A push that
 * fails is made once more, under the same name; then its events are lost.
 */
export interface MetricsSink {
  readonly metrics: Metrics & GaugeBoard & MetricsPage;
  /** A tenant asks for a slot: from now on its object is worth asking what runs and waits there. */
  seen(tenant: string): void;
}

export interface MetricsSinkOptions {
  readonly clock: Clock;
  /** Anew for each call: a stub belongs to the request that made it. */
  readonly hub: () => RemoteMetricsHub;
  /** The first puts the page together. */
  readonly allHubs: () => readonly RemoteMetricsHub[];
  /** Keeps the request's context alive for a promise. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly newName: () => string;
  /** Has the scrape's gauges read off what runs; returns the tenants that are idle. */
  readonly readOff: (busyTenants: readonly string[], run: () => void) => Promise<readonly string[]>;
}

export const PUSH_AFTER_MS = 100;
const MAX_SEEN = 10_000;

export function createMetricsSink(options: MetricsSinkOptions): MetricsSink {
  const { clock, waitUntil } = options;
  const beforeScrape: ReadGauges[] = [];
  const board = createBoard();
  const seenAtMs = new Map<string, number>();
  let events: MetricEvent[] = [];

  const push = async (): Promise<void> => {
    if (events.length === 0) return;
    const batch = options.newName();
    const pushed = events;
    events = [];
    await options
      .hub()
      .push(batch, pushed)
      .catch(() => options.hub().push(batch, pushed))
      .catch(() => {}); // a metric must not fail a request
  };
  const pushing = createErrand({ clock, waitUntil, afterMs: PUSH_AFTER_MS, run: push });
  const collect = (event: MetricEvent): void => {
    events.push(event);
    pushing.want();
  };
  const metrics: MetricsSink['metrics'] = {
    count: (n, l, v = 1) => collect({ k: 'c', n, l, v }),
    adjust: (n, l, v) => collect({ k: 'u', n, l, v }),
    observe: (n, l, v) => collect({ k: 'h', n, l, v }),
    add: board.add,
    set: board.set,
    clear: board.clear,
    hold(name, labels) {
      const handle = options.hub().hold(name, labels);
      waitUntil(handle.catch(() => {}));
      return () => waitUntil(handle.then((held) => held[Symbol.dispose]()).catch(() => {}));
    },
    onScrape: (read) => void beforeScrape.push(read),
    async page(accept) {
      await pushing.run();
      const [first, ...others] = options.allHubs() as [RemoteMetricsHub, ...RemoteMetricsHub[]];
      const busy = await Promise.all([first, ...others].map((hub) => hub.busyTenants()));
      const read = await Promise.all(beforeScrape.map((ask) => ask()));
      const idleTenants = await options.readOff([...new Set(busy.flat())], () => {
        for (const putUp of read.flat()) putUp();
      });
      const { text, contentType } = await first.page(accept, { gauges: board.list(), idleTenants });
      return { text, parts: [new TextEncoder().encode(text)], contentType };
    },
  };
  return {
    metrics,
    seen(tenant) {
      if (clock.nowMs() - (seenAtMs.get(tenant) ?? -Infinity) < SEEN_EVERY_MS) return;
      if (seenAtMs.size >= MAX_SEEN) seenAtMs.clear();
      seenAtMs.set(tenant, clock.nowMs());
      collect({ k: 't', n: tenant });
    },
  };
}

interface GaugeList {
  add(name: MetricName, labels: Labels, by: number): void;
  set(name: MetricName, labels: Labels, value: number): void;
  clear(name: MetricName): void;
  list(): Board['gauges'];
}

function createBoard(): GaugeList {
  const names = new Map<MetricName, Map<string, Board['gauges'][number]>>();
  const put = (n: MetricName, l: Labels, valueOf: (before: number) => number): void => {
    const series = names.get(n) ?? new Map<string, Board['gauges'][number]>();
    names.set(n, series);
    const key = JSON.stringify(l);
    series.set(key, { n, l, v: valueOf(series.get(key)?.v ?? 0) });
  };
  return {
    add: (name, labels, by) => put(name, labels, (before) => before + by),
    set: (name, labels, value) => put(name, labels, () => value),
    clear: (name) => void names.delete(name),
    list: () => [...names.values()].flatMap((series) => [...series.values()]),
  };
}
