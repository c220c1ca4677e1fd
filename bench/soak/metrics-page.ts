// The gateway's /metrics, read as a scraper reads it.

import type { MetricName } from '../../src/metrics/table.ts';

export interface MetricsPage {
  /** The sum over the series of `name` whose labels include these. */
  sum(name: MetricName, labels?: Readonly<Record<string, string>>): number;
  /** The same sum by the values of one label. */
  by(label: string, name: MetricName, labels?: Readonly<Record<string, string>>): ReadonlyMap<string, number>;
}

const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export function readMetricsPage(text: string): MetricsPage {
  const samples = text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined) return [];
    return [
      {
        name,
        labels: new Map([...labels.matchAll(LABEL)].map(([, key = '', of = '']) => [key, of])),
        value: Number(value),
      },
    ];
  });
  const found = (name: MetricName, labels: Readonly<Record<string, string>>) =>
    samples.filter(
      (one) => one.name === name && Object.entries(labels).every(([key, of]) => one.labels.get(key) === of),
    );
  return {
    sum: (name, labels = {}) => found(name, labels).reduce((sum, { value }) => sum + value, 0),
    by(label, name, labels = {}) {
      const sums = new Map<string, number>();
      for (const one of found(name, labels)) {
        const of = one.labels.get(label) ?? '';
        sums.set(of, (sums.get(of) ?? 0) + one.value);
      }
      return sums;
    },
  };
}
