import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';

/**
 * A fetch handler on a real socket. The body is written here and not by the adapter, because the adapter destroys the
 * connection of a body that breaks together with what it had written and not yet sent.
 */
export interface Listening {
  readonly baseUrl: string;
  close(): Promise<void>;
}

export async function listen(fetch: (request: Request) => Promise<Response>): Promise<Listening> {
  const listener = getRequestListener(async (request, bindings) => {
    await write(await fetch(request), (bindings as HttpBindings).outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function write(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.flushHeaders();
  try {
    for await (const chunk of response.body ?? []) outgoing.write(chunk);
    outgoing.end();
  } catch {
    outgoing.socket?.destroySoon(); // sends what is written, then closes without the end mark
  }
}
