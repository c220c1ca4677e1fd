import type { IncomingHttpHeaders } from 'node:http';
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
const beginning: { call: Call | null } = { call: null };
subscribe('undici:client:sendHeaders', (message) => {
  if (beginning.call) beginning.call.socket = (message as { readonly socket: Socket }).socket;
  beginning.call = null;
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
      const { method, signal } = request;
      if (signal.aborted) return Promise.resolve({ kind: 'aborted' });
      const call = new Call(signal, receiver);
      poolOf(origin).dispatch({ method, path, bodyTimeout: bodyIdleMs(), ...sendable(request) }, call);
      return call.ended;
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

/** One request and its answer, as undici reports them. A class: there is one for every open stream. */
class Call implements Dispatcher.DispatchHandler {
  /** The connection that the request is written to. */
  socket: Socket | null = null;
  readonly #signal: AbortSignal;
  readonly #ended = Promise.withResolvers<UpstreamEnd>();
  #target: AnswerReceiver & { end?(): Promise<void> };
  #controller: Dispatcher.DispatchController | null = null;

  constructor(signal: AbortSignal, receiver: AnswerReceiver) {
    this.#signal = signal;
    this.#target = receiver;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  get ended(): Promise<UpstreamEnd> {
    return this.#ended.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal.aborted) controller.abort(callerIsGone());
    else beginning.call = this; // one that is not written would be held, with its answer's receiver, until the next begins
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return; // an interim answer
    controller.rawHeaders = null; // or it keeps the whole chunk that they came in for as long as the answer lasts
    const encoding = headerValue(headers as HeaderMap, 'content-encoding');
    this.#target = decoding(encoding, this.#target, controller) ?? this.#target;
    this.#target.head({ status, headers: headers as HeaderMap }, controller);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (!this.#target.chunk(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if ((this.socket?.writableLength ?? 0) > 0) this.socket?.destroy();
    if (!this.#target.end) return this.#settle({ kind: 'ended' });
    this.#target.end().then(
      () => this.#settle({ kind: 'ended' }),
      () => this.#settle({ kind: 'failed', code: 'upstream_broken' }),
    );
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const end: UpstreamEnd = this.#signal.aborted ? { kind: 'aborted' } : { kind: 'failed', code: codeOf(error) };
    if (!this.#target.end || this.#signal.aborted) return this.#settle(end);
    const settled = (): void => this.#settle(end); // what came before the break is handed on first
    this.#target.end().then(settled, settled);
  }

  readonly #onAbort = (): void => {
    this.#settle({ kind: 'aborted' });
    this.#controller?.abort(callerIsGone());
  };

  #settle(end: UpstreamEnd): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#ended.resolve(end);
  }
}

const callerIsGone = (): Error => new Error('the caller is gone');

/** From here on it matters that undici keeps a body until the answer has ended: it is given something that can be emptied. */
const LARGE_BODY_BYTES = 16 * 1024;

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
