import { cacheResultOf } from '../core/cache-result.ts';
import { entryOf } from '../core/errors.ts';
import type { GatewayRequest, Outcome } from '../core/exchange.ts';
import { headerValue } from '../core/headers.ts';
import { costOf } from '../core/prices.ts';
import { totalInput, type TokenUsage } from '../core/usage.ts';
import type { HitRatio } from '../metrics/hit-ratio.ts';
import { modelLabel, type TenantLabels } from '../metrics/labels.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { ExchangeRecord } from './exchange-record.ts';
import { faultOf } from './record-line.ts';
import type { LiveExchanges } from './live-exchanges.ts';
import type { Context, Layer } from './service.ts';

export interface MeteringOptions {
  readonly metrics: Metrics;
  readonly tenantLabels: TenantLabels;
  readonly hitRatio: HitRatio;
  readonly liveExchanges: LiveExchanges;
  /** Called once per exchange, after the figures: for the log. */
  readonly onRecord: (record: ExchangeRecord) => void;
}

/** Nothing was sent and nobody is there to be told (nginx's convention; no RFC has a number for it). */
export const STATUS_CLIENT_CLOSED = 499;

/** Counts every exchange once, when it is over, however it ended; also one that failed by an exception. */
export function withMetering(options: MeteringOptions): Layer {
  return (inner) => async (request, context) => {
    let outcome: Outcome = { kind: 'refused', refusal: { code: 'internal' } };
    const leave = options.liveExchanges.enter(request, context);
    try {
      outcome = refusedIfDraining(await inner(request, context), context);
      return outcome;
    } finally {
      leave();
      const record = recordOf(request, context, outcome);
      count(record, options);
      options.onRecord(record);
    }
  };
}

/** A process that ends stops its exchanges while their callers are there to be told. */
function refusedIfDraining(outcome: Outcome, { signal }: Context): Outcome {
  if (outcome.kind !== 'abandoned' || signal.reason !== 'draining') return outcome;
  return { ...outcome, kind: 'refused', refusal: { code: 'draining', retryAfterSeconds: 1 } };
}

function recordOf(request: GatewayRequest, context: Context, outcome: Outcome): ExchangeRecord {
  const answered = outcome.kind === 'answered' ? outcome : null;
  const told = outcome.kind === 'held' ? null : outcome;
  const usage = told?.usage ?? null;
  const model = told?.model ?? request.model;
  return {
    id: request.id,
    tenant: context.tenant.id,
    operation: request.operation,
    model,
    requestedModel: request.model,
    status: statusOf(outcome),
    end: answered?.end ?? (outcome.kind === 'abandoned' ? 'client_abort' : 'refused'),
    refusal: outcome.kind === 'refused' ? outcome.refusal.code : null,
    isStream: answered?.isStream ?? false,
    cache: usage ? cacheResultOf(usage) : 'off',
    usage,
    cost: usage ? costOf(model, usage) : null,
    timings: context.timings,
    cacheStory: context.notes.cache,
    attempts: context.notes.attempts,
    waits: context.notes.waits,
    traceparent: headerValue(request.headers, 'traceparent') ?? null,
    receivedAtMs: request.receivedAtMs,
    endedAtMs: context.clock.nowMs(),
  };
}

function statusOf(outcome: Outcome): number {
  if (outcome.kind === 'answered') return outcome.status;
  return outcome.kind === 'refused' ? entryOf(outcome.refusal).status : STATUS_CLIENT_CLOSED;
}

function count(record: ExchangeRecord, options: MeteringOptions): void {
  const { metrics } = options;
  const tenant = options.tenantLabels.of(record.tenant);
  const model = modelLabel(record.model);
  const { operation } = record;
  const status = String(record.status);
  metrics.count('slipstream_requests_total', { tenant, model, operation, status });
  metrics.observe(
    'gen_ai_server_request_duration_seconds',
    { model, operation, status },
    (record.endedAtMs - record.receivedAtMs) / 1000,
    record.id,
  );
  const fault = faultOf(record);
  if (fault) metrics.count('slipstream_errors_total', { tenant, model, operation, fault });
  if (record.isStream && record.end !== 'refused') {
    metrics.count('slipstream_streams_total', { tenant, outcome: record.end });
  }
  if (record.usage) countTokens(record.usage, tenant, model, options);
  if (record.cost) {
    metrics.count('slipstream_cost_usd_total', { tenant, model }, record.cost.usd);
    metrics.adjust('slipstream_saved_usd_total', { tenant, model }, record.cost.savedUsd);
    metrics.count('slipstream_cache_read_saving_usd_total', { tenant, model }, record.cost.readSavingUsd);
    metrics.count('slipstream_cache_write_premium_usd_total', { tenant, model }, record.cost.writePremiumUsd);
  }
  observeTimings(record, tenant, model, metrics);
}

function countTokens(usage: TokenUsage, tenant: string, model: string, { metrics, hitRatio }: MeteringOptions): void {
  const kinds = {
    uncached: usage.uncachedInput,
    cache_read: usage.cacheRead,
    cache_write_5m: usage.cacheWrite5m,
    cache_write_1h: usage.cacheWrite1h,
  };
  for (const [kind, tokens] of Object.entries(kinds)) {
    if (tokens > 0) metrics.count('slipstream_input_tokens_total', { tenant, model, kind }, tokens);
  }
  if (usage.output > 0) metrics.count('slipstream_output_tokens_total', { tenant, model }, usage.output);
  hitRatio.record(model, usage.cacheRead, totalInput(usage));
}

function observeTimings(record: ExchangeRecord, tenant: string, model: string, metrics: Metrics): void {
  const { timings, usage } = record;
  if (timings.queueMs !== null) {
    metrics.observe('slipstream_queue_wait_seconds', { tenant }, timings.queueMs / 1000, record.id);
  }
  if (timings.overheadMs !== null) {
    metrics.observe('slipstream_overhead_seconds', { phase: 'before_upstream' }, timings.overheadMs / 1000);
  }
  if (timings.firstEventMs !== null) {
    metrics.observe('slipstream_overhead_seconds', { phase: 'first_event' }, timings.firstEventMs / 1000);
  }
  if (timings.firstContentAtMs === null) return;
  metrics.observe(
    'gen_ai_server_time_to_first_token_seconds',
    { model, cache: record.cache, tenant },
    (timings.firstContentAtMs - record.receivedAtMs) / 1000,
    record.id,
  );
  if (record.end === 'complete' && usage && usage.output > 1) {
    const perTokenMs = (record.endedAtMs - timings.firstContentAtMs) / (usage.output - 1);
    metrics.observe('gen_ai_server_time_per_output_token_seconds', { model }, perTokenMs / 1000);
  }
}
