import { describe, expect, it } from 'vitest';
import { METRICS, type MetricRow } from '../../src/metrics/table.ts';

const rows: [name: string, row: MetricRow][] = Object.entries(METRICS);

describe('METRICS', () => {
  it.each(rows)('%s is named after its kind and unit, as Prometheus asks', (name, { kind }) => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    if (kind === 'counter') expect(name).toMatch(/_total$/);
    if (kind === 'histogram') expect(name).toMatch(/_seconds$/);
  });

  it.each(rows.filter(([, { kind }]) => kind === 'histogram'))(
    '%s has buckets that rise',
    (_name, { buckets = [] }) => {
      expect(buckets.length).toBeGreaterThan(5);
      expect(buckets).toEqual([...new Set(buckets)].sort((a, b) => a - b));
      expect(buckets[0]).toBeGreaterThan(0);
    },
  );

  it('labels nothing by what a caller can make up: paths, ids, keys', () => {
    const closed = new Set(['tenant', 'model', 'cache', 'operation', 'status', 'outcome', 'kind', 'upstream', 'scope', 'name', 'phase', 'result', 'reason', 'role', 'source', 'place', 'ttl', 'model_class', 'state']); // prettier-ignore
    expect(rows.flatMap(([, { labels }]) => labels).filter((label) => !closed.has(label))).toEqual([]);
  });

  it('explains each in one sentence', () => {
    expect(rows.filter(([, { help }]) => !/^[A-Z].+\.$/.test(help))).toEqual([]);
  });
});
