import { readFileSync } from 'node:fs';
import { METRICS, type MetricRow } from '../../src/metrics/table.ts';
import { recorded } from './shipped.ts';

/**
 * The series there are, and the labels each has: the table of the code, what the rules record, and Prometheus' own `up`.
 * A recorded name tells its labels: `job_tenant:…` has these two.
 */
const OF_EVERY_SERIES = ['job', 'instance'];

const known = new Map<string, ReadonlySet<string>>([['up', new Set(OF_EVERY_SERIES)]]);
for (const [name, { kind, labels }] of Object.entries(METRICS) as [string, MetricRow][]) {
  const own = [...labels, ...OF_EVERY_SERIES];
  if (kind !== 'histogram') known.set(name, new Set(own));
  else for (const part of ['_sum', '_count']) known.set(name + part, new Set(own));
  if (kind === 'histogram') known.set(`${name}_bucket`, new Set([...own, 'le']));
}
for (const { record } of recorded) known.set(record, new Set(levelOf(record)));

/** null: there is no such metric. */
export function labelsOf(metric: string): ReadonlySet<string> | null {
  return known.get(metric) ?? null;
}

/** Of a histogram's series too, which are counters. null: it is not of the table. */
export function kindOf(metric: string): MetricRow['kind'] | null {
  const rows: Readonly<Record<string, MetricRow>> = METRICS;
  if (/_(?:bucket|sum|count)$/.test(metric)) return labelsOf(metric) ? 'counter' : null;
  return rows[metric]?.kind ?? null;
}

/** The labels that a recorded name says it keeps. */
export function levelOf(record: string): string[] {
  return record.slice(0, record.indexOf(':')).split('_');
}

/** Labels whose values the documentation lists; the others are ids, models and numbers. */
const LISTED = new Set([
  'cache',
  'operation',
  'outcome',
  'kind',
  'state',
  'scope',
  'result',
  'reason',
  'source',
  'place',
  'role',
  'phase',
]);

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const words = new Set([...page.slice(page.indexOf('## Labels')).matchAll(/`([\w ]+)`/g)].map(([, word]) => word));

/** Those of a matcher's values that no label has. */
export function unknownValues(label: string, pattern: string): string[] {
  if (!LISTED.has(label)) return [];
  return pattern.split('|').filter((value) => value !== '' && !words.has(value));
}
