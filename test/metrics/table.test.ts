import { describe, expect, it } from 'vitest';
import { METRICS, type MetricRow } from '../../src/metrics/table.ts';

const rows: [name: string, row: MetricRow][] = Object.entries(METRICS);

describe('METRICS', () => {
  it.each(rows)('%s is named after its kind and unit, as Prometheus asks', (name, { kind }) => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(name.endsWith('_total')).toBe(kind === 'counter' || kind === 'untyped');
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

  it.each([
    ['gen_ai_server_time_to_first_token_seconds', 0.05, 60],
    ['slipstream_overhead_seconds', 0.00005, 0.05],
  ] as const)('%s has buckets from %d s to %d s', (name, lowest, highest) => {
    const { buckets } = METRICS[name];
    expect([buckets[0], buckets.at(-1)]).toEqual([lowest, highest]);
  });

  it('has exemplars on histograms of requests, and on nothing else', () => {
    expect(rows.filter(([, { hasExemplars }]) => hasExemplars).map(([name]) => name)).toEqual([
      'gen_ai_server_time_to_first_token_seconds',
      'gen_ai_server_request_duration_seconds',
      'slipstream_queue_wait_seconds',
    ]);
  });

  it('labels nothing by what a caller can make up: paths, ids, keys', () => {
    const closed = new Set(['tenant', 'model', 'cache', 'operation', 'status', 'outcome', 'kind', 'upstream', 'scope', 'name', 'phase', 'result', 'reason', 'role', 'source', 'place', 'ttl', 'model_class', 'state', 'fault']); // prettier-ignore
    expect(rows.flatMap(([, { labels }]) => labels).filter((label) => !closed.has(label))).toEqual([]);
  });

  it('explains each in one sentence', () => {
    expect(rows.filter(([, { help }]) => !/^[A-Z].+\.$/.test(help))).toEqual([]);
  });
});
