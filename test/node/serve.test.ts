import { connect } from 'node:net';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { serveApp } from '../../src/node/serve.ts';
import { eventually } from '../support/eventually.ts';

const DEADLINE_MS = 5_000;

/** The connection that a client opens ahead, for a request that may never come. */
async function openAhead(port: number): Promise<{ isOpen(): boolean }> {
  const socket = connect({ host: '127.0.0.1', port });
  let isOpen = true;
  socket.on('error', () => {}).on('close', () => (isOpen = false));
  await new Promise((resolve) => socket.once('connect', resolve));
  return { isOpen: () => isOpen };
}

test('a connection that was opened ahead and never used does not hold up the end of the server', async () => {
  const limits = { headersTimeoutMs: 60_000, bodyBytes: 1024 };
  const server = await serveApp(new Hono(), { host: '127.0.0.1', port: 0, ...limits });
  const ahead = await openAhead(server.port);
  expect(await server.close(DEADLINE_MS)).toEqual({ cutConnections: 0 });
  await eventually('the client sees that it is closed', DEADLINE_MS, () => !ahead.isOpen());
});
