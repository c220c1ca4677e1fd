import { beforeEach, describe, expect, it } from 'vitest';
import { entryOf, ERRORS, type ErrorCode } from '../../src/core/errors.ts';
import { createOpenExchanges, type OpenExchanges } from '../../src/http/open-exchanges.ts';
import { eventually } from '../support/eventually.ts';
import { STATUS_CLIENT_CLOSED } from '../../src/pipeline/with-metering.ts';
import { createAppUnderTest, type AppUnderTest } from './app-under-test.ts';

const KEY = { 'x-api-key': 'sk-known', 'content-type': 'application/json' };

let app: AppUnderTest;
beforeEach(() => {
  app = createAppUnderTest();
});

/** A refusal has Anthropic's shape, its catalogue's status, an id and a word about asking again. */
async function expectRefusal(response: Response, code: ErrorCode): Promise<string> {
  const { status, type, retry } = entryOf({ code });
  const id = response.headers.get('x-slipstream-id');
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('x-should-retry')).toBe(String(retry));
  expect(id).toMatch(/^slip_[0-9a-f]{32}$/);
  const body = (await response.json()) as { error: { message: string } };
  expect(body).toMatchObject({ type: 'error', error: { type }, request_id: id });
  expect(body.error.message).toContain(ERRORS[code].message);
  expect(app.served.length).toBe(0);
  return body.error.message;
}

describe('the gateway’s own paths', () => {
  it.each(['GET', 'HEAD'])('%s / and /api/hello answer without a credential', async (method) => {
    for (const path of ['/', '/api/hello']) {
      const response = await app.request(path, { method });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(method === 'GET' ? 'slipstream\n' : '');
    }
  });

  it('/healthz is alive and /readyz ready, until the process drains: then it is alive only', async () => {
    const openExchanges = createOpenExchanges();
    app = createAppUnderTest({ openExchanges });
    const statuses = async () => [(await app.request('/healthz')).status, (await app.request('/readyz')).status];
    expect(await statuses()).toEqual([200, 200]);
    openExchanges.startDraining();
    expect(await statuses()).toEqual([200, 503]);
  });

  it('/metrics is the page for what the scraper accepts', async () => {
    app = createAppUnderTest({
      metricsPage: async (accept) => ({
        parts: ['for ', accept].map((text) => Buffer.from(text)),
        contentType: 'text/x',
      }),
    });
    const response = await app.request('/metrics', { headers: { accept: 'application/openmetrics-text' } });
    expect(await response.text()).toBe('for application/openmetrics-text');
    expect(response.headers.get('content-type')).toBe('text/x');
  });
});

describe('routes', () => {
  it('are all such that Hono’s fast router takes them', async () => {
    await app.request('/healthz');
    expect(app.router()).toBe('SmartRouter + RegExpRouter');
  });

  it.each([
    ['POST', '/v1/messages', 'messages'],
    ['POST', '/v1/messages?beta=true', 'messages'],
    ['POST', '/v1/messages/count_tokens?a=1&a=2', 'count_tokens'],
    ['GET', '/v1/models?limit=1000', 'models'],
    ['GET', '/v1/models/claude-opus-5', 'models'],
  ])('%s %s is forwarded as %s, path and query as written', async (method, target, operation) => {
    const body = method === 'POST' ? '{"model":"claude-opus-5"}' : null;
    const response = await app.request(target, { method, body, headers: KEY });
    expect([response.status, await response.text()]).toEqual([200, '{}']);
    expect(app.served).toMatchObject([{ request: { method, target, operation } }]);
  });

  it.each([
    ['GET', '/v1/messages', 'POST'],
    ['DELETE', '/v1/messages/count_tokens', 'POST'],
    ['POST', '/v1/models', 'GET'],
    ['PUT', '/v1/models/claude-opus-5', 'GET'],
  ])('%s %s is refused, and %s offered', async (method, path, allow) => {
    const response = await app.request(path, { method, headers: KEY });
    expect(response.headers.get('allow')).toBe(allow);
    await expectRefusal(response, 'method_not_allowed');
  });

  it.each([
    ['GET', '/nowhere'],
    ['POST', '/'],
    ['POST', '/v2/messages'],
    ['GET', '/v1/organizations/me'],
    ['POST', '/v1/messages/batches/b/elsewhere'],
    ['DELETE', '/v1/files/file_1/content/more'],
    ['POST', '/v1/skills'],
    ['POST', '/v1/messages/'],
    ['GET', '/v1/models/..%2Ffiles'],
  ])('%s %s is not found in managed mode', async (method, path) => {
    await expectRefusal(await app.request(path, { method, headers: KEY }), 'path_not_found');
  });

  it('everything under /v1/ is forwarded unread in pass-through mode, nothing beside it', async () => {
    app = createAppUnderTest({ mode: () => 'pass-through' });
    const upload = { method: 'POST', body: 'any bytes', headers: { ...KEY, 'content-type': 'multipart/form-data' } };
    expect((await app.request('/v1/skills?x=%2F', upload)).status).toBe(200);
    const { request } = app.served[0] ?? {};
    expect(request).toMatchObject({ operation: 'other', method: 'POST', target: '/v1/skills?x=%2F', model: null });
    expect(await new Response(request?.body as ReadableStream<Uint8Array>).text()).toBe('any bytes');
    expect((await app.request('/v2/skills', upload)).status).toBe(404);
  });
});

