import type { MetricName } from '../../src/metrics/table.ts';

/** A metrics page as a scraper reads it. */
export interface MetricSamples {
  /** The sum over all series of `name` whose labels include these; 0 where there is none. */
  sum(
    name: MetricName | `${MetricName}_${'count' | 'sum' | 'bucket'}`,
    labels?: Readonly<Record<string, string>>,
  ): number;
  /** All values that a label has, on any metric. */
  valuesOf(label: string): ReadonlySet<string>;
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function readMetrics(page: string): MetricSamples {
  const samples = page.split('\n').flatMap(readLine);
  return {
    sum(name, labels = {}) {
      const wanted = Object.entries(labels);
      return samples
        .filter((sample) => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value))
        .reduce((sum, { value }) => sum + value, 0);
    },
    valuesOf: (label) => new Set(samples.flatMap(({ labels }) => labels[label] ?? [])),
  };
}

function readLine(line: string): Sample[] {
  const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === undefined) return [];
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text] as const);
  return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
}
