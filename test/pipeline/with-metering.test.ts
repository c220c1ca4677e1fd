import { beforeEach, describe, expect, it } from 'vitest';
import type { AttemptNote, ExchangeTimings, GatewayRequest, Outcome, StopReason } from '../../src/core/exchange.ts';
import { createHitRatio } from '../../src/metrics/hit-ratio.ts';
import { createTenantLabels } from '../../src/metrics/labels.ts';
import type { TokenUsage } from '../../src/core/usage.ts';
import { createLiveExchanges, type LiveExchanges } from '../../src/pipeline/live-exchanges.ts';
import type { ExchangeRecord } from '../../src/pipeline/exchange-record.ts';
import { withMetering } from '../../src/pipeline/with-metering.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { answeredOf, contextOf, createRecordedMetrics, noteOf, requestOf, usageOf, type RecordedMetrics } from './scripted.ts'; // prettier-ignore

let clock: FakeClock;
let metrics: RecordedMetrics;
let records: ExchangeRecord[];
let hitRatio: ReturnType<typeof createHitRatio>;
let liveExchanges: LiveExchanges;
beforeEach(() => {
  clock = createFakeClock();
  metrics = createRecordedMetrics();
  records = [];
  hitRatio = createHitRatio(clock);
  liveExchanges = createLiveExchanges();
});

/** One exchange that takes `durationMs` and fills in its timings on the way. */
async function meter(
  outcome: Outcome | Error,
  given: {
    request?: Partial<GatewayRequest>;
    timings?: Partial<ExchangeTimings>;
    durationMs?: number;
    stop?: StopReason;
    attempts?: readonly AttemptNote[];
  } = {},
): Promise<Outcome> {
  const ports = {
    metrics,
    tenantLabels: createTenantLabels(),
    hitRatio,
    liveExchanges,
    onRecord: (one: ExchangeRecord) => records.push(one),
  };
  const service = withMetering(ports)(async (_request, context) => {
    Object.assign(context.timings, given.timings);
    context.notes.attempts.push(...(given.attempts ?? []));
    if (given.stop) context.stop(given.stop);
    await clock.advance(given.durationMs ?? 0);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  });
  return service(requestOf(given.request), contextOf(clock));
}

const requests = (labels: string): number | undefined => metrics.values[`slipstream_requests_total{${labels}}`];

