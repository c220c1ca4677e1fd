import type { Readable } from 'node:stream';
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { errors, Pool, type Dispatcher } from 'undici';
import { headerValue, type HeaderMap } from '../core/headers.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { AnswerReceiver, UpstreamEnd } from '../pipeline/upstream.ts';
import type { Transport, WireRequest } from '../upstream/transport.ts';
import { decoding } from './decoding-receiver.ts';

/**
 * The transport of Node: undici's dispatch, one connection pool per upstream origin. Dispatch is used rather than fetch
 * because it hands over chunks as they are read, without a stream object in between, and follows no redirect.
 */
export interface UndiciTransportOptions {
  /** An upstream that is silent for this long in the middle of an answer is given up. */
  readonly bodyIdleMs: () => number;
}

/** A non-streaming answer of the largest models may think for ten minutes before its first byte. */
const HEAD_TIMEOUT_MS = 15 * 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Below the idle limit of every load balancer we know of, so that we rarely write to a connection that is closing. */
const KEEP_ALIVE_MS = 30_000;

/**
 * An upstream may answer before it has read the request, and not read on: what is still queued on that connection would
 * stand in the way of the next request. Only the channel tells which connection a request is written to, right after its
 * start and before anything else runs.
 */
let starting: { socket: Socket | null } | null = null;
subscribe('undici:client:sendHeaders', (message) => {
  if (starting) starting.socket = (message as { readonly socket: Socket }).socket;
  starting = null;
});

export function createUndiciTransport({ bodyIdleMs }: UndiciTransportOptions): Transport {
  const pools = new Map<string, Pool>();
  const poolOf = (origin: string): Pool => {
    let pool = pools.get(origin);
    if (!pool) {
      pool = new Pool(origin, {
        headersTimeout: HEAD_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connect: { timeout: CONNECT_TIMEOUT_MS },
        pipelining: 1,
      });
      pools.set(origin, pool);
    }
    return pool;
  };

  return {
    send(request, receiver) {
      // Cut by hand: a URL object would rewrite the caller's path and query (dots, quotes).
      const pathAt = request.url.indexOf('/', request.url.indexOf('://') + 3);
      const [origin, path] = [request.url.slice(0, pathAt), request.url.slice(pathAt)];
      return dispatch(poolOf(origin), path, request, receiver, bodyIdleMs());
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

function dispatch(
  pool: Pool,
  path: string,
  request: WireRequest,
  receiver: AnswerReceiver,
  bodyTimeout: number,
): Promise<UpstreamEnd> {
  const { promise, resolve } = Promise.withResolvers<UpstreamEnd>();
  const { signal } = request;
  let controller: Dispatcher.DispatchController | null = null;
  const written: { socket: Socket | null } = { socket: null };
  let target: AnswerReceiver & { end?(): Promise<void> } = receiver;

  const settle = (end: UpstreamEnd): void => {
    signal.removeEventListener('abort', onAbort);
    resolve(end);
  };
  const onAbort = (): void => {
    settle({ kind: 'aborted' });
    controller?.abort(new Error('the caller is gone'));
  };
  if (signal.aborted) return Promise.resolve({ kind: 'aborted' });
  signal.addEventListener('abort', onAbort, { once: true });

  pool.dispatch(
    {
      method: request.method,
      path,
      bodyTimeout,
      ...sendable(request),
    },
    {
      onRequestStart(dispatchController) {
        controller = dispatchController;
        starting = written;
        if (signal.aborted) controller.abort(new Error('the caller is gone'));
      },
      onResponseStart(dispatchController, status, headers) {
        if (status < 200) return; // an interim answer
        const flow = {
          resume: () => dispatchController.resume(),
          abort: (error: Error) => dispatchController.abort(error),
        };
        const encoding = headerValue(headers as HeaderMap, 'content-encoding');
        const decoded = decoding(encoding, receiver, flow);
        if (decoded) target = decoded;
        target.head({ status, headers: headers as HeaderMap }, flow);
      },
      onResponseData(dispatchController, chunk) {
        if (!target.chunk(chunk)) dispatchController.pause();
      },
      onResponseEnd() {
        if ((written.socket?.writableLength ?? 0) > 0) written.socket?.destroy();
        if (!target.end) return settle({ kind: 'ended' });
        target.end().then(
          () => settle({ kind: 'ended' }),
          () => settle({ kind: 'failed', code: 'upstream_broken' }),
        );
      },
      onResponseError(_controller, error) {
        const end: UpstreamEnd = signal.aborted ? { kind: 'aborted' } : { kind: 'failed', code: codeOf(error) };
        if (!target.end || signal.aborted) return settle(end);
        const settled = (): void => settle(end); // what came before the break is handed on first
        target.end().then(settled, settled);
      },
    },
  );
  return promise;
}

/** From here on it matters that undici keeps a body until the answer has ended: it is given something that can be emptied. */
const LARGE_BODY_BYTES = 64 * 1024;

function sendable({ headers, body }: WireRequest): Pick<Dispatcher.DispatchOptions, 'headers' | 'body'> {
  const isLarge = body instanceof Uint8Array && body.length > LARGE_BODY_BYTES;
  if (!isLarge) return { headers, body: body as Uint8Array | Readable | null }; // undici takes any async iterable
  const length = { 'content-length': String(body.length) };
  return { headers: { ...headers, ...length }, body: inOnePiece(body) as unknown as Readable };
}

/** No generator: V8 keeps the registers of one that is done for as long as anybody holds it. */
function inOnePiece(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  let left: Uint8Array | null = bytes;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const value = left;
    left = null;
    return value ? { done: false, value } : { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/** Foreign errors end here: undici's and Node's codes become ours. */
function codeOf(error: Error): ErrorCode {
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError)
    return 'upstream_timeout';
  if (error instanceof errors.ConnectTimeoutError) return 'upstream_unreachable';
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && UNREACHABLE.has(code) ? 'upstream_unreachable' : 'upstream_broken';
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);
