import { METRICS, type MetricRow } from '../../metrics/table.ts';
import type { Readings } from '../../prometheus/sample-text.ts';
import type { MetricEvent } from './metrics-remote.ts';

/**
 * While a deployment is under way, isolates of the version before send to a hub of the one after, and what a hub has stored
 * may be of any version before. What does not fit the table, or is no number, is passed over: it must not take the rest
 * with it.
 */
const ROWS: Readonly<Record<string, MetricRow>> = METRICS;
const KINDS = { c: 'counter', u: 'untyped', h: 'histogram' } as const;
/** prom-client keeps untyped sums as gauges. */
const STORED_AS = { counter: 'counter', gauge: 'gauge', histogram: 'histogram', untyped: 'gauge' } as const;

export function fitsTable(event: Exclude<MetricEvent, { k: 't' }>): boolean {
  const row = rowOf(event.n);
  if (!Number.isFinite(event.v) || (event.k === 'c' && event.v < 0)) return false;
  return row?.kind === KINDS[event.k] && Object.keys(event.l).every((label) => row.labels.includes(label));
}

/** The kind must be the same, and a histogram's buckets: counts of others cannot be added to them. */
export function isOfTable({ name, type, values }: Readings): boolean {
  const row = rowOf(name);
  if (!row || STORED_AS[row.kind] !== String(type)) return false;
  if (!row.buckets) return true;
  const bounds = new Set(values.map(({ labels }) => labels['le']).filter((bound) => typeof bound === 'number'));
  return bounds.size === row.buckets.length && row.buckets.every((bound) => bounds.has(bound));
}

function rowOf(name: string): MetricRow | undefined {
  return Object.hasOwn(ROWS, name) ? ROWS[name] : undefined;
}
