import { Counter, Gauge, Histogram, Registry, type Metric } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { METRICS, type MetricName, type MetricRow } from '../../src/metrics/table.ts';
import { SLICE_LINES } from '../../src/prometheus/page.ts';
import { createPrometheusMetrics, type PrometheusMetrics } from '../../src/prometheus/prometheus-metrics.ts';

const NAMES = Object.keys(METRICS) as MetricName[];
const AWKWARD = ['acme', 'back\\slash', 'quo"te', 'line\nfeed', 'ünï'];

type Fed = Pick<PrometheusMetrics, 'count' | 'adjust' | 'add' | 'observe'>;

/** prom-client as its own manual has it: everything in one registry. */
function plainPromClient(): { metrics: Fed; registry: Registry } {
  const registry = new Registry();
  const all = new Map(
    NAMES.map((name): [string, Metric] => {
      const { kind, help, labels, buckets = [] }: MetricRow = METRICS[name];
      const options = { name, help, labelNames: labels, registers: [registry] };
      if (kind === 'counter') return [name, new Counter(options)];
      if (kind === 'gauge' || kind === 'untyped') return [name, new Gauge(options)];
      return [name, new Histogram({ ...options, buckets: [...buckets] })];
    }),
  );
  return {
    registry,
    metrics: {
      count: (name, labels, by) => (all.get(name) as Counter).inc(labels, by),
      adjust: (name, labels, by) => (all.get(name) as Gauge).inc(labels, by),
      add: (name, labels, by) => (all.get(name) as Gauge).inc(labels, by),
      observe: (name, labels, value) => (all.get(name) as Histogram).observe(labels, value),
    },
  };
}

/** Something of every metric, under labels that need escapes. */
function feed(metrics: Fed): void {
  for (const name of NAMES) {
    const { kind, labels }: MetricRow = METRICS[name];
    for (const [index, value] of AWKWARD.entries()) {
      const of = Object.fromEntries(labels.map((label) => [label, value]));
      if (kind === 'counter') metrics.count(name as never, of, index + 0.1);
      else if (kind === 'untyped') metrics.adjust(name as never, of, -index);
      else if (kind === 'gauge') metrics.add(name as never, of, -index);
      else for (const seconds of [0, 0.003, 0.2, 1e9]) metrics.observe(name as never, of, seconds);
    }
  }
}

function manyTenants(metrics: PrometheusMetrics, tenants: number): void {
  for (let tenant = 0; tenant < tenants; tenant++) {
    for (const cache of ['hit', 'miss']) {
      for (let model = 0; model < 6; model++) {
        const labels = { model: `model-${model}`, cache, tenant: `tenant-${tenant}` };
        metrics.observe('gen_ai_server_time_to_first_token_seconds', labels, 0.3);
      }
    }
  }
}

const atOnce = (): Promise<void> => Promise.resolve();
/** Labels in the order of their names: prom-client has its own. */
const sortedLabels = (line: string): string =>
  line.replace(
    /\{(.*)\}/,
    (_all, labels: string) =>
      `{${labels
        .split(/,(?=\w+=")/)
        .sort()
        .join(',')}}`,
  );

