import type { MetricObjectWithValues, MetricValueWithName } from 'prom-client';

/**
 * Samples as text, in both dialects the same but for exemplars, which only OpenMetrics has. prom-client's own renderer takes a whole registry in one go, and more than
 * twice as long: here the text of labels that several samples share, those of a histogram's series, is made once.
 */
export type Readings = MetricObjectWithValues<Sample>;

export interface Sample extends MetricValueWithName<string> {
  /** prom-client's, of a histogram that is read for a page: labels that the other samples of the series have, too. */
  readonly sharedLabels?: Readonly<Record<string, string | number>>;
  /** prom-client's, of a bucket: the newest observation in it that named its request. */
  readonly exemplar?: Exemplar | null;
}

interface Exemplar {
  readonly labelSet: Readonly<Record<string, string>>;
  readonly value: number;
  /** Unix seconds. */
  readonly timestamp: number;
}

export type Dialect = 'prometheus' | 'openmetrics';

/** `x-slipstream-id` as the name of a label can be written (OpenMetrics 1.0, label names have no hyphen). */
export const EXEMPLAR_LABEL = 'x_slipstream_id';

/** Lines with their ends, as one flat string: to flatten a whole page's at its end would take as long as to make it. */
export function samplesText(name: string, samples: readonly Sample[], dialect: Dialect): string {
  if (dialect === 'prometheus') return samples.map((sample) => `${sampleText(name, sample)}\n`).join('');
  return samples.map((sample) => `${sampleText(name, sample)}${exemplarText(sample)}\n`).join('');
}

function exemplarText({ exemplar }: Sample): string {
  if (!exemplar) return '';
  return ` # {${labelsText(exemplar.labelSet)}} ${valueText(exemplar.value)} ${exemplar.timestamp}`;
}

function sampleText(name: string, { metricName = name, labels, sharedLabels, value }: Sample): string {
  const own = labelsText(labels);
  const shared = sharedLabels ? sharedText(sharedLabels) : '';
  const all = own && shared ? `${own},${shared}` : own || shared;
  return all ? `${metricName}{${all}} ${valueText(value)}` : `${metricName} ${valueText(value)}`;
}

/** Kept as long as prom-client keeps the series, so that the next scrape finds it. */
const sharedTexts = new WeakMap<object, string>();

function sharedText(labels: Readonly<Record<string, string | number>>): string {
  let text = sharedTexts.get(labels);
  if (text === undefined) sharedTexts.set(labels, (text = labelsText(labels)));
  return text;
}

function labelsText(labels: Readonly<Record<string, string | number | undefined>>): string {
  let text = '';
  for (const name in labels) text += `${text && ','}${name}="${escaped(String(labels[name]))}"`;
  return text;
}

/** Prometheus, exposition formats: backslash, quote and line feed are escaped in a label's value. */
function escaped(value: string): string {
  if (!/["\\\n]/.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function valueText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
