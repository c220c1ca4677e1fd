import { connect, type Socket } from 'node:net';
import { eventually } from './eventually.ts';
import { readResponse, type Reading, type ReadHead } from './http-reading.ts';

/** A client on a bare socket: it says exactly these bytes, hangs up in every way there is, and sees how answers end. */
export interface RawClient {
  send(bytes: string | Buffer): void;
  /** Sends FIN and goes on reading: what `close()` on the other machine looks like. */
  fin(): void;
  /** Sends RST. */
  reset(): void;
  close(): void;
  /** Stops taking bytes off the socket, so that the gateway's buffers fill. */
  pause(): void;
  resume(): void;
  /** All bytes that were received and not yet taken by `response`. */
  readonly received: Buffer;
  /** How the other side ended the connection. */
  readonly ending: 'open' | 'fin' | 'reset';
  /** The current answer as far as it has come. */
  peek(): Reading;
  /** Waits for the head of the current answer. */
  head(): Promise<ReadHead>;
  /** Waits until the body so far satisfies the predicate. */
  body(label: string, predicate: (text: string) => boolean): Promise<string>;
  /** Waits until the current answer is whole, or the connection over; the next call is about the next answer. */
  response(options?: { readonly isHead?: boolean }): Promise<RawResponse>;
  /** Waits until the other side has ended the connection. */
  closed(): Promise<'fin' | 'reset'>;
}

export interface RawResponse extends ReadHead {
  readonly body: Buffer;
  readonly text: string;
  readonly trailers: Reading['trailers'];
  /** `cut`: the connection ended before the answer did. */
  readonly ending: 'whole' | 'cut';
  json(): unknown;
}

const DEADLINE_MS = 10_000;

export async function connectRaw(port: number): Promise<RawClient> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return rawClient(socket);
}

function rawClient(socket: Socket): RawClient {
  let pieces: Buffer[] = [];
  let ending: RawClient['ending'] = 'open';
  socket.on('data', (piece) => pieces.push(piece));
  socket.on('end', () => {
    if (ending === 'open') ending = 'fin';
  });
  socket.on('error', () => (ending = 'reset'));
  const received = (): Buffer => {
    const all = Buffer.concat(pieces);
    pieces = [all];
    return all;
  };
  const take = (count: number): void => {
    pieces = [received().subarray(count)];
  };
  const client: RawClient = {
    send: (bytes) => void socket.write(bytes),
    fin: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    close: () => void socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    get received() {
      return received();
    },
    get ending() {
      return ending;
    },
    peek: () => readResponse(received(), false),
    async head() {
      await eventually('the head of an answer arrives', DEADLINE_MS, () => client.peek().head !== null);
      return client.peek().head as ReadHead;
    },
    async body(label, predicate) {
      await eventually(label, DEADLINE_MS, () => predicate(client.peek().body.toString()));
      return client.peek().body.toString();
    },
    async response({ isHead = false } = {}) {
      let reading = readResponse(received(), isHead);
      await eventually('an answer ends', DEADLINE_MS, () => {
        reading = readResponse(received(), isHead);
        return reading.isWhole || ending !== 'open';
      });
      take(reading.consumed);
      return toResponse(reading);
    },
    async closed() {
      await eventually('the gateway closes the connection', DEADLINE_MS, () => ending !== 'open');
      return ending as 'fin' | 'reset';
    },
  };
  return client;
}

function toResponse({ head, body, isWhole, trailers }: Reading): RawResponse {
  if (!head) throw new Error('the connection ended without an answer');
  const text = body.toString();
  return { ...head, body, text, trailers, ending: isWhole ? 'whole' : 'cut', json: () => JSON.parse(text) as unknown };
}

export interface RequestParts {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** The bytes of a request; with a content-length unless told otherwise. `''` leaves a default header out. */
export function requestBytes({
  method = 'POST',
  target = '/v1/messages',
  headers = {},
  body = '',
}: RequestParts): Buffer {
  const payload = Buffer.from(body);
  const defaults: Record<string, string> =
    method === 'POST' ? { 'content-type': 'application/json', 'content-length': String(payload.length) } : {};
  const all = { host: 'gateway.test', ...defaults, ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}`]));
  return Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1'),
    payload,
  ]);
}
