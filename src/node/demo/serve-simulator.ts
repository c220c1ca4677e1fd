import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Fetch } from './retry-watch.ts';

/**
 * The simulator behind Node's HTTP server, on loopback and nowhere else: it takes any key and its control port has none.
 * Answers are written here because a scripted cut must reach the client as one: the adapter ends a body that fails with
 * the text of its error, as if the answer were whole.
 */
export interface SimulatorServer {
  readonly port: number;
  readonly baseUrl: string;
  /** At once; an answer that is still being streamed is cut. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
/** Longer than a client keeps an idle connection, so that no request meets one that is just closing. */
const KEEP_ALIVE_MS = 75_000;

/** Rejects with EADDRINUSE where the port is taken. */
export async function serveSimulator(fetch: Fetch, port: number): Promise<SimulatorServer> {
  const listener = getRequestListener(async (request, bindings) => {
    await send(await fetch(request), (bindings as HttpBindings).outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, (incoming, outgoing) => {
    void listener(incoming, outgoing);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    baseUrl: `http://${HOST}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.flushHeaders();
  try {
    for await (const chunk of response.body ?? []) await written(chunk, outgoing);
    outgoing.end();
  } catch {
    outgoing.socket?.destroySoon(); // behind what was written, which Node may hold back for a tick
  }
}

/** Node gathers the writes of a turn: a chunk has left only when its callback says so. Else the client is gone. */
function written(chunk: Uint8Array, outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('close', done);
      resolve();
    };
    outgoing.on('close', done);
    outgoing.write(chunk, done);
  });
}
