import { describe, expect, it } from 'vitest';
import { message } from '../support/claude-answers.ts';
import { asking, managed, passThrough, UPSTREAM_KEY, useStage } from '../support/gateway-under-test.ts';
import { requestBytes } from '../support/raw-client.ts';
import type { UpstreamCall } from '../support/scripted-upstream.ts';
import { COMPRESSED_BODY, HOSTILE_BODIES } from './hostile-bodies.ts';

/** What reaches the upstream is what the caller sent: its bytes, its query, its headers. Only credentials change. */

const start = useStage();

/** Header lines as they reached the upstream, without those of the hop. */
function headerLines({ rawHeaders }: UpstreamCall): [string, string][] {
  const hop = new Set(['host', 'connection', 'content-length', 'transfer-encoding']);
  // A runtime that would ask for compressed answers by itself is told not to.
  const isOfHop = (name: string, value: string): boolean =>
    hop.has(name) || (name === 'accept-encoding' && value === 'identity');
  const lines: [string, string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    if (!isOfHop(name, value)) lines.push([name, value]);
  }
  return lines.sort(([one], [other]) => (one < other ? -1 : 1));
}

describe('a body', () => {
  it.each(Object.entries(HOSTILE_BODIES))('with %s reaches the upstream byte for byte', async (_name, body) => {
    const stage = await start({ settings: managed('cache: off') });
    stage.upstream.script = (call) => call.answer(200, message());
    expect((await stage.ask(asking({ body }))).status).toBe(200);
    const call = await stage.upstream.call(0);
    expect(call.body.equals(Buffer.from(body))).toBe(true);
    expect(call.headers['content-length']).toBe(String(Buffer.byteLength(body)));
  });

  it('that is compressed reaches the upstream as it is, with its content-encoding', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    const headers = { 'content-encoding': 'gzip' };
    expect((await stage.ask(asking({ body: COMPRESSED_BODY, headers }))).status).toBe(200);
    const call = await stage.upstream.call(0);
    expect(call.body.equals(COMPRESSED_BODY)).toBe(true);
    expect(call.headers['content-encoding']).toBe('gzip');
  });

  it('that comes in chunks, a byte each, reaches the upstream in one piece with its length', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    const client = await stage.connect();
    const body = '{"model":"claude-sonnet-5","a":"\u00e9"}';
    const headers = { 'content-length': '', 'transfer-encoding': 'chunked' };
    client.send(requestBytes(asking({ body: '', headers })));
    for (const byte of Buffer.from(body))
      client.send(Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]));
    client.send('0\r\n\r\n');
    expect((await client.response()).status).toBe(200);
    const call = await stage.upstream.call(0);
    expect(call.body.toString()).toBe(body);
    expect(call.headers['transfer-encoding']).toBeUndefined();
  });

  it('of a path that the gateway does not read is forwarded in pass-through mode while it arrives', async () => {
    const stage = await start({ settings: passThrough() });
    const client = await stage.connect();
    const headers = { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '10' };
    client.send(requestBytes(asking({ target: '/v1/files?beta=true', headers, body: '12345' })));
    client.send('67890');
    const call = await stage.upstream.call(0);
    expect(call.body.toString()).toBe('1234567890');
    expect(call.target).toBe('/v1/files?beta=true');
    call.answer(200, { id: 'file_1' });
    expect((await client.response()).json()).toEqual({ id: 'file_1' });
  });
});

describe('a target', () => {
  it.each([
    '/v1/messages',
    '/v1/messages?beta=true',
    '/v1/messages?b=2&a=1&b=1&a=',
    '/v1/messages?empty&x=%20+%2B&q=a%2Fb/c?d',
    "/v1/messages?quote='&bar=|&brace={}",
  ])('%s reaches the upstream as it was written', async (target) => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    await stage.ask(asking({ target }));
    expect((await stage.upstream.call(0)).target).toBe(target);
  });

  it('in absolute form is taken for its path: a request never leaves for the host it names', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    const response = await stage.ask(asking({ target: 'http://elsewhere.test/v1/messages?beta=true' }));
    expect(response.status).toBe(200);
    expect((await stage.upstream.call(0)).target).toBe('/v1/messages?beta=true');
  });

  it.each([
    '/v1/models/%2e%2e/files',
    '/v1/models/%2e%2e',
    '/v1/models/..%2ffiles',
    '/v1/models/..\\files',
    '/v1/models/../files',
    '/v1/models/x%5cy',
    '/v1/organizations/../models',
    '/v1/organizations/%2e%2e/models',
    '/v1/organizations/users/../../models',
  ])('%s reaches nothing outside the models with the key of the operator', async (target) => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, {});
    const response = await stage.ask(asking({ method: 'GET', target, body: '' }));
    expect([400, 404]).toContain(response.status);
    expect(stage.upstream.calls).toHaveLength(0);
  });

  it('of a model reaches the upstream', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, { id: 'claude-sonnet-5' });
    const response = await stage.ask(asking({ method: 'GET', target: '/v1/models/claude-sonnet-5', body: '' }));
    expect(response.json()).toEqual({ id: 'claude-sonnet-5' });
    expect(await stage.upstream.call(0)).toMatchObject({ method: 'GET', target: '/v1/models/claude-sonnet-5' });
  });
});

