import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Clock } from '../core/clock.ts';
import { totalInput } from '../core/usage.ts';
import { faultOf } from '../pipeline/record-line.ts';
import type { ExchangeRecord } from '../pipeline/with-metering.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * One span per request, made when it is over from what its record says: a child of the caller's span where it sent a
 * `traceparent`. Attributes are those of OpenTelemetry's GenAI conventions where there is one, `slipstream.` else.
 */
export function createOtlpSpans(serviceName: string, clock: Clock): Telemetry {
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': serviceName })),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer('slipstream');
  return {
    record(record) {
      const toWallMs = clock.wallMs() - clock.nowMs();
      const span = tracer.startSpan(
        nameOf(record),
        {
          kind: SpanKind.SERVER,
          startTime: new Date(record.receivedAtMs + toWallMs),
          attributes: withoutNulls({ ...requestAttributes(record), ...usageAttributes(record) }),
        },
        parentOf(record.traceparent),
      );
      addEvents(span, record, (atMs) => new Date(atMs + toWallMs));
      const fault = faultOf(record);
      if (fault) span.setStatus({ code: SpanStatusCode.ERROR, message: record.refusal ?? record.end });
      span.end(new Date(record.endedAtMs + toWallMs));
    },
    close: () => provider.shutdown(),
  };
}

const OPERATIONS: Readonly<Record<ExchangeRecord['operation'], string>> = {
  messages: 'chat',
  count_tokens: 'count_tokens',
  batches: 'batches',
  files: 'files',
  models: 'models',
  other: 'other',
};

function nameOf({ operation, model }: ExchangeRecord): string {
  return model === null ? OPERATIONS[operation] : `${OPERATIONS[operation]} ${model}`;
}

/** W3C Trace Context, version 00. */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

function parentOf(traceparent: string | null): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (!traceId || !spanId || !flags) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
  });
}

function requestAttributes(record: ExchangeRecord): Record<string, string | number | null> {
  return {
    'gen_ai.operation.name': OPERATIONS[record.operation],
    'gen_ai.provider.name': 'anthropic',
    'gen_ai.request.model': record.model,
    'http.response.status_code': record.status,
    'error.type': faultOf(record)
      ? (record.refusal ?? (record.status >= 400 ? String(record.status) : record.end))
      : null,
    'slipstream.id': record.id,
    'slipstream.tenant': record.tenant,
    'slipstream.fault': faultOf(record),
    'slipstream.cache.result': record.cacheStory?.result ?? record.cache,
    'slipstream.cache.reason': record.cacheStory?.reason ?? null,
  };
}

function usageAttributes({ usage, cost }: ExchangeRecord): Record<string, string | number | null> {
  if (!usage) return {};
  return {
    'gen_ai.usage.input_tokens': totalInput(usage),
    'gen_ai.usage.output_tokens': usage.output,
    'gen_ai.usage.cache_read.input_tokens': usage.cacheRead,
    'gen_ai.usage.cache_creation.input_tokens': usage.cacheWrite5m + usage.cacheWrite1h,
    'slipstream.cost_usd': cost?.usd ?? null,
  };
}

function withoutNulls(attributes: Readonly<Record<string, string | number | null>>): Attributes {
  const known: Attributes = {};
  for (const [name, value] of Object.entries(attributes)) if (value !== null) known[name] = value;
  return known;
}

function addEvents(
  span: Span,
  { timings, attempts, receivedAtMs, endedAtMs, end }: ExchangeRecord,
  at: (ms: number) => Date,
) {
  const { queueMs, holdMs, firstContentAtMs } = timings;
  if (queueMs !== null) span.addEvent('queue', { 'slipstream.wait_ms': queueMs }, at(receivedAtMs));
  if (holdMs > 0) span.addEvent('hold', { 'slipstream.wait_ms': holdMs }, at(receivedAtMs + (queueMs ?? 0)));
  for (const { upstream, outcome, status, sentAtMs, endedAtMs: overAtMs } of attempts) {
    const attributes = {
      'slipstream.upstream': upstream,
      'slipstream.outcome': outcome,
      'slipstream.duration_ms': overAtMs - sentAtMs,
      ...(status === null ? {} : { 'http.response.status_code': status }),
    };
    span.addEvent('attempt', attributes, at(sentAtMs));
  }
  if (firstContentAtMs !== null) span.addEvent('first_token', {}, at(firstContentAtMs));
  span.addEvent('end', { 'slipstream.end': end }, at(endedAtMs));
}
