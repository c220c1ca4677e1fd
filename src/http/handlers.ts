import type { Context as HonoContext } from 'hono';
import type { Clock } from '../core/clock.ts';
import { entryOf, type ErrorEntry, type Refusal } from '../core/errors.ts';
import {
  newNotes,
  newTimings,
  NO_WATCH,
  releaseBody,
  type GatewayRequest,
  type Operation,
  type Outcome,
  type Reply,
} from '../core/exchange.ts';
import { contentEncoding, headerValue, type HeaderMap } from '../core/headers.ts';
import type { ObjectCall } from '../core/owned-objects.ts';
import type { ScannedPrompt } from '../core/scanned-prompt.ts';
import type { Tenant } from '../core/tenant.ts';
import type { TenantLabels } from '../metrics/labels.ts';
import type { Metrics, MetricsText } from '../metrics/metrics.ts';
import { FIRST_ATTEMPT, type Context, type Service } from '../pipeline/service.ts';
import type { EngineHealth } from '../state/engine.ts';
import type { ReadRequest } from '../prompt/scan/read-request.ts';
import { STATUS_CLIENT_CLOSED } from '../pipeline/with-metering.ts';
import type { ConsoleOptions } from './console.ts';
import type { BodyResult, ExchangeOf, HttpExchange } from './exchange.ts';
import type { OpenExchanges } from './open-exchanges.ts';
import type { OperatorToken } from './operator-token.ts';
import { newRequestId, renderRefusal } from './refusals.ts';
import type { Identified } from './tenants.ts';

/** What the HTTP edge needs of the rest. Functions, where a reload may change the answer. */
export interface AppOptions {
  readonly clock: Clock;
  readonly service: Service;
  readonly exchangeOf: ExchangeOf;
  readonly identify: (headers: HeaderMap) => Identified;
  readonly mode: () => 'pass-through' | 'managed';
  /** Where callers reach the gateway, without `/v1`; null: as each request says. */
  readonly publicUrl: () => string | null;
  readonly limits: () => { readonly bodyBytes: number; readonly headersTimeoutMs: number };
  readonly openExchanges: OpenExchanges;
  readonly metrics: Metrics;
  readonly tenantLabels: TenantLabels;
  /** What opens /metrics; it is open where there is none. */
  readonly metricsToken: OperatorToken;
  readonly metricsPage: (accept: string) => Promise<Pick<MetricsText, 'parts' | 'contentType'>>;
  readonly health: () => EngineHealth;
  readonly readRequest: ReadRequest;
  readonly console: ConsoleOptions;
  /** A bug, not a refusal: the caller is told `internal` with this id. */
  readonly onInternalError: (error: unknown, requestId: string) => void;
}

export interface Handlers {
  forwardMessages(c: HonoContext, operation: 'messages' | 'count_tokens'): Promise<Response>;
  /** Forwards a request whose body the gateway does not read. */
  forwardUnread(c: HonoContext, operation: Operation, object?: ObjectCall): Promise<Response>;
  refuse(c: HonoContext, refusal: Refusal): Response;
  newId(): string;
}

