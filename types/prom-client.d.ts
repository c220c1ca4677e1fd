/**
 * prom-client by its parts. Its main entry loads what measures a Node process, which workerd does not have; the parts are
 * the same classes and load everywhere. The package declares no types for them.
 */
declare module 'prom-client/lib/registry.js' {
  export { Registry as default } from 'prom-client';
}

declare module 'prom-client/lib/counter.js' {
  export { Counter as default } from 'prom-client';
}

declare module 'prom-client/lib/gauge.js' {
  export { Gauge as default } from 'prom-client';
}

declare module 'prom-client/lib/histogram.js' {
  export { Histogram as default } from 'prom-client';
}

declare module 'prom-client/lib/metricAggregators.js' {
  import type { MetricObjectWithValues, MetricValueWithName } from 'prom-client';
  type Readings = MetricObjectWithValues<MetricValueWithName<string>>;
  /** `sum` adds up values of the same name and labels; of none it makes nothing. */
  export const aggregators: { sum(metrics: readonly Readings[]): Readings | undefined };
}
