import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Transform } from 'node:stream';
import { constants, createBrotliCompress, createDeflate, createGzip, createZstdCompress } from 'node:zlib';
import { eventually } from './eventually.ts';

/**
 * An upstream whose every step a test decides: when the head comes, when each byte, and how it ends. It records what
 * reached it and whether the gateway closed a call before it was answered. Calls are kept in the order of arrival.
 */
export interface ScriptedUpstream {
  readonly url: string;
  /** What is done with each call; the test may also answer calls itself. Nothing by default: the call hangs. */
  script: (call: UpstreamCall) => void;
  readonly calls: readonly UpstreamCall[];
  /** Calls that are neither answered to the end nor closed. */
  readonly openCalls: number;
  /** The call with this index, counted from 0, once its body has arrived. */
  call(index: number): Promise<UpstreamCall>;
  close(): Promise<void>;
}

export interface UpstreamCall {
  readonly method: string;
  readonly target: string;
  /** Lines as they came: name, value, name, value. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly bodyIsWhole: boolean;
  /** `closed`: the gateway ended the connection before we were done. */
  readonly state: 'open' | 'answered' | 'closed';
  /** What was written and the gateway has not taken yet. */
  readonly unsentBytes: number;
  /** An answer in one piece. An object is sent as JSON. */
  answer(status: number, body: string | Buffer | object, headers?: OutgoingHttpHeaders): void;
  head(status: number, headers?: OutgoingHttpHeaders): void;
  /** The head of an event stream, with nothing behind it yet. */
  sse(headers?: OutgoingHttpHeaders): void;
  /** Bytes of the body; false when the gateway reads more slowly than this. */
  write(bytes: string | Buffer): boolean;
  /** All that is written from now on is compressed, and flushed piece by piece. */
  compress(encoding: Encoding): void;
  /** Ends the answer properly. */
  end(): void;
  /** Ends the connection without the end of the answer. */
  fin(): void;
  reset(): void;
  /** Bytes past HTTP: early hints, broken heads. */
  raw(bytes: string | Buffer): void;
  early(status: number): void;
}

export type Encoding = 'gzip' | 'deflate' | 'br' | 'zstd';

const COMPRESSORS: Readonly<Record<Encoding, () => Transform>> = {
  gzip: () => createGzip({ flush: constants.Z_SYNC_FLUSH }),
  deflate: () => createDeflate({ flush: constants.Z_SYNC_FLUSH }),
  br: () => createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH }),
  zstd: () => createZstdCompress({ flush: constants.ZSTD_e_flush }),
};

const ARRIVAL_DEADLINE_MS = 10_000;

export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const calls: UpstreamCall[] = [];
  const sockets = new Set<Socket>();
  let script: ScriptedUpstream['script'] = () => {};
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    const call = scriptedCall(incoming, outgoing, () => script(call));
    calls.push(call);
  });
  server.on('connection', (socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get script() {
      return script;
    },
    set script(next) {
      script = next;
    },
    calls,
    get openCalls() {
      return calls.filter(({ state }) => state === 'open').length;
    },
    async call(index) {
      await eventually(`call ${index} reaches the upstream`, ARRIVAL_DEADLINE_MS, () => !!calls[index]?.bodyIsWhole);
      return calls[index] as UpstreamCall;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

function scriptedCall(incoming: IncomingMessage, outgoing: ServerResponse, onWhole: () => void): UpstreamCall {
  const { socket, rawHeaders, headers, method = '', url: target = '' } = incoming;
  const pieces: Buffer[] = [];
  let bodyIsWhole = false;
  let state: UpstreamCall['state'] = 'open';
  let compressor: Transform | null = null;
  incoming.on('data', (piece: Buffer) => pieces.push(piece)).on('error', () => {});
  incoming.on('end', () => {
    bodyIsWhole = true;
    onWhole();
  });
  outgoing
    .on('error', () => {})
    .on('close', () => {
      if (state === 'open') state = outgoing.writableFinished ? 'answered' : 'closed';
    });
  const leave = (how: () => void): void => {
    state = 'answered';
    how();
  };
  const call: UpstreamCall = {
    method,
    target,
    rawHeaders,
    headers,
    get body() {
      return Buffer.concat(pieces);
    },
    get bodyIsWhole() {
      return bodyIsWhole;
    },
    get state() {
      return state;
    },
    get unsentBytes() {
      return socket.writableLength;
    },
    answer(status, body, extra = {}) {
      const isText = typeof body === 'string' || Buffer.isBuffer(body);
      outgoing.writeHead(status, { 'content-type': 'application/json', ...extra });
      outgoing.end(isText ? body : JSON.stringify(body));
    },
    head(status, extra = {}) {
      outgoing.writeHead(status, extra).flushHeaders();
    },
    sse: (extra = {}) => call.head(200, { 'content-type': 'text/event-stream; charset=utf-8', ...extra }),
    write: (bytes) => (compressor ?? outgoing).write(bytes),
    compress(encoding) {
      compressor = COMPRESSORS[encoding]();
      compressor.on('data', (piece: Buffer) => outgoing.write(piece)).on('end', () => outgoing.end());
    },
    end: () => void (compressor ?? outgoing).end(),
    fin: () => leave(() => socket.destroySoon()),
    reset: () => leave(() => socket.resetAndDestroy()),
    raw: (bytes) => void socket.write(bytes),
    early: (status) => void socket.write(`HTTP/1.1 ${status} Early\r\nlink: </style.css>\r\n\r\n`),
  };
  return call;
}
