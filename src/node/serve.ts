import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type AddressInfo, type Socket } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Hono } from 'hono';
import { entryOf, type Refusal } from '../core/errors.ts';
import { newRequestId, renderRefusal } from '../http/refusals.ts';
import { errorBody } from '../ingress/anthropic-frames.ts';
import { createConnections, type Connections } from './connections.ts';

/** The HTTP server of Node in front of the app: limits on how slowly and how large a head may arrive, and its errors. */
export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** For heads and bodies that are yet to come. */
  setLimits(limits: ServeLimits): void;
  /** From now on each answer ends its connection and says so. The port stays open. */
  makeAnswersLast(): void;
  /**
   * Closes the port, and each open connection once it owes no answer and has been quiet for `quietMs`. Resolves when
   * none is left.
   */
  finish(quietMs: number): Promise<void>;
  /** Ends every connection now; returns how many there were. */
  cut(): number;
  /** Finishes without waiting for quiet, and cuts what is left after `deadlineMs`. */
  close(deadlineMs: number): Promise<{ readonly cutConnections: number }>;
}

export interface ServeLimits {
  /** A head that has not arrived by then is answered 408. */
  readonly headersTimeoutMs: number;
  readonly bodyBytes: number;
}

export interface ServeOptions extends ServeLimits {
  readonly host: string;
  readonly port: number;
}

/** Claude Code sends about 2 KiB of headers; long beta lists and trace baggage more. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Longer than the idle limit of common load balancers (60 s), so that it is they who close. */
const KEEP_ALIVE_MS = 75_000;
/** Whole upload of a request; a stalled one ends sooner. */
const REQUEST_TIMEOUT_MS = 300_000;
/** How often Node looks for heads that are late: a late head is answered at most this much later. */
const LATE_CHECK_MS = 500;

/** HTTP/1.0 need not name one, and haproxy's health check does not; the listener wants one to make a URL of. */
const NO_HOST = 'localhost';

/** How often a closing server looks for connections that have become quiet. */
const QUIET_SWEEP_MS = 50;
/** The longest that a closing server goes on accepting when connections come in all the time. */
const LAST_ACCEPT_MS = 500;

export async function serveApp(app: Hono, options: ServeOptions): Promise<HttpServer> {
  const answer = (request: Request, env: HttpBindings) =>
    request.method === 'HEAD' ? answerHead(app, request, env) : app.fetch(request, env);
  const listener = getRequestListener((request, env) => answer(request, env as HttpBindings), {
    errorHandler: refuseUnreadable,
  });
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: options.headersTimeoutMs,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: LATE_CHECK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
    requireHostHeader: false, // Node's own refusal has no body; the listener's is refuseUnreadable
  });
  const connections = createConnections();
  let { bodyBytes } = options;
  server.on('request', (incoming, outgoing) => {
    connections.owe(outgoing);
    if (incoming.httpVersionMinor === 0) incoming.headers.host ??= NO_HOST;
    void listener(incoming, outgoing);
  });
  server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const isTooLarge = isKept(incoming) && Number(incoming.headers['content-length'] ?? 0) > bodyBytes;
    connections.owe(outgoing);
    if (!isTooLarge) outgoing.writeContinue(); // else the body is refused before it is sent
    void listener(incoming, outgoing);
  });
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.setMaxListeners(0); // one listener per pipelined request
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (connections.mayRefuse(socket)) answerClientError(error, socket);
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    setLimits(limits) {
      ({ bodyBytes } = limits);
      server.headersTimeout = limits.headersTimeoutMs;
    },
    makeAnswersLast: () => connections.makeAnswersLast(),
    finish: (quietMs) => finish(server, connections, quietMs),
    cut: () => connections.cut(),
    async close(deadlineMs) {
      let cutConnections = 0;
      const deadline = setTimeout(() => (cutConnections = connections.cut()), deadlineMs);
      await finish(server, connections, 0);
      clearTimeout(deadline);
      return { cutConnections };
    },
  };
}

/** Hono takes HEAD for a GET whose body it drops, and with the body the mark that the answer has been sent already. */
async function answerHead(app: Hono, request: Request, env: HttpBindings): Promise<Response> {
  const response = await app.fetch(request, env);
  return env.outgoing.headersSent ? RESPONSE_ALREADY_SENT : response;
}

/** What is passed on while it arrives has other limits, or none. */
function isKept({ url = '' }: IncomingMessage): boolean {
  return /^\/v1\/messages(?:\/count_tokens)?(?:\?|$)/.test(url);
}

/** The request line or Host header cannot be made a URL of. */
function refuseUnreadable(): Response {
  return renderRefusal({ code: 'bad_http' }, newRequestId());
}

/** What the HTTP parser refused never becomes a request: the answer is written to the socket by hand. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal: Refusal = { code: refusalCodes[error.code ?? ''] ?? 'bad_http' };
  const requestId = newRequestId();
  const body = errorBody(refusal, requestId);
  const { status } = entryOf(refusal);
  const head = [
    `HTTP/1.1 ${status} ${status === 408 ? 'Request Timeout' : status === 431 ? 'Headers Too Large' : 'Bad Request'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-slipstream-id: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

const refusalCodes: Readonly<Record<string, Refusal['code']>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_stalled',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
};

async function finish(server: Server, connections: Connections, quietMs: number): Promise<void> {
  await acceptWaiting(server);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  // Not the method of the HTTP server: that one would end idle connections at once, and no longer time late heads out.
  NetServer.prototype.close.call(server, () => resolve());
  // A request that has arrived while this turn was busy is read before the connections are looked at.
  const sweep = setInterval(() => setImmediate(() => connections.closeQuiet(quietMs)), QUIET_SWEEP_MS);
  await closed;
  clearInterval(sweep);
  server.close(); // what is left of it: Node's own timer
}

/**
 * The kernel resets what it has accepted and Node has not: Node takes one connection in each turn of its event loop. So
 * the port is closed in a turn that has brought none.
 */
async function acceptWaiting(server: Server): Promise<void> {
  const untilMs = performance.now() + LAST_ACCEPT_MS;
  let hasAccepted = false;
  const onConnection = (): void => void (hasAccepted = true);
  server.on('connection', onConnection);
  await turn();
  do {
    hasAccepted = false;
    await turn();
  } while (hasAccepted && performance.now() < untilMs);
  server.off('connection', onConnection);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