const CALLER_HEADERS = {
  'anthropic-version': '2026-10-21',
  'anthropic-beta': 'interleaved-thinking-2025-05-14, effort-2025-11-24,x',
  'user-agent': 'claude-cli/2.1.330 (external, cli)',
  accept: 'application/json',
  'x-app': 'cli',
  'x-claude-code-session-id': '0b4b8d3e',
  'x-stainless-retry-count': '1',
  'x-stainless-lang': 'js',
  'x-nobody-knows': 'v=1;  w="2"',
  'x-empty-is-kept': ' ',
  'x-latin': 'caf\u00c3\u00a9', // the two bytes of a UTF-8 é
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};

describe("the caller's headers", () => {
  it('reach the upstream, known or not, and nothing is added to them but the credential', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    await stage.ask(asking({ headers: CALLER_HEADERS }));
    const expected = { ...CALLER_HEADERS, 'x-empty-is-kept': '', 'content-type': 'application/json' };
    const lines = headerLines(await stage.upstream.call(0));
    const credentials = new Set(['x-api-key', 'authorization']);
    expect(Object.fromEntries(lines.filter(([name]) => !credentials.has(name)))).toEqual(expected);
  });

  it('are not made up where the caller has none: no version, no accept, no user-agent, nothing of an SDK', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    await stage.ask(asking({ headers: { 'content-type': '' } }));
    expect(headerLines(await stage.upstream.call(0))).toEqual([['authorization', `Bearer ${UPSTREAM_KEY}`]]);
  });

  it('that belong to the hop stay on it, those that Connection names among them', async () => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    const headers = {
      connection: 'keep-alive, X-Hop',
      'x-hop': '1',
      'keep-alive': 'timeout=5',
      te: 'trailers',
      'proxy-authorization': 'Basic Zm9v',
      'accept-encoding': 'gzip, br',
      'x-stays': '1',
    };
    await stage.ask(asking({ headers }));
    const names = headerLines(await stage.upstream.call(0)).map(([name]) => name);
    expect(names).toEqual(['authorization', 'content-type', 'x-stays']);
  });
});

describe('a credential', () => {
  const BOTH = { 'x-api-key': 'gateway-key-of-acme', authorization: 'Bearer gateway-key-of-acme' };

  it.each([
    ['x-api-key', { 'x-api-key': BOTH['x-api-key'] }],
    ['Bearer', { 'x-api-key': '', authorization: BOTH.authorization }],
    ['both', BOTH],
    ['both, of which only the Bearer is ours', { ...BOTH, 'x-api-key': 'sk-ant-something-else' }],
  ])('of the gateway, sent as %s, is replaced wherever it stands', async (_name, headers) => {
    const stage = await start();
    stage.upstream.script = (call) => call.answer(200, message());
    expect((await stage.ask(asking({ headers }))).status).toBe(200);
    const call = await stage.upstream.call(0);
    expect(call.headers.authorization ?? call.headers['x-api-key']).toContain(UPSTREAM_KEY);
    expect(call.rawHeaders.join('\n')).not.toMatch(/gateway-key|sk-ant/);
  });

  it('of the caller is forwarded as it is in pass-through mode, one or both', async () => {
    const stage = await start({ settings: passThrough() });
    stage.upstream.script = (call) => call.answer(200, message());
    await stage.ask(asking({ headers: { 'x-api-key': 'sk-ant-one' } }));
    await stage.ask(asking({ headers: { 'x-api-key': '', authorization: 'Bearer sk-ant-two' } }));
    await stage.ask(asking({ headers: { 'x-api-key': 'sk-ant-one', authorization: 'Bearer oauth-three' } }));
    const sent = stage.upstream.calls.map(({ headers }) => [headers['x-api-key'], headers.authorization]);
    expect(sent).toEqual([
      ['sk-ant-one', undefined],
      [undefined, 'Bearer sk-ant-two'],
      ['sk-ant-one', 'Bearer oauth-three'],
    ]);
  });
});