describe('the page', () => {
  it('has the lines that prom-client would write of the same events, escapes included', async () => {
    const plain = plainPromClient();
    const metrics = createPrometheusMetrics(atOnce);
    feed(plain.metrics);
    feed(metrics);
    const theirs = (await plain.registry.metrics()).split('\n').filter((line) => line !== '');
    const ours = (await metrics.page('')).text.split('\n').filter((line) => line !== '');
    expect(ours.length).toBeGreaterThan(NAMES.length * 3);
    const withUntyped = (line: string): string => {
      const [, name = ''] = /^# TYPE (\w+) gauge$/.exec(line) ?? [];
      return name.endsWith('_total') ? `# TYPE ${name} untyped` : line; // which prom-client does not have
    };
    expect(ours.map(sortedLabels).sort()).toEqual(theirs.map(withUntyped).map(sortedLabels).sort());
  });

  it.each([
    ['', 'counter', 'untyped'],
    ['application/openmetrics-text', 'counter', 'unknown'],
  ])('for %j calls what is counted %s and what may fall %s', async (accept, counter, untyped) => {
    const metrics = createPrometheusMetrics(atOnce);
    feed(metrics);
    const { text } = await metrics.page(accept);
    expect(text).toMatch(new RegExp(`^# TYPE slipstream_cost_usd(?:_total)? ${counter}$`, 'm'));
    expect(text).toContain(`# TYPE slipstream_saved_usd_total ${untyped}\n`);
    expect(text).toContain('slipstream_saved_usd_total{tenant="quo\\"te",model="quo\\"te"} -2\n');
  });

  it('keeps the series of a metric together, behind its own two lines of head', async () => {
    const metrics = createPrometheusMetrics(atOnce);
    feed(metrics);
    const { text } = await metrics.page('');
    const families = text.split(/^# HELP /m).slice(1);
    expect(families.map((family) => family.split(' ')[0])).toEqual(NAMES);
    const strangers = families.filter((family) => {
      const name = family.split(' ')[0] ?? '';
      return family.split('\n').some((line) => line !== '' && !line.includes(name));
    });
    expect(strangers).toEqual([]);
  });

  it('lets others run at least every so many lines, however many tenants there are', async () => {
    let turns = 0;
    const metrics = createPrometheusMetrics(async () => void turns++);
    manyTenants(metrics, 200);
    const { text } = await metrics.page('');
    const lines = text.split('\n').length;
    expect(lines).toBeGreaterThan(40_000);
    expect(turns).toBeGreaterThanOrEqual(Math.floor(lines / SLICE_LINES));
  });

  it('lets others run around each step of putting its gauges up, and before each piece that is sent', async () => {
    const events: string[] = [];
    const metrics = createPrometheusMetrics(async () => void events.push('turn'));
    metrics.onScrape(async () => ['tenants', 'upstreams'].map((step) => () => void events.push(step)));
    manyTenants(metrics, 20);
    const { parts } = await metrics.page('');
    expect(events.splice(0).slice(0, 5)).toEqual(['turn', 'tenants', 'turn', 'upstreams', 'turn']);
    for await (const _part of parts) events.push('piece');
    expect(events.length).toBeGreaterThan(4);
    expect(events).toEqual(events.map((_event, at) => (at % 2 === 0 ? 'turn' : 'piece')));
  });

  it('never tears a series, though counting goes on between slices', async () => {
    const labels = { model: 'model-1', cache: 'hit', tenant: 'tenant-3' };
    const metrics: PrometheusMetrics = createPrometheusMetrics(async () => {
      metrics.observe('gen_ai_server_time_to_first_token_seconds', labels, 0.3);
    });
    manyTenants(metrics, 50);
    for (let page = 0; page < 3; page++) {
      const { text } = await metrics.page('');
      const of = (name: string): string | undefined =>
        new RegExp(`^gen_ai_server_time_to_first_token_seconds_${name}.*model="model-1",cache="hit",tenant="tenant-3"} (.+)$`, 'm').exec(text)?.[1]; // prettier-ignore
      expect(of('bucket\\{le="\\+Inf"')).toBe(of('count'));
      expect(Number(of('sum'))).toBeCloseTo(0.3 * Number(of('count')), 6);
    }
  });
});

describe('pages asked for at the same time', () => {
  it('are rendered one after the other, and who waits shares the next', async () => {
    let scrapes = 0;
    const metrics = createPrometheusMetrics(atOnce);
    metrics.onScrape(async () => [() => void scrapes++]);
    const pages = await Promise.all(Array.from({ length: 5 }, () => metrics.page('')));
    const late = metrics.page('');
    expect(scrapes).toBe(1);
    expect(new Set(pages).size).toBe(1);
    await late;
    expect(scrapes).toBe(2);
  });

  it('hold what was counted before they were asked for, though another page was being rendered', async () => {
    const gate = Promise.withResolvers<void>();
    let turn = (): Promise<void> => gate.promise;
    const metrics = createPrometheusMetrics(() => turn());
    metrics.count('slipstream_breakpoints_total', { source: 'client', place: 'tools', ttl: '5m' });
    const first = metrics.page('');
    await new Promise<void>((resolve) => setImmediate(resolve));
    turn = atOnce;
    metrics.count('slipstream_breakpoints_total', { source: 'gateway', place: 'system', ttl: '1h' });
    const second = metrics.page('');
    gate.resolve();
    await first;
    expect((await second).text).toContain('slipstream_breakpoints_total{source="gateway",place="system",ttl="1h"} 1');
  });

  it('go on after one whose gauges could not be read', async () => {
    const metrics = createPrometheusMetrics(atOnce);
    let isBroken = true;
    metrics.onScrape(async () => [
      () => {
        if (isBroken) throw new Error('a bug');
      },
    ]);
    await expect(metrics.page('')).rejects.toThrow('a bug');
    isBroken = false;
    expect((await metrics.page('')).contentType).toMatch(/^text\/plain/);
  });
});

describe('gauges of what is open', () => {
  it('count one more until it is closed', async () => {
    const metrics = createPrometheusMetrics(atOnce);
    const close = metrics.hold('slipstream_open_streams', { tenant: 'acme' });
    metrics.hold('slipstream_open_streams', { tenant: 'acme' });
    expect((await metrics.page('')).text).toContain('slipstream_open_streams{tenant="acme"} 2\n');
    close();
    expect((await metrics.page('')).text).toContain('slipstream_open_streams{tenant="acme"} 1\n');
  });
});
