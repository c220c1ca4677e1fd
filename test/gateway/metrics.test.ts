import { describe, expect, it } from 'vitest';
import { METRICS, type MetricName, type MetricRow } from '../../src/metrics/table.ts';
import { apiError, event, message, streamHead, wholeStream } from '../support/claude-answers.ts';
import { eventually } from '../support/eventually.ts';
import { asking, GLOBEX_KEY, passThrough, useStage, type Stage } from '../support/gateway-under-test.ts';
import type { UpstreamCall } from '../support/scripted-upstream.ts';

const start = useStage();

const CACHED_USAGE = {
  input_tokens: 1_000,
  cache_read_input_tokens: 20_000,
  cache_creation_input_tokens: 3_000,
  cache_creation: { ephemeral_5m_input_tokens: 1_000, ephemeral_1h_input_tokens: 2_000 },
  output_tokens: 500,
};
/** claude-sonnet-5: 2 USD in and 10 USD out per million; a read 0.1, writes 1.25 and 2 times the input price. */
const CACHED_COST_USD = (2 * (1_000 + 0.1 * 20_000 + 1.25 * 1_000 + 2 * 2_000) + 10 * 500) / 1e6;
const CACHED_SAVED_USD = (2 * 24_000) / 1e6 - (2 * (1_000 + 0.1 * 20_000 + 1.25 * 1_000 + 2 * 2_000)) / 1e6;

function stream(text: string): (call: UpstreamCall) => void {
  return (call) => {
    call.sse();
    call.write(text);
    call.end();
  };
}

async function ask(stage: Stage, script: (call: UpstreamCall) => void, parts = asking()): Promise<number> {
  stage.upstream.script = script;
  return (await stage.ask(parts)).status;
}

/** One of everything; 15 requests, of which the upstream sees 12. */
async function mixedTraffic(stage: Stage): Promise<void> {
  const overloaded = event('error', { error: { type: 'overloaded_error', message: 'x' } });
  await ask(stage, stream(wholeStream({ input_tokens: 10, output_tokens: 1 }, 7)));
  await ask(stage, stream(wholeStream({ input_tokens: 30, output_tokens: 1 }, 9)));
  await ask(stage, (call) => call.answer(200, message(CACHED_USAGE)), asking({}, GLOBEX_KEY));
  await ask(stage, stream(streamHead({ input_tokens: 5, output_tokens: 1 })));
  await ask(stage, stream(streamHead({ input_tokens: 5, output_tokens: 1 }) + overloaded));
  await ask(stage, (call) => call.answer(429, apiError('rate_limit_error')));
  await ask(stage, (call) => call.answer(529, apiError('overloaded_error')));
  await ask(stage, (call) => call.answer(500, apiError('api_error')));
  await ask(stage, (call) => call.answer(400, apiError('invalid_request_error')));
  await ask(stage, (call) => call.reset());
  await ask(stage, (call) => call.answer(200, { input_tokens: 77 }), asking({ target: '/v1/messages/count_tokens' }));
  await ask(stage, () => {}, asking({ body: '[' }));
  await ask(stage, () => {}, asking({}, 'a-wrong-key'));
  await ask(stage, () => {}, asking({ method: 'GET', target: '/v1/nowhere', body: '' }));
  stage.upstream.script = () => {};
  const left = await stage.open();
  left.call.sse();
  left.call.write(streamHead({ input_tokens: 5, output_tokens: 1 }));
  await left.client.body('the first text arrives', (text) => text.includes('Hello'));
  left.client.reset();
  await stage.record(11);
}