describe('withMetering', () => {
  it.each<[string, Outcome, number, string, string | null]>([
    ['an answer', answeredOf(), 200, 'complete', null],
    ['an upstream’s error', answeredOf({ status: 529, isStream: false }), 529, 'complete', null],
    ['an error inside the stream', answeredOf({ end: 'upstream_error' }), 200, 'upstream_error', null],
    ['a stream cut short', answeredOf({ end: 'truncated' }), 200, 'truncated', null],
    ['a caller that left mid-way', answeredOf({ end: 'client_abort' }), 200, 'client_abort', null],
    ['a reader that stalled', answeredOf({ end: 'reader_stalled' }), 200, 'reader_stalled', null],
    ['a caller that left before', { kind: 'abandoned' }, 499, 'client_abort', null],
    ['a refusal', { kind: 'refused', refusal: { code: 'queue_full' } }, 429, 'refused', 'queue_full'],
    ['a failure', { kind: 'refused', refusal: { code: 'upstream_timeout' } }, 504, 'refused', 'upstream_timeout'],
  ])('counts %s once and hands the outcome on', async (_what, outcome, status, end, refusal) => {
    expect(await meter(outcome)).toBe(outcome);
    const labels = `tenant="acme",model="claude-opus-5",operation="messages",status="${status}"`;
    expect(metrics.values[`slipstream_requests_total{${labels}}`]).toBe(1);
    expect(records).toMatchObject([{ id: 'slip_1', tenant: 'acme', status, end, refusal }]);
    const isStream = outcome.kind === 'answered' && outcome.isStream;
    expect(metrics.values[`slipstream_streams_total{tenant="acme",outcome="${end}"}`]).toBe(isStream ? 1 : undefined);
  });

  it('lists an exchange for as long as it runs, however it ends', async () => {
    const seen: number[] = [];
    const service = (inner: Outcome | Error) => {
      const ports = { metrics, tenantLabels: createTenantLabels(), hitRatio, liveExchanges, onRecord: () => {} };
      return withMetering(ports)(async () => {
        seen.push(liveExchanges.count);
        if (inner instanceof Error) throw inner;
        return inner;
      })(requestOf(), contextOf(clock));
    };
    await service(answeredOf());
    await expect(service(new Error('a bug'))).rejects.toThrow('a bug');
    expect([seen, liveExchanges.count]).toEqual([[1, 1], 0]);
  });

  it.each<[string, Outcome, string | null]>([
    ['a whole answer', answeredOf(), null],
    ['a mistake', answeredOf({ status: 400, isStream: false }), 'caller'],
    ['a full queue', { kind: 'refused', refusal: { code: 'queue_full' } }, 'caller'],
    ['a caller that left', { kind: 'abandoned' }, 'caller'],
    ['a bug', { kind: 'refused', refusal: { code: 'internal' } }, 'gateway'],
    ['a broken stream', answeredOf({ end: 'truncated' }), 'upstream'],
    ["an upstream's limit", answeredOf({ status: 429, isStream: false }), 'upstream'],
  ])('counts %s by whose fault it was', async (_what, outcome, fault) => {
    await meter(outcome);
    const errors = Object.entries(metrics.values).filter(([series]) => series.startsWith('slipstream_errors_total'));
    const labels = `tenant="acme",model="claude-opus-5",operation="messages",fault="${fault}"`;
    expect(errors).toEqual(fault === null ? [] : [[`slipstream_errors_total{${labels}}`, 1]]);
  });

  it('counts an exchange that failed by an exception once, as internal, and lets the exception pass', async () => {
    await expect(meter(new Error('a bug'))).rejects.toThrow('a bug');
    expect(records).toMatchObject([{ status: 500, end: 'refused', refusal: 'internal' }]);
    expect(requests('tenant="acme",model="claude-opus-5",operation="messages",status="500"')).toBe(1);
  });

  it('tells a caller of a process that ends so, where nothing was sent, and counts that', async () => {
    const refusal = { code: 'draining', retryAfterSeconds: 1 };
    expect(await meter({ kind: 'abandoned' }, { stop: 'draining' })).toEqual({ kind: 'refused', refusal });
    expect(records).toMatchObject([{ status: 503, end: 'refused', refusal: 'draining' }]);
    expect(requests('tenant="acme",model="claude-opus-5",operation="messages",status="503"')).toBe(1);
  });

  it.each<[string, Outcome]>([
    ['was answered', answeredOf({ end: 'truncated' })],
    ['was refused', { kind: 'refused', refusal: { code: 'queue_full' } }],
  ])('leaves alone what %s as the process ended', async (_what, outcome) => {
    expect(await meter(outcome, { stop: 'draining' })).toBe(outcome);
  });

  it('counts the tokens known by then of a caller that left before anything was sent', async () => {
    const usage = usageOf({ uncachedInput: 100, output: 3 });
    await meter({ kind: 'abandoned', usage, model: 'claude-opus-5-5' });
    const labels = 'tenant="acme",model="claude-opus-5-5"';
    expect(metrics.values[`slipstream_input_tokens_total{${labels},kind="uncached"}`]).toBe(100);
    expect(metrics.values[`slipstream_cost_usd_total{${labels}}`]).toBeGreaterThan(0);
    expect(records).toMatchObject([{ status: 499, end: 'client_abort', usage, model: 'claude-opus-5-5' }]);
  });

  it('tells the calls of an exchange in their order', async () => {
    const attempts = [noteOf({ outcome: 'overloaded', status: 529 }), noteOf({ upstream: 'spare' })];
    await meter(answeredOf(), { attempts });
    expect(records[0]?.attempts).toEqual(attempts);
  });

  it('counts tokens by kind, cost and savings under the model that answered', async () => {
    const usage = usageOf({ uncachedInput: 100, cacheRead: 8_000, cacheWrite5m: 400, cacheWrite1h: 50, output: 60 });
    await meter(answeredOf({ usage, model: 'claude-opus-5-5' }), { request: { model: 'claude-opus-5' } });
    const labels = 'tenant="acme",model="claude-opus-5-5"';
    const input = (kind: string) => metrics.values[`slipstream_input_tokens_total{${labels},kind="${kind}"}`];
    expect(['uncached', 'cache_read', 'cache_write_5m', 'cache_write_1h'].map(input)).toEqual([100, 8_000, 400, 50]);
    expect(metrics.values[`slipstream_output_tokens_total{${labels}}`]).toBe(60);
    const inputUsd = (100 * 4 + 8_000 * 0.2 + 400 * 5 + 50 * 8) / 1e6;
    expect(metrics.values[`slipstream_cost_usd_total{${labels}}`]).toBeCloseTo(inputUsd + (60 * 20) / 1e6, 12);
    const usd = (name: string) => metrics.values[`slipstream_${name}_usd_total{${labels}}`];
    expect(usd('cache_read_saving')).toBeCloseTo((8_000 * 3.8) / 1e6, 12);
    expect(usd('cache_write_premium')).toBeCloseTo((400 * 1 + 50 * 4) / 1e6, 12);
    expect(usd('saved')).toBeCloseTo((8_550 * 4) / 1e6 - inputUsd, 12);
    expect(hitRatio.ratios()).toEqual(new Map([['claude-opus-5-5', 8_000 / 8_550]]));
    expect(records[0]).toMatchObject({ model: 'claude-opus-5-5', cache: 'hit', usage });
  });

  it('takes the premium of writes that were not read off what was saved, and off no counter', async () => {
    const usd = (name: string) => metrics.values[`slipstream_${name}_usd_total{tenant="acme",model="claude-opus-5"}`];
    const metered = async (usage: Partial<TokenUsage>) => {
      await meter(answeredOf({ usage: usageOf(usage), model: 'claude-opus-5' }));
      return ['saved', 'cache_read_saving', 'cache_write_premium'].map(usd);
    };
    expect(await metered({ cacheRead: 1_000_000 })).toEqual([4.5, 4.5, 0].map((each) => expect.closeTo(each, 12)));
    expect(await metered({ cacheWrite1h: 1_000_000 })).toEqual([-0.5, 4.5, 5].map((each) => expect.closeTo(each, 12)));
  });

  it('counts the tokens of an unknown model under other and its cost not at all', async () => {
    await meter(answeredOf({ usage: usageOf({ output: 5 }), model: 'qwen3-coder' }));
    expect(metrics.values['slipstream_output_tokens_total{tenant="acme",model="other"}']).toBe(5);
    expect(Object.keys(metrics.values).filter((series) => series.includes('usd'))).toEqual([]);
    expect(records[0]).toMatchObject({ model: 'qwen3-coder', cost: null });
  });

  it('measures from the last byte of the request to the last byte of the answer', async () => {
    await clock.advance(1_000);
    await meter(answeredOf({ isStream: false }), { request: { receivedAtMs: 400 }, durationMs: 900 });
    const series = 'gen_ai_server_request_duration_seconds{model="claude-opus-5",operation="messages",status="200"}';
    expect(metrics.observed[series]).toEqual([1.5]);
  });

  it('measures the wait, its own time, the first content and the time per further token', async () => {
    const usage = usageOf({ cacheRead: 100, output: 11 });
    const timings = { queueMs: 300, overheadMs: 20, firstContentAtMs: 1_000, firstEventMs: 0.5 };
    await meter(answeredOf({ usage }), { timings, durationMs: 3_000 });
    expect(metrics.observed).toMatchObject({
      'slipstream_queue_wait_seconds{tenant="acme"}': [0.3],
      'slipstream_overhead_seconds{phase="before_upstream"}': [0.02],
      'slipstream_overhead_seconds{phase="first_event"}': [0.0005],
      'gen_ai_server_time_to_first_token_seconds{model="claude-opus-5",cache="hit",tenant="acme"}': [1],
      'gen_ai_server_time_per_output_token_seconds{model="claude-opus-5"}': [0.2],
    });
  });

  it('measures no wait of what waited for no slot, and no time of its own of what went nowhere', async () => {
    await meter(answeredOf({ isStream: false }));
    const duration = 'gen_ai_server_request_duration_seconds{model="claude-opus-5",operation="messages",status="200"}';
    expect(Object.keys(metrics.observed)).toEqual([duration]);
  });

  it.each([
    ['no content came', answeredOf({ usage: usageOf({ output: 9 }) }), {}],
    ['the stream broke off', answeredOf({ end: 'truncated', usage: usageOf({ output: 9 }) }), { firstContentAtMs: 1 }],
    ['there was one token', answeredOf({ usage: usageOf({ output: 1 }) }), { firstContentAtMs: 1 }],
    ['nothing is known of usage', answeredOf(), { firstContentAtMs: 1 }],
  ] as const)('has no time per token where %s', async (_what, outcome, timings) => {
    await meter(outcome, { timings, durationMs: 100 });
    expect(Object.keys(metrics.observed).filter((series) => series.includes('per_output_token'))).toEqual([]);
  });
});
