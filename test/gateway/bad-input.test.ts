import { describe, expect, it } from 'vitest';
import { message, streamHead } from '../support/claude-answers.ts';
import { eventually } from '../support/eventually.ts';
import { asking, managed, passThrough, STREAM_BODY, useStage, type Stage } from '../support/gateway-under-test.ts';
import { requestBytes, type RawClient, type RawResponse, type RequestParts } from '../support/raw-client.ts';

/** What no upstream could answer is refused here, in Anthropic's shape, before any upstream call and any slot. */

const start = useStage();

function expectRefusal(response: RawResponse, status: number, type: string): void {
  expect(response.status).toBe(status);
  expect(response.ending).toBe('whole');
  expect(response.headers['content-type']).toBe('application/json');
  const id = response.headers['x-slipstream-id'];
  expect(id).toMatch(/^slip_[0-9a-f]{32}$/);
  expect(response.json()).toEqual({ type: 'error', error: { type, message: expect.any(String) }, request_id: id });
}

async function expectGoodRequest(stage: Stage, client: RawClient): Promise<void> {
  const index = stage.upstream.calls.length;
  client.send(requestBytes(asking()));
  (await stage.upstream.call(index)).answer(200, message());
  expect((await client.response()).json()).toEqual(message());
}

interface Refused {
  readonly parts: RequestParts;
  readonly status: number;
  readonly type: string;
}

const bad = (parts: RequestParts, status = 400, type = 'invalid_request_error'): Refused => ({ parts, status, type });
const badBody = (body: string | Buffer): Refused => bad(asking({ body }));

