import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Hono } from 'hono';
import { entryOf, type Refusal } from '../core/errors.ts';
import { newRequestId, renderRefusal } from '../http/refusals.ts';
import { errorBody } from '../ingress/anthropic-frames.ts';

/** The HTTP server of Node in front of the app: limits on how slowly and how large a head may arrive, and its errors. */
export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** Stops accepting, ends idle connections, waits for the rest up to `deadlineMs`, then ends those too. */
  close(deadlineMs: number): Promise<{ readonly cutConnections: number }>;
}

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** A head that has not arrived by then is answered 408. */
  readonly headersTimeoutMs: number;
  readonly bodyBytes: number;
}

/** Claude Code sends about 2 KiB of headers; long beta lists and trace baggage more. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Longer than the idle limit of common load balancers (60 s), so that it is they who close. */
const KEEP_ALIVE_MS = 75_000;
/** Whole upload of a request; a stalled one ends sooner. */
const REQUEST_TIMEOUT_MS = 300_000;
/** How often Node looks for heads that are late: a late head is answered at most this much later. */
const LATE_CHECK_MS = 500;

/** How often a closing server looks for connections that have become idle. */
const IDLE_SWEEP_MS = 50;

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
  const unanswered = createUnanswered();
  server.on('request', (incoming, outgoing) => {
    unanswered.add(outgoing);
    void listener(incoming, outgoing);
  });
  server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const isTooLarge = Number(incoming.headers['content-length'] ?? 0) > options.bodyBytes;
    unanswered.add(outgoing);
    if (!isTooLarge) outgoing.writeContinue(); // else the body is refused before it is sent
    void listener(incoming, outgoing);
  });
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket.on('close', () => connections.delete(socket)));
    socket.setMaxListeners(0); // one listener per pipelined request
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (unanswered.mayRefuse(socket)) answerClientError(error, socket);
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port, close: (deadlineMs) => closeServer(server, connections, deadlineMs) };
}

/** Hono takes HEAD for a GET whose body it drops, and with the body the mark that the answer has been sent already. */
async function answerHead(app: Hono, request: Request, env: HttpBindings): Promise<Response> {
  const response = await app.fetch(request, env);
  return env.outgoing.headersSent ? RESPONSE_ALREADY_SENT : response;
}

/** The request line or Host header cannot be made a URL of. */
function refuseUnreadable(): Response {
  return renderRefusal({ code: 'bad_http' }, newRequestId());
}

/** Which answers each connection still owes: a refusal written by hand must not land in one of them. */
function createUnanswered() {
  const owed = new WeakMap<Socket, Set<ServerResponse>>();
  return {
    add(outgoing: ServerResponse): void {
      const { socket } = outgoing.req;
      const answers = owed.get(socket) ?? new Set();
      owed.set(socket, answers.add(outgoing));
      outgoing.on('close', () => answers.delete(outgoing));
    },
    /** False once a head has gone out: what is written now would be read as a part of that answer. */
    mayRefuse(socket: Socket): boolean {
      return ![...(owed.get(socket) ?? [])].some(({ headersSent }) => headersSent);
    },
  };
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

async function closeServer(
  server: Server,
  connections: ReadonlySet<Socket>,
  deadlineMs: number,
): Promise<{ cutConnections: number }> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  const sweep = setInterval(() => {
    // Kept alive, a connection becomes idle only when its answer has ended, and Node does not look again.
    server.closeIdleConnections();
    // Clients open connections ahead, undici after each abort; Node takes one that has said nothing yet for busy.
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
  }, IDLE_SWEEP_MS);
  let cutConnections = 0;
  const deadline = setTimeout(() => {
    server.getConnections((_error, count) => {
      cutConnections = count;
      server.closeAllConnections();
    });
  }, deadlineMs);
  await closed;
  clearTimeout(deadline);
  clearInterval(sweep);
  return { cutConnections };
}
