import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Attributes, type Context } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Clock } from '../core/clock.ts';
import type { AttemptNote } from '../core/exchange.ts';
import { totalInput } from '../core/usage.ts';
import { faultOf } from '../pipeline/record-line.ts';
import type { ExchangeRecord } from '../pipeline/exchange-record.ts';
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
          startTime: record.receivedAtMs + toWallMs, // not a Date: it has no fractions of a millisecond
          attributes: withoutNulls({ ...requestAttributes(record), ...usageAttributes(record) }),
        },
        parentOf(record.traceparent),
      );
      for (const { name, atMs, attributes } of stepsOf(record)) span.addEvent(name, attributes, atMs + toWallMs);
      const fault = faultOf(record);
      // Semantic conventions, HTTP: a mistake of the caller is no error of a server's span.
      if (fault && fault !== 'caller')
        span.setStatus({ code: SpanStatusCode.ERROR, message: record.refusal ?? record.end });
      span.end(record.endedAtMs + toWallMs);
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

function nameOf({ operation, requestedModel }: ExchangeRecord): string {
  return requestedModel === null ? OPERATIONS[operation] : `${OPERATIONS[operation]} ${requestedModel}`;
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
    'gen_ai.request.model': record.requestedModel,
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

function usageAttributes({ usage, cost, model }: ExchangeRecord): Record<string, string | number | null> {
  if (!usage) return {};
  return {
    'gen_ai.response.model': model,
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

interface Step {
  readonly name: string;
  readonly atMs: number;
  readonly attributes: Attributes;
}

/** What it went through, by the time at which each step began. */
function stepsOf({ timings, attempts, waits, endedAtMs, end }: ExchangeRecord): Step[] {
  const { firstContentAtMs } = timings;
  const steps = [
    ...waits.map(({ kind, fromMs, untilMs }): Step => {
      return { name: kind, atMs: fromMs, attributes: { 'slipstream.wait_ms': (untilMs ?? endedAtMs) - fromMs } };
    }),
    ...attempts.map(attemptStep),
    ...(firstContentAtMs === null ? [] : [{ name: 'first_token', atMs: firstContentAtMs, attributes: {} }]),
  ];
  return [
    ...steps.toSorted((one, other) => one.atMs - other.atMs),
    { name: 'end', atMs: endedAtMs, attributes: { 'slipstream.end': end } },
  ];
}

function attemptStep({ upstream, outcome, status, sentAtMs, endedAtMs }: AttemptNote): Step {
  const attributes = {
    'slipstream.upstream': upstream,
    'slipstream.outcome': outcome,
    'slipstream.duration_ms': endedAtMs - sentAtMs,
    ...(status === null ? {} : { 'http.response.status_code': status }),
  };
  return { name: 'attempt', atMs: sentAtMs, attributes };
}
