import { isUtf8 } from 'node:buffer';
import { createApp } from '../../src/http/app.ts';
import { createFetchExchange } from '../../src/http/fetch-exchange.ts';
import { createOpenExchanges } from '../../src/http/open-exchanges.ts';
import type { AppOptions } from '../../src/http/handlers.ts';
import { createTenantLabels } from '../../src/metrics/labels.ts';
import type { GatewayRequest } from '../../src/core/exchange.ts';
import { createRequestReader } from '../../src/prompt/scan/read-request.ts';
import type { Context, Service } from '../../src/pipeline/service.ts';
import { createRecordedMetrics, tenantOf, type RecordedMetrics } from '../pipeline/scripted.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { consoleOf } from './console-under-test.ts';

/** The app on the Fetch exchange, with a service that the test writes. No socket is opened. */
export interface AppUnderTest {
  readonly clock: FakeClock;
  readonly metrics: RecordedMetrics;
  /** What reached the service. */
  readonly served: readonly { readonly request: GatewayRequest; readonly context: Context }[];
  readonly internalErrors: readonly { readonly error: unknown; readonly requestId: string }[];
  /** Hono's choice, made with the first request. */
  readonly router: () => string;
  request(path: string, init?: RequestInit): Promise<Response>;
  /** POST with a key and a JSON body, as an SDK would. */
  post(body: BodyInit, headers?: Record<string, string>, path?: string): Promise<Response>;
}

const answerOk: Service = async (_request, { reply }) => {
  reply.open({ status: 200, headers: { 'content-type': 'application/json' } });
  reply.write(new TextEncoder().encode('{}'));
  await reply.end();
  return { kind: 'answered', status: 200, isStream: false, end: 'complete', usage: null, model: null, failure: null };
};

export function createAppUnderTest(part: Partial<AppOptions> = {}): AppUnderTest {
  const clock = createFakeClock();
  const metrics = createRecordedMetrics();
  const served: { request: GatewayRequest; context: Context }[] = [];
  const internalErrors: { error: unknown; requestId: string }[] = [];
  const { service = answerOk, ...options } = part;
  const app = createApp({
    clock,
    exchangeOf: createFetchExchange(clock),
    identify: (headers) =>
      headers['x-api-key'] === 'sk-known'
        ? { kind: 'tenant', tenant: tenantOf() }
        : { kind: 'refused', refusal: { code: 'credential_unknown' } },
    mode: () => 'managed',
    publicUrl: () => null,
    limits: () => ({ bodyBytes: 1_000, headersTimeoutMs: 10_000 }),
    openExchanges: createOpenExchanges(),
    health: () => ({ kind: 'ok' }),
    metrics,
    tenantLabels: createTenantLabels(),
    metricsToken: { digest: () => null, sha256Hex: () => '' },
    metricsPage: async () => ({ parts: [], contentType: 'text/plain' }),
    readRequest: createRequestReader(isUtf8, null),
    console: consoleOf(),
    onInternalError: (error, requestId) => internalErrors.push({ error, requestId }),
    ...options,
    service: (request, context) => {
      served.push({ request, context });
      return service(request, context);
    },
  });
  const request = async (path: string, init: RequestInit = {}): Promise<Response> => app.request(path, init);
  return {
    clock,
    metrics,
    served,
    internalErrors,
    router: () => app.router.name,
    request,
    post: (body, headers = {}, path = '/v1/messages') =>
      request(path, {
        method: 'POST',
        body,
        headers: { 'x-api-key': 'sk-known', 'content-type': 'application/json', ...headers },
        duplex: 'half',
      } as RequestInit),
  };
}
