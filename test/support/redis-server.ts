import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

/**
 * A redis-server of a test's own, on a free port of loopback, without a disk. It can be killed, started again empty, and
 * made silent for as long as one likes.
 */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** A connection that is the test's own; closed with the server. */
  readonly redis: Redis;
  /** SIGSTOP: connections stay, nothing is answered. */
  pause(): void;
  resume(): void;
  /** kill -9. */
  kill(): Promise<void>;
  /** On the same port, and empty; without effect on one that runs. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Whether this machine has a redis-server; says so, in one line, where it has none. */
export const hasRedisServer = findRedisServer();

const START_DEADLINE_MS = 20_000;

export async function startRedisServer(options: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  let child = await spawnServer(port, options);
  const redis = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => 50 });
  redis.on('error', () => {});
  await redis.connect();
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const kill = async (): Promise<void> => {
    if (isGone()) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    redis,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill,
    async start() {
      if (isGone()) child = await spawnServer(port, options);
    },
    async close() {
      redis.disconnect();
      await kill();
    },
  };
}

async function spawnServer(port: number, options: readonly string[]): Promise<ChildProcess> {
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...options];
  const child = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (!said.includes(READY)) said += text;
  });
  await eventually(`redis-server listens on port ${port}`, START_DEADLINE_MS, () => {
    if (child.exitCode !== null) throw new Error(`redis-server ended: ${said}`);
    return said.includes(READY);
  });
  return child;
}

const READY = 'Ready to accept connections';

function findRedisServer(): boolean {
  const isThere = spawnSync('redis-server', ['--version']).status === 0;
  if (!isThere)
    console.warn('SKIPPED: tests on Redis, because this machine has no redis-server (apt-get install redis-server)');
  return isThere;
}
