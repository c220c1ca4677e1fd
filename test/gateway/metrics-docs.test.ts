import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METRICS, type MetricRow } from '../../src/metrics/table.ts';

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

/** Rows of the table: name, type, labels, unit. */
const rows = [...page.matchAll(/^\| `([a-z_]+)` +\| (\w+) +\| ([^|]*?) +\| ([^|]+?) +\| [^|]+ \|$/gm)].map(
  ([, name, kind, labels = '', unit]) => ({
    name,
    kind,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
    unit,
  }),
);

const units: readonly (readonly [ending: RegExp, unit: string])[] = [
  [/_seconds$/, 'seconds'],
  [/_tokens_total$/, 'tokens'],
  [/_usd_total$/, 'USD'],
  [/_ratio$/, '0–1'],
];

describe('docs/metrics.md', () => {
  it('lists exactly the metrics of the table, in its order, with type and labels', () => {
    const table = (Object.entries(METRICS) as [string, MetricRow][]).map(([name, { kind, labels }]) => ({
      name,
      kind,
      labels,
    }));
    expect(rows.map(({ name, kind, labels }) => ({ name, kind, labels }))).toEqual(table);
  });

  it.each(rows)('gives $name the unit that its name says', ({ name = '', unit }) => {
    const expected = units.find(([ending]) => ending.test(name))?.[1];
    if (expected !== undefined) expect(unit).toBe(expected);
  });

  it('explains every label that occurs', () => {
    const used = new Set((Object.values(METRICS) as MetricRow[]).flatMap(({ labels }) => labels));
    const explained = [...page.matchAll(/^- `(\w+)`/gm)].map(([, label]) => label);
    expect(new Set(explained)).toEqual(used);
  });
});
