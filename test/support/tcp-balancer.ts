import { get } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * A balancer as haproxy in TCP mode and nginx `stream` are: it knows nothing of HTTP but a health check, gives each new
 * connection to the next backend that is ready, and to another one when that one refuses. What is connected stays where
 * it is: only the backend can end it well.
 */
export interface TcpBalancer {
  readonly port: number;
  /** Whether the backend at this place is ready. */
  isUp(place: number): boolean;
  /** Connections that this place has been given so far. */
  given(place: number): number;
  /** Another process at the same place; it is down until its health check says otherwise. */
  replace(place: number, port: number): void;
  close(): Promise<void>;
}

interface Backend {
  port: number;
  isUp: boolean;
  given: number;
}

const CHECK_EVERY_MS = 100;
const RETRY_AFTER_MS = 50;
/** For one connection, over all backends. */
const MAX_TRIES = 40;

export async function startTcpBalancer(ports: readonly number[]): Promise<TcpBalancer> {
  const backends = ports.map((port): Backend => ({ port, isUp: false, given: 0 }));
  const clients = new Set<Socket>();
  let turn = 0;
  const next = (): Backend | undefined => {
    const ready = backends.filter(({ isUp }) => isUp);
    return ready[turn++ % Math.max(1, ready.length)];
  };
  const check = (): void => {
    for (const backend of backends) {
      const { port } = backend;
      const say = (isUp: boolean): void => {
        if (backend.port === port) backend.isUp = isUp;
      };
      get({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (answer) => {
        say(answer.statusCode === 200);
        answer.resume();
      }).on('error', () => say(false));
    }
  };
  const give = (client: Socket, triesLeft: number): void => {
    const backend = next();
    if (client.destroyed) return;
    if (triesLeft === 0) return void client.resetAndDestroy();
    const tryAgain = (): void => void setTimeout(() => give(client, triesLeft - 1), RETRY_AFTER_MS);
    if (!backend) return tryAgain();
    const socket = connect({ host: '127.0.0.1', port: backend.port, allowHalfOpen: true, noDelay: true });
    socket.once('error', tryAgain);
    socket.once('connect', () => {
      socket.off('error', tryAgain);
      backend.given += 1;
      join(client, socket);
    });
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    clients.add(client.on('close', () => clients.delete(client)).on('error', () => {}));
    give(client, MAX_TRIES);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  check();
  const checks = setInterval(check, CHECK_EVERY_MS);
  return {
    port: (server.address() as AddressInfo).port,
    isUp: (place) => backends[place]?.isUp ?? false,
    given: (place) => backends[place]?.given ?? 0,
    replace: (place, port) => void Object.assign(backends[place] ?? {}, { port, isUp: false }),
    close() {
      clearInterval(checks);
      for (const client of clients) client.destroy();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

/** Bytes, FINs and RSTs pass to the other side as they are. */
function join(client: Socket, backend: Socket): void {
  client.pipe(backend).pipe(client);
  for (const [socket, other] of [
    [client, backend],
    [backend, client],
  ] as const) {
    socket.on('error', () => other.resetAndDestroy());
    socket.on('close', () => other.destroy());
  }
}