describe('a request that is let in', () => {
  it('carries the caller’s bytes, headers and model, and the tenant', async () => {
    const body = '{ "model" : "claude-opus-5", "max_tokens": 1.0 }';
    const response = await app.post(body, { 'anthropic-beta': 'a,b' });
    expect(response.status).toBe(200);
    const { request, context } = app.served[0] ?? {};
    expect(new TextDecoder().decode(request?.body as Uint8Array)).toBe(body);
    expect(request?.headers).toMatchObject({ 'anthropic-beta': 'a,b', 'x-api-key': 'sk-known' });
    expect(request?.model).toBe('claude-opus-5');
    expect(request?.id).toMatch(/^slip_[0-9a-f]{32}$/);
    expect(context?.tenant.id).toBe('acme');
  });

  it.each(['application/json', 'Application/JSON; charset=utf-8', 'application/vnd.api+json', ''])(
    'may have the content type %j',
    async (type) => {
      expect((await app.post('{}', { 'content-type': type })).status).toBe(200);
    },
  );

  it('may be compressed: it is relayed as it is, its model unknown', async () => {
    expect((await app.post('\u0000not JSON', { 'content-encoding': 'gzip' })).status).toBe(200);
    expect(app.served[0]?.request.model).toBeNull();
  });

  it('is received when its last byte is, so that uploading does not count as our time', async () => {
    const upload = new TransformStream<Uint8Array, Uint8Array>();
    const writer = upload.writable.getWriter();
    const response = app.post(upload.readable);
    await app.clock.advance(4_000);
    void writer.write(new TextEncoder().encode('{}'));
    void writer.close();
    await response;
    expect(app.served[0]?.request.receivedAtMs).toBe(4_000);
    expect(app.clock.pending).toBe(0);
  });
});

describe('a refusal before any slot', () => {
  it.each<[ErrorCode, string, BodyInit, Record<string, string>]>([
    ['credential_unknown', 'a key nobody has', '{}', { 'x-api-key': 'sk-other' }],
    ['media_type_unsupported', 'a form', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['body_not_json', 'text', 'hello', {}],
    ['body_not_json', 'a body cut short', '{"model":"claude', {}],
    ['body_not_json', 'nothing', '', {}],
    ['body_not_object', 'a list', '[]', {}],
    ['stream_not_boolean', 'stream as text', '{"stream":"yes"}', {}],
    ['body_not_utf8', 'Latin-1', Uint8Array.of(0x22, 0xe9, 0x22), {}],
    ['body_too_large', 'too much', `{"a":"${'x'.repeat(1_000)}"}`, {}],
    ['body_too_large', 'too much by its own word', '{}', { 'content-length': '1001' }],
  ])('%s answers %s', async (code, _what, body, headers) => {
    await expectRefusal(await app.post(body, headers), code);
    const tenant = code === 'credential_unknown' ? 'unknown' : 'acme';
    expectCountedOnce(tenant, ERRORS[code].status, ERRORS[code].fault);
  });

  it('names the limit where the body is too large, and closes the connection', async () => {
    const response = await app.post('x'.repeat(1_001));
    expect(response.headers.get('connection')).toBe('close');
    expect(await expectRefusal(response, 'body_too_large')).toContain('1000 bytes');
  });

  it('counts the bytes of a body that announced no length', async () => {
    const pieces = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(300)), // endless
    });
    await expectRefusal(await app.post(pieces), 'body_too_large');
  });

  it('gives up a body that stands still', async () => {
    const response = app.post(new ReadableStream<Uint8Array>());
    await app.clock.advance(9_999);
    expect(app.clock.pending).toBe(1);
    await app.clock.advance(1);
    await expectRefusal(await response, 'request_stalled');
    expect(app.clock.pending).toBe(0);
  });

  it('counts a caller that left mid-upload as 499', async () => {
    const upload = new ReadableStream<Uint8Array>({
      start: (controller) => controller.error(new Error('gone')),
    });
    expect((await app.post(upload)).status).toBe(499);
    expectCountedOnce('acme', STATUS_CLIENT_CLOSED, 'caller');
  });

  function expectCountedOnce(tenant: string, status: number, fault: string): void {
    const labels = `tenant="${tenant}",model="other",operation="messages"`;
    expect(app.metrics.values).toEqual({
      [`slipstream_requests_total{${labels},status="${status}"}`]: 1,
      [`slipstream_errors_total{${labels},fault="${fault}"}`]: 1,
    });
  }
});

