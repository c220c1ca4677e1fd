import { aggregators } from 'prom-client/lib/metricAggregators.js';
import type { Readings } from './sample-text.ts';

/** Readings of one metric as one: samples of the same series are added. `undefined` of none. */
export function addUp(readings: readonly Readings[]): Readings | undefined {
  return readings.length > 1 ? aggregators.sum(readings) : readings[0];
}
