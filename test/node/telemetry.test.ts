import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startTelemetry } from '../../src/node/telemetry.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { apiError, wholeStream } from '../support/claude-answers.ts';
import { asking, managed, useStage } from '../support/gateway-under-test.ts';

/** Traces, as a collector gets them: OTLP over HTTP in JSON. */

const start = useStage();

interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code: number };
  readonly events: readonly { readonly name: string; readonly timeUnixNano: string }[];
}

interface OtlpBody {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[];
}

async function startCollector() {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      bodies.push(text);
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const spans = (): OtlpSpan[] =>
    bodies
      .map((text) => JSON.parse(text) as OtlpBody)
      .flatMap(({ resourceSpans }) => resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap((scope) => scope.spans);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, spans };
}

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

afterEach(() => vi.unstubAllEnvs());

describe('without an endpoint', () => {
  it.each([
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_SDK_DISABLED: 'true' },
  ])('there is no telemetry: %o', async (environment) => {
    expect(await startTelemetry(environment, systemClock)).toBeNull();
  });
});

describe('with an endpoint', () => {
  it('each request is a span, a child of its caller’s, with what it cost and every step on its way', async () => {
    const collector = await startCollector();
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url); // the exporter reads the environment itself
    const telemetry = await startTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }, systemClock);
    const stage = await start({ settings: managed('', '', 1) });
    let calls = 0;
    stage.upstream.script = (call) => {
      if (calls++ === 0) return call.answer(529, apiError('overloaded_error'));
      call.sse();
      call.write(wholeStream({ input_tokens: 3, cache_read_input_tokens: 20, output_tokens: 1 }, 9));
      call.end();
    };
    const secret = 'a-word-of-the-prompt';
    const body = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 9, stream: true, messages: [{ role: 'user', content: secret }] }); // prettier-ignore
    await stage.ask(asking({ body, headers: { traceparent: TRACEPARENT } }));
    expect(stage.upstream.calls[1]?.headers['traceparent']).toBe(TRACEPARENT);
    const record = await stage.record(0);
    telemetry?.record(record);
    await telemetry?.close();

    const [span, ...others] = collector.spans();
    expect(others).toEqual([]);
    expect(span).toMatchObject({
      name: 'chat claude-sonnet-5',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
    });
    const attributes = Object.fromEntries(
      span?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]) ?? [],
    );
    expect(attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.request.model': 'claude-sonnet-5',
      'gen_ai.response.model': record.model,
      'gen_ai.usage.input_tokens': 23,
      'gen_ai.usage.output_tokens': 9,
      'http.response.status_code': 200,
      'slipstream.tenant': 'acme',
    });
    const since = (nanos = '0'): number => Number(BigInt(nanos) - BigInt(span?.startTimeUnixNano ?? 0)) / 1e6;
    const { receivedAtMs, waits, attempts, timings, endedAtMs } = record;
    const expected = [
      ['queue', waits[0]?.fromMs],
      ['queue', waits[1]?.fromMs], // the tenant's slot, and the upstream's
      ['attempt', attempts[0]?.sentAtMs],
      ['pause', waits[2]?.fromMs],
      ['queue', waits[3]?.fromMs],
      ['attempt', attempts[1]?.sentAtMs],
      ['first_token', timings.firstContentAtMs],
      ['end', endedAtMs],
    ] as const;
    expect(span?.events.map(({ name, timeUnixNano }) => ({ name, sinceMs: since(timeUnixNano) }))).toEqual(
      expected.map(([name, atMs]) => ({ name, sinceMs: expect.closeTo((atMs ?? 0) - receivedAtMs, 2) })),
    );
    expect(since(span?.endTimeUnixNano)).toBeCloseTo(endedAtMs - receivedAtMs, 2);
    expect(collector.bodies.join('')).not.toContain(secret);
  });

  const UNSET = 0;
  const ERROR = 2;
  it.each([
    [400, 'caller', UNSET],
    [500, 'upstream', ERROR],
  ])('an answer with %i is the %s’s fault, and its span’s status %i', async (status, fault, code) => {
    const collector = await startCollector();
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
    const telemetry = await startTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }, systemClock);
    const stage = await start();
    stage.upstream.script = (call) => call.answer(status, apiError('api_error'));
    await stage.ask(asking());
    telemetry?.record(await stage.record(0));
    await telemetry?.close();
    const [span] = collector.spans();
    expect(span?.status.code).toBe(code);
    expect(span?.attributes).toContainEqual({ key: 'slipstream.fault', value: { stringValue: fault } });
    expect(span?.attributes).toContainEqual({ key: 'error.type', value: { stringValue: `${status}` } });
  });
});