describe('a process that drains', () => {
  let openExchanges: OpenExchanges;
  let stopped: unknown[];
  beforeEach(() => {
    openExchanges = createOpenExchanges();
    stopped = [];
  });

  /** Every exchange lasts until it is stopped. */
  function untilStopped(): void {
    app = createAppUnderTest({
      openExchanges,
      service: async (_request, { signal }) => {
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        stopped.push(signal.reason);
        return { kind: 'abandoned' };
      },
    });
  }

  it('still serves what arrives', async () => {
    app = createAppUnderTest({ openExchanges });
    openExchanges.startDraining();
    expect((await app.post('{}')).status).toBe(200);
  });

  it('counts an exchange from its service to its end, and no request that was refused before', async () => {
    untilStopped();
    const served = app.post('{}');
    await app.clock.advance(0);
    expect(openExchanges.count).toBe(1);
    await app.post('not JSON');
    await app.request('/healthz');
    expect(openExchanges.count).toBe(1);
    expect(openExchanges.stopAll()).toBe(1);
    await served;
    expect([openExchanges.count, stopped]).toEqual([0, ['draining']]);
  });

  it('stops what still arrives when its time is up', async () => {
    untilStopped();
    openExchanges.stopAll();
    await app.post('{}');
    await app.request('/v1/models', { headers: KEY });
    expect([openExchanges.count, stopped]).toEqual([0, ['draining', 'draining']]);
  });

  it('forgets an exchange that ended in a bug', async () => {
    app = createAppUnderTest({ openExchanges, service: () => Promise.reject(new Error('a bug')) });
    await app.post('{}');
    expect(openExchanges.count).toBe(0);
  });
});

describe('an outcome that sent nothing', () => {
  it('is rendered as the refusal it is, with the id of its request', async () => {
    app = createAppUnderTest({
      service: async () => ({ kind: 'refused', refusal: { code: 'queue_full', retryAfterSeconds: 7 } }),
    });
    const response = await app.post('{}');
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('x-slipstream-id')).toBe(app.served[0]?.request.id);
  });

  it('says that asking again is of no use where all has been tried', async () => {
    app = createAppUnderTest({
      service: async () => ({ kind: 'refused', refusal: { code: 'upstream_broken', isFinal: true } }),
    });
    expect((await app.post('{}')).headers.get('x-should-retry')).toBe('false');
  });

  it('is an empty 499 where the caller left', async () => {
    app = createAppUnderTest({ service: async () => ({ kind: 'abandoned' }) });
    const response = await app.post('{}');
    expect([response.status, await response.text()]).toEqual([499, '']);
  });
});

it('an exchange begins with nothing sent, nobody chosen and nothing failed', async () => {
  await app.post('{}');
  expect(app.served[0]?.context).toMatchObject({
    routed: null,
    attempt: { failedAt: new Set(), retryOf: null },
    expectedInputTokens: null,
    timings: { firstSentAtMs: null, overheadMs: null, queueMs: null, holdMs: 0 },
    notes: { cache: null, attempts: [], waits: [], calls: 0, upstream: null, answer: null },
  });
});

describe('a bug in the service', () => {
  it('before the answer is a 500 that is reported under the id the caller sees', async () => {
    app = createAppUnderTest({ service: () => Promise.reject(new Error('a bug')) });
    const response = await app.post('{}');
    const id = response.headers.get('x-slipstream-id');
    expect([response.status, id]).toEqual([500, app.served[0]?.request.id]);
    expect(app.internalErrors).toEqual([{ error: new Error('a bug'), requestId: id }]);
    expect(await response.text()).not.toContain('a bug');
  });

  it('after the head cuts the answer: it does not hang and does not look whole', async () => {
    app = createAppUnderTest({
      service: async (_request, { reply }) => {
        reply.open({ status: 200, headers: {} });
        reply.write(new TextEncoder().encode('half'));
        await app.clock.advance(0);
        throw new Error('a bug');
      },
    });
    const response = await app.post('{}');
    const text = response.text();
    text.catch(() => {}); // expected below
    await eventually('the answer ends', 2_000, async () => {
      await app.clock.advance(1);
      return app.internalErrors.length === 1 && app.clock.pending === 0;
    });
    await expect(text).rejects.toThrow('broke off');
    expect(app.internalErrors.length).toBe(1);
  });

  it('outside the service is a 500 too', async () => {
    app = createAppUnderTest({ metricsPage: () => Promise.reject(new Error('a bug')) });
    expect((await app.request('/metrics')).status).toBe(500);
    expect(app.internalErrors.length).toBe(1);
  });
});

describe('the bytes of a request', () => {
  it('are given up when the content of its answer begins: answers last minutes', async () => {
    const held: unknown[] = [];
    const app = createAppUnderTest({
      service: async (request, context) => {
        held.push(request.body instanceof Uint8Array);
        context.onContent(null);
        held.push(request.body);
        return { kind: 'refused', refusal: { code: 'upstream_broken' } };
      },
    });
    await app.post('{"model":"claude-sonnet-5","messages":[]}');
    expect(held).toEqual([true, null]);
  });
});