/** The way from an HTTP request to a GatewayRequest. Everything that can be refused before a slot is refused here. */
export function createHandlers(options: AppOptions): Handlers {
  /** What ends here never reaches the pipeline, which counts the rest. */
  const countEarlyEnd = (
    { status, fault }: Pick<ErrorEntry, 'status' | 'fault'>,
    operation: Operation,
    tenant: Tenant | null,
  ): void => {
    const labels = { tenant: tenant ? options.tenantLabels.of(tenant.id) : 'unknown', model: 'other', operation };
    options.metrics.count('slipstream_requests_total', { ...labels, status: String(status) });
    options.metrics.count('slipstream_errors_total', { ...labels, fault });
  };

  const refused = (refusal: Refusal, id: string, operation: Operation, tenant: Tenant | null): Response => {
    countEarlyEnd(entryOf(refusal), operation, tenant);
    return renderRefusal(refusal, id);
  };

  const abandoned = (id: string, operation: Operation, tenant: Tenant): Response => {
    countEarlyEnd({ status: STATUS_CLIENT_CLOSED, fault: 'caller' }, operation, tenant);
    return renderOutcome({ kind: 'abandoned' }, id);
  };

  const run = async (exchange: HttpExchange, tenant: Tenant, request: GatewayRequest): Promise<Response> => {
    const { clock, service } = options;
    const responded = await exchange.respond(async (reply) => {
      const close = options.openExchanges.add(exchange);
      try {
        return await service(request, newContext(exchange, tenant, request, clock, reply));
      } catch (error) {
        options.onInternalError(error, request.id);
        if (reply.isOpen) await reply.cut();
        return { kind: 'refused', refusal: { code: 'internal' } };
      } finally {
        close();
      }
    });
    return responded.kind === 'sent' ? responded.response : renderOutcome(responded.outcome, request.id);
  };

  return {
    newId: newRequestId,
    refuse: (_c, refusal) => refused(refusal, newRequestId(), 'other', null),

    async forwardMessages(c, operation) {
      const id = newRequestId();
      const exchange = options.exchangeOf(c);
      const identified = identify(c, exchange, options);
      if (identified.kind === 'refused') return refused(identified.refusal, id, operation, null);
      const { tenant } = identified;
      const mediaType = mediaTypeRefusal(exchange.headers);
      if (mediaType) return refused(mediaType, id, operation, tenant);
      const { bodyBytes, headersTimeoutMs } = options.limits();
      const body = await exchange.readBody({ maxBytes: bodyBytes, stallMs: headersTimeoutMs });
      const receivedAtMs = options.clock.nowMs();
      if (body.kind === 'gone') return abandoned(id, operation, tenant);
      if (body.kind !== 'read') return refused(bodyRefusal(body, bodyBytes), id, operation, tenant);
      const isReadable = contentEncoding(exchange.headers) === null;
      const read = isReadable ? options.readRequest(tenant.id, body.bytes) : NOT_READ;
      if (read.kind === 'invalid') return refused(read, id, operation, tenant);
      const { method, target, headers } = exchange;
      const { model, prompt } = read;
      const request = { id, operation, method, target, headers, body: body.bytes, model, prompt, receivedAtMs };
      return run(exchange, tenant, request);
    },

    async forwardUnread(c, operation, object) {
      const id = newRequestId();
      const exchange = options.exchangeOf(c);
      const identified = identify(c, exchange, options);
      if (identified.kind === 'refused') return refused(identified.refusal, id, operation, null);
      const { method, target, headers } = exchange;
      const body = exchange.bodyStream();
      const receivedAtMs = options.clock.nowMs();
      const read = { model: null, prompt: null, ...(object && { object }) };
      return run(exchange, identified.tenant, { id, operation, method, target, headers, body, ...read, receivedAtMs });
    },
  };
}

/**
 * Routes are matched on a path that the runtime has resolved or decoded, upstream gets the one the caller wrote. With the
 * operator's key the two must be the same: dots in either must not lead past the routes.
 */
function identify(c: HonoContext, { headers, target }: HttpExchange, options: AppOptions): Identified {
  const identified = options.identify(headers);
  const isAsRouted = target.split('?', 1)[0] === c.req.path;
  if (identified.kind === 'refused' || isAsRouted || options.mode() === 'pass-through') return identified;
  return { kind: 'refused', refusal: { code: 'path_not_found' } };
}

/** A compressed body is relayed as it is: nobody here can read it. */
const NOT_READ: { kind: 'scanned'; model: null; prompt: ScannedPrompt | null } = {
  kind: 'scanned',
  model: null,
  prompt: null,
};

function renderOutcome(outcome: Outcome, id: string): Response {
  if (outcome.kind === 'refused') return renderRefusal(outcome.refusal, id);
  return new Response(null, { status: STATUS_CLIENT_CLOSED }); // nobody is there to read it
}

function bodyRefusal(body: Exclude<BodyResult, { kind: 'read' | 'gone' }>, maxBytes: number): Refusal {
  if (body.kind === 'too_large') return { code: 'body_too_large', detail: `The limit is ${maxBytes} bytes.` };
  return { code: 'request_stalled' };
}

/** A missing type is carried: what is in the body decides. */
function mediaTypeRefusal(headers: HeaderMap): Refusal | null {
  const type = headerValue(headers, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === undefined || type === '' || type === 'application/json' || type.endsWith('+json')) return null;
  return { code: 'media_type_unsupported' };
}

function newContext(
  exchange: HttpExchange,
  tenant: Tenant,
  request: GatewayRequest,
  clock: Clock,
  reply: Reply,
): Context {
  return {
    tenant,
    clock,
    reply,
    signal: exchange.signal,
    stop: exchange.stop,
    timings: newTimings(),
    routed: null,
    attempt: FIRST_ATTEMPT,
    expectedInputTokens: null,
    onHead: () => {},
    onContent: () => releaseBody(request),
    watch: NO_WATCH,
    notes: newNotes(),
  };
}