describe('after mixed traffic', () => {
  it('every request is counted once, by its status and operation', async () => {
    const stage = await start();
    await mixedTraffic(stage);
    const metrics = await stage.metrics();
    const byStatus = (status: number): number => metrics.sum('slipstream_requests_total', { status: String(status) });
    const counts = [200, 400, 401, 404, 429, 500, 502, 529].map((status) => [status, byStatus(status)]);
    expect(Object.fromEntries(counts)).toEqual({ 200: 7, 400: 2, 401: 1, 404: 1, 429: 1, 500: 1, 502: 1, 529: 1 });
    expect(metrics.sum('slipstream_requests_total')).toBe(15);
    expect(metrics.sum('slipstream_requests_total', { operation: 'count_tokens' })).toBe(1);
    expect(metrics.sum('slipstream_requests_total', { tenant: 'globex', model: 'claude-sonnet-5' })).toBe(1);
    expect(metrics.sum('slipstream_requests_total', { tenant: 'unknown' })).toBe(2);
  });

  it('every stream is counted by how it ended, every attempt by how it went', async () => {
    const stage = await start();
    await mixedTraffic(stage);
    const metrics = await stage.metrics();
    const streams = (outcome: string): number => metrics.sum('slipstream_streams_total', { outcome });
    expect(['complete', 'truncated', 'upstream_error', 'client_abort'].map(streams)).toEqual([2, 1, 1, 1]);
    const attempts = (outcome: string): number =>
      metrics.sum('slipstream_upstream_attempts_total', { upstream: 'main', outcome });
    const outcomes = ['ok', 'rate_limited', 'overloaded', 'server_error', 'client_error', 'network', 'stream_error'];
    expect(outcomes.map(attempts)).toEqual([5, 1, 2, 1, 1, 1, 1]);
    expect(metrics.sum('slipstream_upstream_attempts_total')).toBe(stage.upstream.calls.length);
  });

  it('tokens are those of the answers, and the cost is right to the billionth of a dollar', async () => {
    const stage = await start();
    await mixedTraffic(stage);
    const metrics = await stage.metrics();
    const input = (tenant: string, kind: string): number =>
      metrics.sum('slipstream_input_tokens_total', { tenant, kind });
    const kinds = ['uncached', 'cache_read', 'cache_write_5m', 'cache_write_1h'];
    expect(kinds.map((kind) => input('globex', kind))).toEqual([1_000, 20_000, 1_000, 2_000]);
    expect(kinds.map((kind) => input('acme', kind))).toEqual([10 + 30 + 5 + 5 + 5, 0, 0, 0]);
    expect(metrics.sum('slipstream_output_tokens_total', { tenant: 'acme' })).toBe(7 + 9 + 1 + 1 + 1);
    const cost = (tenant: string): number => metrics.sum('slipstream_cost_usd_total', { tenant });
    expect(Math.abs(cost('globex') - CACHED_COST_USD)).toBeLessThan(1e-9);
    expect(Math.abs(cost('acme') - (2 * 55 + 10 * 19) / 1e6)).toBeLessThan(1e-9);
    const savedUsd = metrics.sum('slipstream_saved_usd_total', { tenant: 'globex' });
    const premiumUsd = metrics.sum('slipstream_cache_write_premium_usd_total', { tenant: 'globex' });
    expect(Math.abs(premiumUsd - (2 * (0.25 * 1_000 + 2_000)) / 1e6)).toBeLessThan(1e-9);
    const readSavingUsd = metrics.sum('slipstream_cache_read_saving_usd_total', { tenant: 'globex' });
    expect(Math.abs(savedUsd - CACHED_SAVED_USD)).toBeLessThan(1e-9);
    expect(Math.abs(readSavingUsd - premiumUsd - savedUsd)).toBeLessThan(1e-9);
    expect(metrics.sum('slipstream_cache_hit_ratio')).toBeCloseTo(20_000 / (24_000 + 55), 9);
  });

  it('every gauge of what runs is back to 0, and idle tenants show their limits', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.sse();
    call.write(streamHead());
    await client.head();
    const during = await stage.metrics();
    expect(during.sum('slipstream_open_streams', { tenant: 'acme' })).toBe(1);
    expect(during.sum('slipstream_slots_in_use', { scope: 'tenant', name: 'acme' })).toBe(1);
    client.reset();
    await eventually('the slot is free', 10_000, async () => (await stage.slots()).size === 0);
    const after = await stage.metrics();
    expect(after.sum('slipstream_open_streams')).toBe(0);
    expect(after.sum('slipstream_slots_in_use')).toBe(0);
    expect(after.sum('slipstream_queue_depth')).toBe(0);
    expect(after.sum('slipstream_slots_limit', { name: 'acme' })).toBe(16);
    expect(after.sum('slipstream_slots_limit', { scope: 'tenant' })).toBe(32);
    expect(after.sum('slipstream_slots_limit', { scope: 'upstream', name: 'main' })).toBe(256);
  });

  it('times are observed once for what they are about', async () => {
    const stage = await start();
    await mixedTraffic(stage);
    const metrics = await stage.metrics();
    expect(metrics.sum('slipstream_queue_wait_seconds_count')).toBe(11);
    expect(metrics.sum('gen_ai_server_time_to_first_token_seconds_count')).toBe(5);
    expect(metrics.sum('gen_ai_server_time_per_output_token_seconds_count')).toBe(2);
    expect(metrics.sum('gen_ai_server_request_duration_seconds_count')).toBe(12);
    expect(metrics.sum('slipstream_overhead_seconds_count', { phase: 'first_event' })).toBe(5);
  });
});

