import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { eventually } from '../support/eventually.ts';

/**
 * An upstream on bare TCP: it breaks HTTP wherever a case wants it broken, at any byte, which no HTTP server would do.
 * What it does with an attempt is decided when the connection, the head or the whole request has come. An attempt is open
 * until it is answered, broken off by us, or its connection ended by the gateway.
 */
export interface RawUpstream {
  readonly url: string;
  /** Attempts in the order in which they were begun. */
  readonly attempts: readonly RawAttempt[];
  /** Neither answered to the end nor over. */
  readonly openAttempts: number;
  readonly openConnections: number;
  /** The attempt with this index, counted from 0, once it has come as far as its plan wants it. */
  attempt(index: number): Promise<RawAttempt>;
  close(): Promise<void>;
}

export interface RawAttempt {
  readonly index: number;
  /** What the gateway has sent, as far as it has come. */
  readonly head: string;
  readonly body: Buffer;
  /** `closed`: the gateway ended the connection before we were done. */
  readonly state: 'open' | 'answered' | 'closed';
  /** What was written and the gateway has not taken yet. */
  readonly unsentBytes: number;
  write(bytes: string | Uint8Array): void;
  /** The answer is over; the connection can be used again. */
  end(): void;
  /** Ends the connection when all that was written is on its way. */
  fin(): void;
  /** RST, when all that was written is on its way. */
  reset(): void;
  /** Reads again after a plan `head`, to see the connection's end. */
  readOn(): void;
}

/** `accept`: before a byte of the request is read. `head`: its body is never read. */
export interface Plan {
  readonly at: 'accept' | 'head' | 'request';
  readonly run: (attempt: RawAttempt) => void;
}

export const onRequest = (run: (attempt: RawAttempt) => void): Plan => ({ at: 'request', run });
export const SILENT: Plan = onRequest(() => {});

const ARRIVAL_DEADLINE_MS = 6_000;

/** @param planOf what is done with the attempt of this index. */
export async function startRawUpstream(planOf: (index: number) => Plan): Promise<RawUpstream> {
  const attempts: RawAttempt[] = [];
  const arrived = new Set<number>();
  const sockets = new Set<Socket>();
  const begin = (socket: Socket, head: string, body: () => Buffer): RawAttempt => {
    const attempt = rawAttempt(attempts.length, socket, head, body);
    attempts.push(attempt);
    return attempt;
  };
  const run = (plan: Plan, attempt: RawAttempt): void => {
    arrived.add(attempt.index);
    plan.run(attempt);
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {}));
    socket.on('end', () => socket.destroy());
    const plan = planOf(attempts.length);
    if (plan.at === 'accept') {
      socket.pause();
      run(
        plan,
        begin(socket, '', () => Buffer.alloc(0)),
      );
      return;
    }
    serveRequests(socket, { planOf: () => planOf(attempts.length), begin, run });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    attempts,
    get openAttempts() {
      return attempts.filter(({ state }) => state === 'open').length;
    },
    get openConnections() {
      return sockets.size;
    },
    async attempt(index) {
      await eventually(`attempt ${index} reaches the upstream`, ARRIVAL_DEADLINE_MS, () => arrived.has(index));
      return attempts[index] as RawAttempt;
    },
    close: () => closeServer(server, sockets),
  };
}

/** An address at which nobody listens. */
export async function refusingUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await closeServer(server, new Set());
  return `http://127.0.0.1:${port}`;
}

interface Desk {
  planOf(): Plan;
  begin(socket: Socket, head: string, body: () => Buffer): RawAttempt;
  run(plan: Plan, attempt: RawAttempt): void;
}

interface Incoming {
  received: Buffer;
  begun: { readonly attempt: RawAttempt; readonly plan: Plan; readonly bodyEnd: number } | null;
}

/** One request after the other on a connection; the gateway's have a length each. */
function serveRequests(socket: Socket, desk: Desk): void {
  let incoming: Incoming = { received: Buffer.alloc(0), begun: null };
  socket.on('data', (bytes) => {
    incoming.received = Buffer.concat([incoming.received, bytes]);
    incoming.begun ??= readHead(incoming, socket, desk);
    const { received, begun } = incoming;
    if (!begun) return;
    if (begun.plan.at === 'head') socket.pause();
    else if (received.length < begun.bodyEnd) return;
    incoming = { received: Buffer.alloc(0), begun: null };
    desk.run(begun.plan, begun.attempt);
  });
}

function readHead(incoming: Incoming, socket: Socket, { planOf, begin }: Desk): Incoming['begun'] {
  const headEnd = incoming.received.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = incoming.received.subarray(0, headEnd).toString('latin1');
  const bodyStart = headEnd + 4;
  const bodyEnd = bodyStart + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const plan = planOf();
  return { attempt: begin(socket, head, () => incoming.received.subarray(bodyStart, bodyEnd)), plan, bodyEnd };
}

function rawAttempt(index: number, socket: Socket, head: string, body: () => Buffer): RawAttempt {
  let state: RawAttempt['state'] = 'open';
  const isOver = (): void => {
    if (state === 'open') state = 'closed';
  };
  socket.on('close', isOver).on('end', isOver);
  const leave = (how: () => void): void => {
    if (state === 'open') state = 'answered';
    socket.write('', how);
  };
  return {
    index,
    head,
    get body() {
      return body();
    },
    get state() {
      return state;
    },
    get unsentBytes() {
      return socket.writableLength;
    },
    write: (bytes) => void socket.write(bytes),
    end() {
      if (state === 'open') state = 'answered';
    },
    fin() {
      leave(() => socket.end());
      socket.removeAllListeners('data').resume(); // what still comes is not for us, but for its end
    },
    reset: () => leave(() => socket.resetAndDestroy()),
    readOn: () => void socket.removeAllListeners('data').resume(),
  };
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => void server.close(() => resolve()));
}