const REFUSED: Readonly<Record<string, Refused>> = {
  'no key': bad({ body: STREAM_BODY }, 401, 'authentication_error'),
  'an empty key': bad(asking({ headers: { 'x-api-key': ' ' } }), 401, 'authentication_error'),
  'a wrong key': bad(asking({}, 'gateway-key-of-acmf'), 401, 'authentication_error'),
  'a wrong Bearer': bad(
    asking({ headers: { 'x-api-key': '', authorization: 'Bearer x' } }),
    401,
    'authentication_error',
  ),
  'a scheme that is not Bearer': bad(
    asking({ headers: { 'x-api-key': '', authorization: 'Basic eDp5' } }),
    401,
    'authentication_error',
  ),
  'the upstream key': bad(asking({}, 'upstream-key-of-main'), 401, 'authentication_error'),
  'no body': badBody(''),
  'white space for a body': badBody(' \n\t '),
  'text for a body': badBody('model=claude'),
  'JSON that ends early': badBody('{"model":"claude-sonnet-5","messages":['),
  'JSON with something behind it': badBody('{"model":"claude-sonnet-5"}{}'),
  'JSON with a trailing comma': badBody('{"model":"claude-sonnet-5",}'),
  'a bare control character in a string': badBody('{"model":"a\nb"}'),
  'a word that JSON does not have': badBody('{"temperature":NaN}'),
  'an array': badBody('[{"model":"claude-sonnet-5"}]'),
  'a string': badBody('"{}"'),
  null: badBody('null'),
  'a stream that is a word': badBody('{"stream":"true"}'),
  'a stream that is a number': badBody('{"stream":1}'),
  'a stream that is null': badBody('{"stream":null}'),
  'bytes that are not UTF-8': badBody(Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d])),
  'an encoded lone surrogate': badBody(Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d])),
  'UTF-16': badBody(Buffer.from('\uFEFF{"model":"a"}', 'utf16le')),
  'GET on the messages': bad(asking({ method: 'GET', body: '' }), 405),
  'DELETE on a model': bad(asking({ method: 'DELETE', target: '/v1/models/claude-sonnet-5', body: '' }), 405),
  'a form': bad(asking({ headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 415),
  'plain text': bad(asking({ headers: { 'content-type': 'text/plain;charset=UTF-8' } }), 415),
  'an unknown path': bad(asking({ target: '/v2/messages' }), 404, 'not_found_error'),
  'a path beside the messages': bad(asking({ target: '/v1/messages/' }), 404, 'not_found_error'),
  'a path of the operator in managed mode': bad(
    asking({ method: 'GET', target: '/v1/organizations/me', body: '' }),
    404,
    'not_found_error',
  ),
};

describe('a request with', () => {
  it.each(Object.entries(REFUSED))('%s is refused, and the next on its connection answered', async (_name, refused) => {
    const stage = await start();
    const client = await stage.connect();
    client.send(requestBytes(refused.parts));
    const response = await client.response();
    expectRefusal(response, refused.status, refused.type);
    expect(response.headers['x-should-retry']).toBe('false');
    expect(stage.upstream.calls).toHaveLength(0);
    await expectGoodRequest(stage, client);
  });

  it('a wrong method is told which ones there are', async () => {
    const stage = await start();
    const allowed = async (method: string, target: string): Promise<string | undefined> =>
      (await stage.ask(asking({ method, target, body: '' }))).headers['allow'];
    expect(await allowed('PUT', '/v1/messages')).toBe('POST');
    expect(await allowed('GET', '/v1/messages/count_tokens')).toBe('POST');
    expect(await allowed('POST', '/v1/models')).toBe('GET');
  });

  it('a bad body on count_tokens is refused in the same way', async () => {
    const stage = await start();
    const response = await stage.ask(asking({ target: '/v1/messages/count_tokens', body: '[' }));
    expectRefusal(response, 400, 'invalid_request_error');
  });

  it('no key is refused in pass-through mode too, where there is none to forward', async () => {
    const stage = await start({ settings: passThrough() });
    expectRefusal(await stage.ask({ body: STREAM_BODY }), 401, 'authentication_error');
  });

  it.each([['application/json; charset=utf-8'], ['APPLICATION/JSON'], ['application/vnd.api+json'], ['text/json']])(
    'the type %s is taken or refused by its type alone',
    async (type) => {
      const stage = await start();
      stage.upstream.script = (call) => call.answer(200, message());
      const response = await stage.ask(asking({ headers: { 'content-type': type } }));
      expect(response.status).toBe(type === 'text/json' ? 415 : 200);
    },
  );
});

const TOO_LARGE_BYTES = 33 * 1024 * 1024;

describe('a body of 33 MiB', () => {
  it('whose length is announced is refused before it has been sent', async () => {
    const stage = await start();
    const client = await stage.connect();
    client.send(requestBytes(asking({ headers: { 'content-length': String(TOO_LARGE_BYTES) } })));
    const response = await client.response();
    expectRefusal(response, 413, 'request_too_large');
    expect(response.headers['connection']).toBe('close');
    expect(await client.closed()).toBe('fin');
  });

  it('that the caller sends without looking up is refused, and the refusal can be read', async () => {
    const stage = await start();
    const client = await stage.connect();
    client.send(requestBytes(asking({ headers: { 'content-length': String(TOO_LARGE_BYTES) } })));
    client.send(Buffer.alloc(TOO_LARGE_BYTES, 0x20));
    expectRefusal(await client.response(), 413, 'request_too_large');
  });

  it('in chunks is refused when it has become too large, and the refusal can be read', async () => {
    const stage = await start();
    const client = await stage.connect();
    client.send(requestBytes(asking({ body: '', headers: { 'content-length': '', 'transfer-encoding': 'chunked' } })));
    const piece = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000, 0x20), Buffer.from('\r\n')]);
    for (let sent = 0; sent < TOO_LARGE_BYTES; sent += 0x100000) client.send(piece);
    expectRefusal(await client.response(), 413, 'request_too_large');
    expect(stage.upstream.calls).toHaveLength(0);
  });

  it('is refused without a 100 when the caller asks first', async () => {
    const stage = await start();
    const client = await stage.connect();
    const headers = { expect: '100-continue', 'content-length': String(TOO_LARGE_BYTES) };
    client.send(requestBytes(asking({ body: '', headers })));
    expectRefusal(await client.response(), 413, 'request_too_large');
  });

  it('is measured against the setting, to the byte', async () => {
    const stage = await start({ settings: managed('', 'bodyBytes: 1KiB') });
    stage.upstream.script = (call) => call.answer(200, message());
    const ofLength = (bytes: number): RequestParts => asking({ body: `{"a":"${'x'.repeat(bytes - 8)}"}` });
    expect((await stage.ask(ofLength(1024))).status).toBe(200);
    expect((await stage.ask(ofLength(1025))).status).toBe(413);
  });
});

const line = (text: string): string =>
  `POST /v1/messages HTTP/1.1\r\nhost: gateway.test\r\nx-api-key: gateway-key-of-acme\r\n${text}`;

const BROKEN_HTTP: Readonly<Record<string, readonly [bytes: string, status: number]>> = {
  'a bare CR in a header': [line('x-a: b\rx-c: d\r\ncontent-length: 2\r\n\r\n{}'), 400],
  'a NUL in a header': [line('x-a: b\0c\r\ncontent-length: 2\r\n\r\n{}'), 400],
  'a space before the colon': [line('x-a : b\r\ncontent-length: 2\r\n\r\n{}'), 400],
  'a length and chunks': [line('content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'), 400],
  'two lengths': [line('content-length: 2\r\ncontent-length: 3\r\n\r\n{}}'), 400],
  'a length that is no number': [line('content-length: two\r\n\r\n{}'), 400],
  'a transfer coding nobody knows': [line('transfer-encoding: chunked, x\r\n\r\n2\r\n{}\r\n0\r\n\r\n'), 400],
  'a chunk length that is no number': [line('transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'), 400],
  'a folded header': [line('x-a: b\r\n c\r\ncontent-length: 2\r\n\r\n{}'), 400],
  'no HTTP at all': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  'a host with a path in it': ['GET /v1/models HTTP/1.1\r\nhost: a/b\r\n\r\n', 400],
  'a host with a space in it': ['GET /v1/models HTTP/1.1\r\nhost: a b\r\n\r\n', 400],
  'no host': ['GET /v1/models HTTP/1.1\r\n\r\n', 400],
  'a backslash in its path': ['GET /v1\\models HTTP/1.1\r\nhost: a\r\n\r\n', 400],
  '65 KiB of headers': [line(`x-a: ${'b'.repeat(65 * 1024)}\r\n\r\n`), 431],
};

