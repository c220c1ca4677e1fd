import { describe, expect, it } from 'vitest';
import { knowableOf } from '../../bench/soak/knowable.ts';
import { addRange, noRange, noTokens, TOKEN_KINDS, type TokenRange, type Tokens } from '../../bench/soak/tokens.ts';
import { REQUEST_ID_HEADER } from '../../src/node/demo/retry-watch.ts';
import type { Observation } from '../../src/simulator/observe/observations.ts';
import { hasPrometheus, promtoolOnPage } from '../grafana/promtool.ts';
import { readMetrics, type MetricSamples } from '../support/metric-samples.ts';
import { mixedSettings, replayMixedTraffic, type Asked } from '../support/mixed-traffic.ts';
import { useSimulatorStage } from '../support/simulator-stage.ts';

/** The public price list of November 2026, in USD per million tokens, as printed. */
const PRICES: Readonly<Record<string, Readonly<Record<keyof Tokens, number>>>> = {
  'claude-sonnet-5': { uncached: 2, output: 10, cache_write_5m: 2.5, cache_write_1h: 4, cache_read: 0.2 },
  'claude-opus-5-5': { uncached: 4, output: 20, cache_write_5m: 5, cache_write_1h: 8, cache_read: 0.2 },
  'claude-haiku-4-5': { uncached: 1, output: 5, cache_write_5m: 1.25, cache_write_1h: 2, cache_read: 0.1 },
};
const A_CENT_USD = 0.01;
const REPLAY_MS = 40_000;

const start = useSimulatorStage();

/** What happened, as the callers and the upstream saw it, and what the page says of it. */
interface Evidence {
  readonly asked: readonly Asked[];
  readonly calls: readonly Observation[];
  readonly page: MetricSamples;
}

/** Of every tenant and model that asked the upstream for an answer: the bill, as far as a client can know it. */
function bills({ asked, calls }: Evidence): Map<string, TokenRange> {
  const sums = new Map<string, TokenRange>();
  for (const call of calls) {
    const { tenant, model, isStream, ending } = requestOf(call, asked);
    const hearing = ending === 'left' ? 'left_after_content' : 'to_the_end';
    const hangUp = tenant === 'drainer' ? 'drain' : 'cancel';
    const sum = sums.get(`${tenant} ${model}`) ?? noRange();
    addRange(sum, knowableOf({ call, isStream, hearing, hangUp }).tokens);
    sums.set(`${tenant} ${model}`, sum);
  }
  return sums;
}

function requestOf({ headers }: Observation, asked: readonly Asked[]): Asked {
  const request = asked.find(({ id }) => id === headers[REQUEST_ID_HEADER]);
  if (!request) throw new Error('a call that nobody asked for');
  return request;
}

function metered(page: MetricSamples, tenant: string, model: string): Tokens {
  const tokens = noTokens();
  for (const kind of TOKEN_KINDS) {
    if (kind !== 'output') tokens[kind] = page.sum('slipstream_input_tokens_total', { tenant, model, kind });
  }
  tokens.output = page.sum('slipstream_output_tokens_total', { tenant, model });
  return tokens;
}

function expectTokensAsBilled(evidence: Evidence): void {
  const total = noTokens();
  for (const [key, { low, high }] of bills(evidence)) {
    const [tenant = '', model = ''] = key.split(' ');
    expect(low, `the bill of ${key} is known exactly`).toEqual(high);
    expect(metered(evidence.page, tenant, model), key).toEqual(low);
    for (const kind of TOKEN_KINDS) total[kind] += low[kind];
  }
  expect(metered(evidence.page, 'acme', 'other'), 'what was never sent').toEqual(noTokens());
  for (const kind of TOKEN_KINDS) expect(total[kind], `${kind} occurs`).toBeGreaterThan(0);
}

function expectCostAsPriced({ page }: Evidence, tenant: string, model: string): void {
  const price = PRICES[model] as Tokens;
  const tokens = metered(page, tenant, model);
  const usd = (kinds: readonly (keyof Tokens)[], per: (kind: keyof Tokens) => number): number =>
    kinds.reduce((sum, kind) => sum + (tokens[kind] * per(kind)) / 1e6, 0);
  const writes = ['cache_write_5m', 'cache_write_1h'] as const;
  const expected = {
    cost: usd(TOKEN_KINDS, (kind) => price[kind]),
    saved: usd(['cache_read', ...writes], (kind) => price.uncached - price[kind]),
    cache_read_saving: usd(['cache_read'], (kind) => price.uncached - price[kind]),
    cache_write_premium: usd(writes, (kind) => price[kind] - price.uncached),
  };
  for (const [name, expectedUsd] of Object.entries(expected)) {
    const countedUsd = page.sum(`slipstream_${name as keyof typeof expected}_usd_total`, { tenant, model });
    expect(Math.abs(countedUsd - expectedUsd), `${name} of ${tenant}, ${model}`).toBeLessThan(A_CENT_USD / 1_000);
  }
}

