import { beforeEach, describe, expect, it } from 'vitest';
import { createPrometheusMetrics, type PrometheusMetrics } from '../../src/prometheus/prometheus-metrics.ts';

const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0';
const WAIT = 'slipstream_queue_wait_seconds';
const idOf = (digit: number): string => `slip_${String(digit).repeat(32)}`;

let metrics: PrometheusMetrics;
beforeEach(() => {
  metrics = createPrometheusMetrics(() => Promise.resolve());
});

interface Exemplar {
  readonly series: string;
  readonly labels: string;
  readonly value: number;
  readonly atSeconds: number;
}

/** As OpenMetrics 1.0 has them: behind a sample, ` # {labels} value timestamp`. */
async function exemplars(accept = OPEN_METRICS): Promise<Exemplar[]> {
  const { text } = await metrics.page(accept);
  return text.split('\n').flatMap((line) => {
    const [, series = '', labels = '', value, atSeconds] = /^(\S+) \S+ # \{(.*)\} (\S+) (\S+)$/.exec(line) ?? [];
    return value === undefined ? [] : [{ series, labels, value: Number(value), atSeconds: Number(atSeconds) }];
  });
}

describe('an exemplar', () => {
  it('stands behind the bucket that the observation fell into, with the request and its time', async () => {
    const beforeSeconds = Date.now() / 1000;
    metrics.observe(WAIT, { tenant: 'acme' }, 0.3, idOf(1));
    const [exemplar, ...others] = await exemplars();
    expect(others).toEqual([]);
    expect(exemplar).toMatchObject({
      series: `${WAIT}_bucket{le="0.5",tenant="acme"}`,
      labels: `x_slipstream_id="${idOf(1)}"`,
      value: 0.3,
    });
    expect(exemplar?.atSeconds).toBeGreaterThanOrEqual(beforeSeconds);
  });

  it('of the last bucket has no bound', async () => {
    metrics.observe(WAIT, { tenant: 'acme' }, 1_000, idOf(1));
    expect((await exemplars()).map(({ series }) => series)).toEqual([`${WAIT}_bucket{le="+Inf",tenant="acme"}`]);
  });

  it('is the newest of its bucket: there is one for each bucket and series, whatever the traffic', async () => {
    for (let round = 0; round < 50; round++) {
      for (const tenant of ['acme', 'globex']) {
        for (const seconds of [0.3, 0.4, 7]) metrics.observe(WAIT, { tenant }, seconds, idOf(round % 9));
      }
    }
    const all = await exemplars();
    expect(all).toHaveLength(4);
    expect(new Set(all.map(({ labels }) => labels))).toEqual(new Set([`x_slipstream_id="${idOf(49 % 9)}"`]));
    expect(all.filter(({ series }) => series.includes('le="0.5"')).map(({ value }) => value)).toEqual([0.4, 0.4]);
  });

  it('stays where a later observation names no request', async () => {
    metrics.observe(WAIT, { tenant: 'acme' }, 0.3, idOf(1));
    metrics.observe(WAIT, { tenant: 'acme' }, 0.3);
    expect((await exemplars()).map(({ labels }) => labels)).toEqual([`x_slipstream_id="${idOf(1)}"`]);
  });

  it('is not made of a metric that has none', async () => {
    metrics.observe('slipstream_overhead_seconds', { phase: 'first_event' }, 0.001, idOf(1));
    expect(await exemplars()).toEqual([]);
  });

  it('is on no page of the older format', async () => {
    metrics.observe(WAIT, { tenant: 'acme' }, 0.3, idOf(1));
    expect((await metrics.page('text/plain')).text).not.toContain('x_slipstream_id');
  });
});