describe('a connection that sends', () => {
  it.each(Object.entries(BROKEN_HTTP))(
    '%s gets one refusal, and nothing goes upstream',
    async (_name, [bytes, status]) => {
      const stage = await start();
      const client = await stage.connect();
      client.send(Buffer.from(bytes, 'latin1'));
      expectRefusal(await client.response(), status, 'invalid_request_error');
      expect(stage.upstream.calls.every(({ bodyIsWhole }) => !bodyIsWhole)).toBe(true);
      expect((await stage.ask(asking({ method: 'HEAD', target: '/', body: '' }))).status).toBe(200);
    },
  );

  it('a request and then no HTTP gets its stream cut, with no refusal in the middle of it', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    call.sse();
    call.write(streamHead());
    await client.body('the first text arrives', (text) => text === streamHead());
    client.send('\x16\x03\x01 what is this\r\n\r\n');
    const response = await client.response();
    expect(response).toMatchObject({ ending: 'cut', text: streamHead() });
    expect(client.received.toString()).not.toContain('400');
  });

  it('a request and then no HTTP, before there is an answer, gets 400 and is closed; the request is given up', async () => {
    const stage = await start();
    const { client, call } = await stage.open();
    client.send('\x16\x03\x01 what is this\r\n\r\n');
    expectRefusal(await client.response(), 400, 'invalid_request_error');
    await client.closed();
    await eventually('the upstream call is closed', 10_000, () => call.state === 'closed');
  });

  it('half a head and then nothing gets 408 and is closed', async () => {
    const stage = await start({ settings: managed('', 'headersTimeout: 200ms') });
    const client = await stage.connect();
    client.send('POST /v1/messages HTTP/1.1\r\nhost: gateway.test\r\nx-slow');
    expectRefusal(await client.response(), 408, 'timeout_error');
    await client.closed();
  });

  it('half a body and then nothing gets 408 and is closed', async () => {
    const stage = await start({ settings: managed('', 'headersTimeout: 200ms') });
    const client = await stage.connect();
    client.send(requestBytes(asking({ headers: { 'content-length': '4000' } })));
    expectRefusal(await client.response(), 408, 'timeout_error');
    await client.closed();
    expect(stage.upstream.calls).toHaveLength(0);
  });

  it('a body that never stands still for long is waited for', async () => {
    const stage = await start({ settings: managed('', 'headersTimeout: 250ms') });
    const client = await stage.connect();
    const body = ' '.repeat(8);
    client.send(requestBytes(asking({ body: '{}', headers: { 'content-length': String(2 + body.length) } })));
    const sinceMs = performance.now();
    for (let sent = 0; sent < body.length; sent++) {
      const nextMs = sinceMs + (sent + 1) * 50;
      await eventually('the next piece is due', 1_000, () => performance.now() >= nextMs);
      client.send(' ');
    }
    (await stage.upstream.call(0)).answer(200, message());
    expect((await client.response()).status).toBe(200);
  });
});

describe('a caller that is entitled to it', () => {
  it('gets its 100 before it sends a body, and then its answer', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    const client = await stage.connect();
    const headers = { expect: '100-continue', 'content-length': String(STREAM_BODY.length) };
    client.send(requestBytes(asking({ body: '', headers })));
    expect((await client.response()).status).toBe(100);
    client.send(STREAM_BODY);
    expect((await client.response()).json()).toEqual(message());
    expect((await stage.upstream.call(0)).headers['expect']).toBeUndefined();
  });

  it('gets the answers to requests sent in one go in their order, refusals among them', async () => {
    const stage = await start();
    const client = await stage.connect();
    const bodies = ['{"n":0}', '{"n":1', '{"n":2}', '{"n":3}'];
    client.send(Buffer.concat(bodies.map((body) => requestBytes(asking({ body })))));
    await eventually('three are upstream', 10_000, () => stage.upstream.calls.length === 3);
    for (const call of stage.upstream.calls.toReversed()) {
      await eventually('its body is there', 10_000, () => call.bodyIsWhole);
      call.answer(200, call.body);
    }
    const answers = [];
    for (const _body of bodies) answers.push(await client.response());
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 200, 200]);
    expect([answers[0]?.text, answers[2]?.text, answers[3]?.text]).toEqual([bodies[0], bodies[2], bodies[3]]);
  });

  it('and speaks HTTP/1.0 gets an answer without chunks', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    const client = await stage.connect();
    client.send(requestBytes(asking()).toString('latin1').replace('HTTP/1.1', 'HTTP/1.0'));
    const response = await client.response();
    expect(response.headers['transfer-encoding']).toBeUndefined();
    expect(response.json()).toEqual(message());
  });
});
