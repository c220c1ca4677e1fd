import { describe, expect, it } from 'vitest';
import {
  apiError,
  BLOCK_START,
  event,
  message,
  messageStart,
  PING,
  streamHead,
  streamTail,
  wholeStream,
} from '../support/claude-answers.ts';
import { eventually } from '../support/eventually.ts';
import { asking, passThrough, UPSTREAM_KEY, useStage } from '../support/gateway-under-test.ts';
import { requestBytes, type RawResponse } from '../support/raw-client.ts';

/** What reaches the caller is what the upstream sent: status, headers, every byte, as soon as it is there. */

const start = useStage();

const UPSTREAM_HEADERS = {
  'request-id': 'req_011CSHoEeqs5C35K2UUqR7Fy',
  'retry-after': '17',
  'retry-after-ms': '16900',
  'x-should-retry': 'false',
  'anthropic-organization-id': '9f1c',
  'anthropic-workspace-id': 'wrkspc_1',
  'x-nobody-knows': 'v=1;  w="2"',
  'cf-ray': '8c0-FRA',
  'content-language': 'en',
};
const RATE_LIMITS = {
  'anthropic-ratelimit-requests-remaining': '99',
  'anthropic-ratelimit-input-tokens-reset': '2026-11-22T00:00:00Z',
  'anthropic-priority-output-tokens-remaining': '5',
  'anthropic-fast-input-tokens-remaining': '5',
};
const OWN = new Set(['x-slipstream-id', 'x-slipstream-cache', 'server-timing']);
const HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date']);

function passed({ headers }: RawResponse): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.has(name) && !HOP.has(name)));
}

describe('a head', () => {
  it.each([200, 400, 401, 403, 404, 409, 413, 429, 500, 529])('with status %i passes with its body', async (status) => {
    const stage = await start({ settings: passThrough() });
    const body = Buffer.from(` ${JSON.stringify(status === 200 ? message() : apiError('x_error', 'é\u2028'))}\n`);
    stage.upstream.script = (call) => call.answer(status, body, UPSTREAM_HEADERS);
    const response = await stage.ask(asking());
    expect(response).toMatchObject({ status, ending: 'whole' });
    expect(response.body.equals(body)).toBe(true);
    expect(passed(response)).toEqual({ ...UPSTREAM_HEADERS, 'content-type': 'application/json' });
  });

  it.each([401, 403])('with status %i about the gateway’s own key is a 502 that says nothing of it', async (status) => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(status, apiError('authentication_error', `bad key ${UPSTREAM_KEY}`));
    const response = await stage.ask(asking());
    expect(response).toMatchObject({ status: 502, ending: 'whole' });
    expect(response.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } });
    expect(response.text).not.toMatch(/bad key|upstream-key/);
  });

  it('gets nothing added but the three headers of the gateway', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    const names = Object.keys((await stage.ask(asking())).headers).filter((name) => !HOP.has(name));
    expect(new Set(names)).toEqual(new Set([...OWN, 'content-type']));
  });

  it('loses its rate limits in managed mode, where they describe a shared quota', async () => {
    const stage = await start();
    stage.upstream.script = (call) =>
      call.answer(429, apiError('rate_limit_error'), { ...RATE_LIMITS, 'retry-after': '3' });
    expect(passed(await stage.ask(asking()))).toEqual({ 'retry-after': '3', 'content-type': 'application/json' });
  });

  it("keeps its rate limits in pass-through mode, where they are the caller's own", async () => {
    const stage = await start({ settings: passThrough() });
    stage.upstream.script = (call) => call.answer(200, message(), RATE_LIMITS);
    expect(passed(await stage.ask(asking()))).toEqual({ ...RATE_LIMITS, 'content-type': 'application/json' });
  });

  it('loses what belongs to the hop and what would lead past the gateway', async () => {
    const stage = await start();
    const headers = { connection: 'keep-alive, x-hop', 'x-hop': '1', 'alt-svc': 'h3=":443"', 'x-stays': '1' };
    stage.upstream.script = (call) => call.answer(200, message(), headers);
    expect(passed(await stage.ask(asking()))).toEqual({ 'x-stays': '1', 'content-type': 'application/json' });
  });

  it('keeps lines that stand twice, and values in UTF-8 to the byte', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    const lines = ['set-cookie: a=1', 'set-cookie: b=2', 'x-note: Grüße 日本'];
    call.raw(Buffer.from(`HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\ncontent-length: 2\r\n\r\n{}`));
    const { headers, text } = await client.response();
    expect(text).toBe('{}');
    expect(headers['set-cookie']).toBe('a=1, b=2');
    expect(Buffer.from(headers['x-note'] ?? '', 'latin1').toString()).toBe('Grüße 日本');
    call.fin();
  });

  it('that comes behind an early one is the one that counts', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.early(103);
    call.answer(200, message(), { 'request-id': 'req_1' });
    const response = await client.response();
    expect(response).toMatchObject({ status: 200, ending: 'whole' });
    expect(response.headers['request-id']).toBe('req_1');
    expect(response.headers['link']).toBeUndefined();
  });
});