function expectCallsAsSeen({ asked, calls, page }: Evidence): void {
  const reached = new Set(calls.map((call) => requestOf(call, asked).id)).size;
  const retries = page.sum('slipstream_retries_total');
  expect(page.sum('slipstream_upstream_attempts_total')).toBe(calls.length);
  expect(page.sum('slipstream_upstream_attempts_total')).toBe(reached + retries);
  expect(retries).toBeGreaterThan(4);
}

function expectStreamsAsOpened({ asked, page }: Evidence): void {
  for (const tenant of new Set(asked.map((one) => one.tenant))) {
    const own = asked.filter((one) => one.tenant === tenant && one.isStream);
    const seen = (ending: Asked['ending']): number => own.filter((one) => one.ending === ending).length;
    const counted = (...outcomes: string[]): number =>
      outcomes.reduce((sum, outcome) => sum + page.sum('slipstream_streams_total', { tenant, outcome }), 0);
    expect(page.sum('slipstream_streams_total', { tenant }), `streams of ${tenant}`).toBe(own.length);
    expect(
      [counted('complete'), counted('upstream_error', 'truncated'), counted('client_abort')],
      `ends of the streams of ${tenant}`,
    ).toEqual([seen('whole'), seen('broken'), seen('left')]);
  }
}

/** Whose fault it is that something went wrong, as a caller can tell. */
function faultOf({ tenant, status, ending }: Asked): 'caller' | 'upstream' | null {
  if (ending === 'left' || status === 400 || status === 401 || tenant === 'crowd') {
    return ending === 'left' || status >= 400 ? 'caller' : null;
  }
  return status >= 400 || ending === 'broken' ? 'upstream' : null;
}

function expectRequestsAsMade({ asked, page }: Evidence): void {
  const of = (tenant: string): string => (tenant === 'nobody' ? 'unknown' : tenant);
  for (const tenant of new Set(asked.map((one) => one.tenant))) {
    const own = asked.filter((one) => one.tenant === tenant);
    for (const status of new Set(own.map((one) => one.status))) {
      const counted = page.sum('slipstream_requests_total', { tenant: of(tenant), status: `${status}` });
      expect(counted, `${tenant}: ${status}`).toBe(own.filter((one) => one.status === status).length);
    }
    expect(page.sum('slipstream_requests_total', { tenant: of(tenant) }), tenant).toBe(own.length);
    for (const fault of ['caller', 'gateway', 'upstream']) {
      const counted = page.sum('slipstream_errors_total', { tenant: of(tenant), fault });
      expect(counted, `${tenant}: by the ${fault}'s fault`).toBe(own.filter((one) => faultOf(one) === fault).length);
    }
  }
}

function expectNothingOpen({ page }: Evidence): void {
  expect(page.sum('slipstream_slots_in_use')).toBe(0);
  expect(page.sum('slipstream_queue_depth')).toBe(0);
  expect(page.sum('slipstream_open_streams')).toBe(0);
  expect(page.sum('slipstream_budget_spent_usd', { tenant: 'globex' })).toBeCloseTo(
    page.sum('slipstream_cost_usd_total', { tenant: 'globex' }),
    6,
  );
}

describe('after a replay of traffic with faults', () => {
  it(
    'the page says what callers saw and the upstream billed, for every tenant and model',
    { timeout: REPLAY_MS },
    async () => {
      const { simulator, seen, baseUrl, record, slots } = await start({ settings: mixedSettings });
      const asked = await replayMixedTraffic(baseUrl, simulator);
      await record(asked.length - EARLY_ENDS - 1);
      expect((await slots()).size).toBe(0);
      const text = await (await fetch(`${baseUrl}/metrics`)).text();
      const evidence: Evidence = { asked, calls: seen, page: readMetrics(text) };
      expectTokensAsBilled(evidence);
      for (const key of bills(evidence).keys()) {
        const [tenant = '', model = ''] = key.split(' ');
        expectCostAsPriced(evidence, tenant, model);
      }
      expectCallsAsSeen(evidence);
      expectStreamsAsOpened(evidence);
      expectRequestsAsMade(evidence);
      expectNothingOpen(evidence);
      if (hasPrometheus) expect(promtoolOnPage(text)).toBe('');
    },
  );
});

/** Of requests that are refused before the pipeline there is no record. */
const EARLY_ENDS = 2;
