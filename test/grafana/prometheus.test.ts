import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/node/system-clock.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway-on-node.ts';
import { startBusyGateway, type BusyGateway } from './busy-gateway.ts';
import { startPrometheus, type PrometheusServer, type Sample } from './prometheus-server.ts';
import { hasPrometheus, promtoolOnPage } from './promtool.ts';
import { readExpression } from './promql.ts';
import { alerts, panelQueries, recorded } from './shipped.ts';

/**
 * Every expression, asked of a real Prometheus that scrapes a gateway with traffic. None may have nothing to show: what the
 * traffic does not bring about yet is for busy-gateway.ts to do. Of alerts it is the selectors they are made of that must be
 * there: they themselves should be silent.
 */
interface Asked {
  readonly name: string;
  readonly expr: string;
  /** Labels that the legend writes: each series must have them. */
  readonly labels: readonly string[];
}

const panels: Asked[] = panelQueries('10s', '60s').map(({ name, expr, legend }) => ({
  name,
  expr,
  labels: [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label),
}));
const records: Asked[] = recorded.map(({ record }) => ({ name: record, expr: record, labels: [] }));
const selectors: Asked[] = [...recorded, ...alerts, ...panelQueries('10s', '60s')]
  .flatMap(({ expr }) => readExpression(expr).selectors)
  .map(({ text }) => ({ name: text, expr: text, labels: [] }));

/** There is nothing new before the next one. */
const SCRAPE_MS = 1_000;
/** On an idle machine a tenth of it. */
const SHOWN_DEADLINE_MS = 120_000;
const TEST_DEADLINE_MS = 140_000;
const CLOSE_MS = 3_000;

describe.skipIf(!hasPrometheus)('on a gateway with traffic', () => {
  let gateway: BusyGateway;
  let prometheus: PrometheusServer;
  beforeAll(async () => {
    gateway = await startBusyGateway();
    prometheus = await startPrometheus(gateway.port);
  });
  afterAll(async () => {
    await prometheus?.close();
    await gateway?.close();
  });

  /** Asks with every scrape until all have shown something, or time is up; returns what has not. */
  async function nothingShown(asked: readonly Asked[]): Promise<string[]> {
    const untilMs = performance.now() + SHOWN_DEADLINE_MS;
    let waiting = asked;
    while (waiting.length > 0 && performance.now() < untilMs) {
      const isEmpty = await Promise.all(waiting.map(async (one) => !isShown(await prometheus.query(one.expr), one)));
      waiting = waiting.filter((_, index) => isEmpty[index]);
      await new Promise<void>((resolve) => systemClock.after(SCRAPE_MS, resolve));
    }
    return waiting.map(({ name, expr }) => `${name}: ${expr}`);
  }

  it('no panel, recorded series or selector is empty', { timeout: TEST_DEADLINE_MS }, async () => {
    expect(await nothingShown([...panels, ...records, ...selectors])).toEqual([]);
  });

  it.each([
    'gen_ai_server_time_to_first_token_seconds_bucket',
    'gen_ai_server_request_duration_seconds_bucket',
    'slipstream_queue_wait_seconds_bucket',
  ])('%s leads to requests that the log names', { timeout: TEST_DEADLINE_MS }, async (metric) => {
    await eventually('an exemplar has been scraped', SHOWN_DEADLINE_MS, async () => {
      return (await prometheus.exemplars(metric)).length > 0;
    });
    const found = await prometheus.exemplars(metric);
    expect(new Set(found.flatMap((labels) => Object.keys(labels)))).toEqual(new Set(['x_slipstream_id']));
    const strangers = found.filter(({ x_slipstream_id: id = '' }) => !gateway.requestIds().has(id));
    expect(strangers).toEqual([]);
  });

  it('its page gives promtool nothing to say', { timeout: TEST_DEADLINE_MS }, async () => {
    await eventually('the first answers have ended', SHOWN_DEADLINE_MS, () => gateway.requestIds().size > 20);
    expect(promtoolOnPage(await (await fetch(`http://127.0.0.1:${gateway.port}/metrics`)).text())).toBe('');
  });

  it('every rule is evaluated without an error', { timeout: TEST_DEADLINE_MS }, async () => {
    await eventually('every rule has been evaluated', SHOWN_DEADLINE_MS, async () => {
      return (await prometheus.unhealthyRules()).every((text) => !text.includes('unknown'));
    });
    expect(await prometheus.unhealthyRules()).toEqual([]);
    for (const { expr } of alerts) await prometheus.query(expr);
  });
});

it.skipIf(!hasPrometheus)('the page of an idle gateway gives promtool nothing to say', async () => {
  const { gateway, server } = await startGateway('', systemClock);
  const page = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
  await server.close(CLOSE_MS);
  await gateway.close();
  expect(page).toContain('slipstream_requests_total');
  expect(promtoolOnPage(page)).toBe('');
});

/** Some number to draw, with the labels that its legend writes. */
function isShown(samples: readonly Sample[], { labels }: Asked): boolean {
  return samples.some(
    ({ metric, value }) => value[1] !== 'NaN' && labels.every((label) => Object.hasOwn(metric, label)),
  );
}