describe('an answer without a body', () => {
  it.each([
    ['HEAD', 200, { 'content-length': '20', 'request-id': 'req_1' }],
    ['HEAD', 404, { 'content-type': 'application/json', 'content-length': '20' }],
    ['HEAD', 200, { 'content-encoding': 'gzip', 'content-length': '20' }],
    ['DELETE', 204, { 'content-encoding': 'gzip' }],
    ['GET', 304, { etag: '"x"' }],
  ] as const)('to %s with status %i is whole, and its connection stays', async (method, status, headers) => {
    const stage = await start({ settings: passThrough() });
    stage.upstream.script = (call) => (call.head(status, headers), call.end());
    const client = await stage.connect();
    for (let turn = 0; turn < 2; turn++) {
      client.send(requestBytes(asking({ method, target: '/v1/files/x', body: '' })));
      const response = await client.response({ isHead: method === 'HEAD' });
      expect(response).toMatchObject({ status, ending: 'whole' });
      expect((await stage.record(turn)).end).toBe('complete');
    }
    expect(client.ending).toBe('open');
  });
});

const STREAMS: Readonly<Record<string, string>> = {
  'as the API sends it': wholeStream(),
  'with CRLF': wholeStream().replaceAll('\n', '\r\n'),
  'with CR': wholeStream().replaceAll('\n', '\r'),
  'with comments, pings and retry fields': `: hi\n\n${PING}retry: 5\n\n${wholeStream()}`,
  'without a space after the colon': wholeStream().replaceAll(': ', ':'),
  'without event lines': wholeStream().replaceAll(/event: .*\n/g, ''),
  'with events nobody knows':
    messageStart() + event('brand_new', { a: [1] }) + 'id: 7\nevent\ndata\n\n' + wholeStream(),
  'with a byte order mark': `\uFEFF${wholeStream()}`,
  'with data in several lines': wholeStream().replace('data: {"type":"ping"', 'data: {\ndata: "type":"ping"'),
  'with text beyond ASCII':
    streamHead() + event('content_block_delta', { delta: { text: 'é日本😀\u2028' } }) + streamTail(),
};

describe('a stream', () => {
  it.each(Object.entries(STREAMS))('%s passes byte for byte and is complete', async (_name, text) => {
    const stage = await start();
    stage.upstream.script = (call) => {
      call.sse();
      call.write(text);
      call.end();
    };
    const response = await stage.ask(asking());
    expect(response).toMatchObject({ text, ending: 'whole' });
    expect((await stage.record(0)).end).toBe('complete');
    expect((await stage.metrics()).sum('slipstream_output_tokens_total')).toBe(7);
  });

  it('in pieces of one byte passes byte for byte and is metered', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.sse();
    for (const byte of Buffer.from(wholeStream())) call.write(Buffer.of(byte));
    call.end();
    expect((await client.response()).text).toBe(wholeStream());
    expect((await stage.metrics()).sum('slipstream_output_tokens_total')).toBe(7);
  });

  it('passes each event before the next one exists, pings too, from its first content on', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.sse({ 'request-id': 'req_1' });
    call.write(messageStart() + PING);
    let sent = messageStart() + PING;
    for (const piece of [BLOCK_START, 'event: content_bl', 'ock_delta\n', PING.slice(0, -1), '\n', streamTail()]) {
      sent += piece;
      call.write(piece);
      expect((await client.head()).headers['request-id']).toBe('req_1');
      expect(await client.body(`what was sent arrives: ${piece}`, (text) => text === sent)).toBe(sent);
    }
    call.write('event: message_stop\ndata: {"type":"message_stop"}\n\n');
    call.end();
    expect((await client.response()).ending).toBe('whole');
  });
});

describe('a compressed answer', () => {
  it.each(['gzip', 'deflate', 'br', 'zstd'] as const)(
    'in %s arrives decoded, event by event, and is metered',
    async (encoding) => {
      const stage = await start();
      const { client, call } = await stage.open();
      call.sse({ 'content-encoding': encoding });
      call.compress(encoding);
      call.write(streamHead());
      await client.body('the first events arrive', (text) => text === streamHead());
      call.write(streamTail());
      call.end();
      const response = await client.response();
      expect(response).toMatchObject({ text: wholeStream(), ending: 'whole' });
      expect(response.headers['content-encoding']).toBeUndefined();
      expect((await stage.metrics()).sum('slipstream_output_tokens_total')).toBe(7);
    },
  );

  it('in JSON arrives decoded, without the length of what it was', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.head(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    call.compress('gzip');
    call.write(JSON.stringify(message()));
    call.end();
    expect((await client.response()).json()).toEqual(message());
    await eventually(
      'it is metered',
      2_000,
      async () => (await stage.metrics()).sum('slipstream_output_tokens_total') === 7,
    );
  });

  it('in an encoding that nobody here reads passes as it is', async () => {
    const stage = await start();
    stage.upstream.script = (call) =>
      call.answer(200, 'compressed by a method of 2040', { 'content-encoding': 'later' });
    const response = await stage.ask(asking());
    expect(response.text).toBe('compressed by a method of 2040');
    expect(response.headers['content-encoding']).toBe('later');
  });
});
