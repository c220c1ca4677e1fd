import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { afterEach, describe, expect, it } from 'vitest';
import { serveApp, type HttpServer } from '../../src/node/serve.ts';
import { eventually, within } from '../support/eventually.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';

const DEADLINE_MS = 5_000;
/** Longer than any test: what is closed before has not been closed for being quiet. */
const NEVER_QUIET_MS = 600_000;
const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const GET_STREAM = 'GET /stream HTTP/1.1\r\nhost: a\r\n\r\n';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanups.splice(0)) cleanUp();
});

/** Answers `/` at once; a stream at `/stream` ends when it is told to. */
async function serve(headersTimeoutMs = 60_000) {
  const app = new Hono();
  const streams: (() => void)[] = [];
  app.get('/', (c) => c.text('here'));
  app.get('/stream', (c) => {
    const { outgoing } = c.env as HttpBindings;
    outgoing.write('begun');
    streams.push(() => outgoing.end('ended'));
    return RESPONSE_ALREADY_SENT;
  });
  const server = await serveApp(app, { host: '127.0.0.1', port: 0, headersTimeoutMs, bodyBytes: 1024 });
  cleanups.push(() => server.cut());
  return { server, streams };
}

async function connectTo(server: HttpServer): Promise<RawClient> {
  const client = await connectRaw(server.port);
  cleanups.push(() => client.close());
  return client;
}

describe('a server that closes', () => {
  it('does not wait for a connection that was opened ahead and never used', async () => {
    const { server } = await serve();
    const ahead = await connectTo(server);
    expect(await server.close(DEADLINE_MS)).toEqual({ cutConnections: 0 });
    expect(await ahead.closed()).toBe('fin');
  });

  it('cuts at the deadline what has not ended, and counts it', async () => {
    const { server } = await serve();
    const client = await connectTo(server);
    client.send(GET_STREAM);
    await client.body('the stream begins', (text) => text === 'begun');
    expect(await within('the server is closed', DEADLINE_MS, server.close(50))).toEqual({ cutConnections: 1 });
    expect((await client.response()).ending).toBe('cut');
  });

  it('resets a stream in HTTP/1.0 when it cuts it, since a proper end there looks like the end of the answer', async () => {
    const { server } = await serve();
    const client = await connectTo(server);
    client.send('GET /stream HTTP/1.0\r\nhost: a\r\n\r\n');
    await client.body('the stream begins', (text) => text === 'begun');
    server.cut();
    expect(await client.closed()).toBe('reset');
  });
});

describe('a server whose answers are the last', () => {
  it('still accepts, answers with "connection: close", and ends the connection behind the answer', async () => {
    const { server } = await serve();
    const before = await connectTo(server);
    before.send(GET);
    expect((await before.response()).headers['connection']).toBe('keep-alive');
    server.makeAnswersLast();
    for (const client of [before, await connectTo(server)]) {
      client.send(GET);
      const { status, headers } = await client.response();
      expect([status, headers['connection']]).toEqual([200, 'close']);
      expect(await client.closed()).toBe('fin');
    }
  });

  it('lets a stream that has begun end on a connection that takes one more request', async () => {
    const { server, streams } = await serve();
    const client = await connectTo(server);
    client.send(GET_STREAM);
    await client.body('the stream begins', (text) => text === 'begun');
    server.makeAnswersLast();
    streams[0]?.();
    expect((await client.response()).ending).toBe('whole');
    client.send(GET);
    expect((await client.response()).headers['connection']).toBe('close');
  });
});

describe('a server that finishes', () => {
  it('answers those whom the kernel had accepted before the port was closed', async () => {
    const { server } = await serve();
    const clients = Array.from({ length: 40 }, () => connectTo(server));
    const finished = server.finish(NEVER_QUIET_MS);
    server.makeAnswersLast();
    for (const client of await Promise.all(clients)) {
      client.send(GET);
      expect((await client.response()).status).toBe(200);
    }
    await within('the server has finished', DEADLINE_MS, finished);
    await expect(connectRaw(server.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('answers a request that comes on a kept-alive connection when the port is closed already', async () => {
    const { server } = await serve();
    const client = await connectTo(server);
    client.send(GET);
    await client.response();
    server.makeAnswersLast();
    const finished = server.finish(NEVER_QUIET_MS);
    await portClosed(server);
    client.send(GET);
    expect((await client.response()).status).toBe(200);
    await within('the server has finished', DEADLINE_MS, finished);
  });

  it('closes a kept-alive connection once it has been quiet for long enough', async () => {
    const { server } = await serve();
    const client = await connectTo(server);
    client.send(GET);
    await client.response();
    await within('the server has finished', DEADLINE_MS, server.finish(100));
    expect(await client.closed()).toBe('fin');
  });

  it('still answers 408 to a head that stays unfinished', async () => {
    const { server } = await serve(300);
    const client = await connectTo(server);
    client.send('GET / HTTP/1.1\r\n');
    const finished = server.finish(NEVER_QUIET_MS);
    expect((await client.response()).status).toBe(408);
    await within('the server has finished', DEADLINE_MS, finished);
  });
});

it('a health check in HTTP/1.0 that names no host is answered, as haproxy sends it', async () => {
  const { server } = await serve();
  const client = await connectTo(server);
  client.send('GET / HTTP/1.0\r\n\r\n');
  expect(await client.response()).toMatchObject({ status: 200, text: 'here' });
});

it('new limits hold for heads that come after them', async () => {
  const { server } = await serve(60_000);
  server.setLimits({ headersTimeoutMs: 100, bodyBytes: 1024 });
  const client = await connectTo(server);
  client.send('GET / HTTP/1.1\r\n');
  expect((await client.response()).status).toBe(408);
});

function portClosed(server: HttpServer): Promise<void> {
  return eventually('the port is closed', DEADLINE_MS, () =>
    connectRaw(server.port).then(
      (late) => (late.close(), false),
      () => true,
    ),
  );
}
