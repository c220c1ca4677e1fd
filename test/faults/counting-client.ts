import { connect } from 'node:net';

/** A client for answers of many MiB: it keeps their beginning and their end, and counts what is between. */
export interface CountingClient {
  send(bytes: string | Buffer): void;
  pause(): void;
  resume(): void;
  reset(): void;
  close(): void;
  readonly receivedBytes: number;
  readonly status: number | null;
  /** A chunked answer has come to its last chunk. */
  readonly isWhole: boolean;
  readonly isClosed: boolean;
}

const KEPT_BYTES = 64;

export async function connectCounting(port: number): Promise<CountingClient> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  let receivedBytes = 0;
  let beginning = Buffer.alloc(0);
  let end = Buffer.alloc(0);
  let isClosed = false;
  socket.on('data', (bytes) => {
    receivedBytes += bytes.length;
    if (beginning.length < KEPT_BYTES) beginning = Buffer.concat([beginning, bytes.subarray(0, KEPT_BYTES)]);
    end = Buffer.concat([end, bytes.subarray(-KEPT_BYTES)]).subarray(-KEPT_BYTES);
  });
  socket.on('error', () => {}).on('close', () => (isClosed = true));
  return {
    send: (bytes) => void socket.write(bytes),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    reset: () => void socket.resetAndDestroy(),
    close: () => void socket.destroy(),
    get receivedBytes() {
      return receivedBytes;
    },
    get status() {
      const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(beginning.toString('latin1')) ?? [];
      return status === undefined ? null : Number(status);
    },
    get isWhole() {
      return end.toString('latin1').endsWith('\r\n0\r\n\r\n');
    },
    get isClosed() {
      return isClosed;
    },
  };
}