describe('labels', () => {
  it('never take a model name from a caller or an upstream that is not in the price list', async () => {
    const stage = await start();
    for (const name of ['gpt-17', 'x'.repeat(300), '"}\\n evil 1', 'claude-sonnet-5"', 'constructor', '__proto__']) {
      await ask(
        stage,
        (call) => call.answer(200, message(undefined, name)),
        asking({ body: JSON.stringify({ model: name }) }),
      );
    }
    const metrics = await stage.metrics();
    expect(metrics.valuesOf('model')).toEqual(new Set(['other']));
    expect(metrics.sum('slipstream_requests_total', { model: 'other', status: '200' })).toBe(6);
    expect(metrics.sum('slipstream_cost_usd_total')).toBe(0);
  });

  it('know a model with its date as the model', async () => {
    const stage = await start();
    await ask(stage, (call) => call.answer(200, message(undefined, 'claude-sonnet-4-5-20250929')));
    expect((await stage.metrics()).valuesOf('model')).toContain('claude-sonnet-4-5');
  });

  it('never take a path, whatever is asked for', async () => {
    const stage = await start();
    for (let index = 0; index < 10; index++) {
      await stage.ask(asking({ method: 'GET', target: `/secret-path-${index}?q=${index}`, body: '' }));
      await stage.ask(asking({ method: 'GET', target: `/v1/secret-path-${index}`, body: '' }));
    }
    expect((await stage.ask({ method: 'GET', target: '/metrics' })).text).not.toContain('secret-path');
    expect((await stage.metrics()).sum('slipstream_requests_total', { operation: 'other', status: '404' })).toBe(20);
  });

  it('name 200 tenants of pass-through mode, and the rest other', async () => {
    const stage = await start({ settings: passThrough() });
    stage.upstream.script = (call) => call.answer(200, message());
    for (let index = 0; index < 205; index++) await stage.ask(asking({}, `sk-ant-key-${index}`));
    const metrics = await stage.metrics();
    expect(metrics.valuesOf('tenant').size).toBe(201);
    expect(metrics.sum('slipstream_requests_total', { tenant: 'other' })).toBe(5);
    expect(metrics.sum('slipstream_requests_total')).toBe(205);
  });
});

describe('the page', () => {
  const rows = Object.entries(METRICS) as [MetricName, MetricRow][];

  it('has every metric of the table with its type, and no other', async () => {
    const stage = await start();
    const { text, headers } = await stage.ask({ method: 'GET', target: '/metrics' });
    expect(headers['content-type']).toMatch(/^text\/plain/);
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]);
    expect(Object.fromEntries(types)).toEqual(Object.fromEntries(rows.map(([name, { kind }]) => [name, kind])));
  });

  it('is OpenMetrics where the scraper accepts it: families without _total, and the end mark', async () => {
    const stage = await start();
    await ask(stage, (call) => call.answer(200, message()));
    const accept = 'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.3';
    const { text, headers } = await stage.ask({ method: 'GET', target: '/metrics', headers: { accept } });
    expect(headers['content-type']).toMatch(/^application\/openmetrics-text/);
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(text).not.toMatch(/^# (TYPE|HELP) \S+_total (counter|Requests)/m);
    expect(text).toContain('# TYPE slipstream_requests counter\n');
    expect(text).toMatch(/^slipstream_requests_total\{.+\} 1$/m);
    expect(text).not.toMatch(/\n\n/);
  });
});
