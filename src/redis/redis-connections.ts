import { Redis, type RedisOptions } from 'ioredis';

/**
 * The two connections of a replica: one for commands, in whose order the slots trust, and one that listens. A command is
 * sent now or fails now: nothing is kept for later and nothing is sent twice, because whoever asked has gone on without
 * Redis long before. Both reconnect for as long as they live.
 */
export interface RedisConnections {
  readonly redis: Redis;
  readonly subscriber: Redis;
  close(): void;
}

export interface RedisConnectionsOptions {
  /** `redis://` or, with TLS, `rediss://`, with user, password and database as usual. */
  readonly url: string;
  /** Something has gone wrong on the connection for commands. */
  readonly onTrouble: (failure: unknown) => void;
  /** The connection for commands is open: for the first time, or again. */
  readonly onOpen: () => void;
  /** And has been lost: what was on its way may or may not have been done. */
  readonly onLost: () => void;
}

const FIRST_RETRY_MS = 50;
const MOST_RETRY_MS = 1_000;

const SHARED = {
  enableOfflineQueue: false,
  // We subscribe at every 'ready'; ioredis's own resubscribing rejects unheard where a connection dies at once.
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  // Whether Redis is well is found out by asking it what we need of it, not by INFO, which an ACL may forbid.
  enableReadyCheck: false,
  disableClientInfo: true,
  protocol: 2,
  connectTimeout: 2_000,
  keepAlive: 5_000,
  retryStrategy: (times: number) =>
    Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** (times - 1)) * (1 + Math.random() / 2),
} satisfies RedisOptions;

export function openRedis({ url, onTrouble, onOpen, onLost }: RedisConnectionsOptions): RedisConnections {
  const redis = new Redis(url, {
    ...SHARED,
    // Nothing at all for so long although something was asked: the other side is gone without a word.
    socketTimeout: 5_000,
    // After a failover the name of the service leads to the new master; this connection still leads to the old one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  const subscriber = new Redis(url, SHARED);
  redis.on('error', onTrouble).on('ready', onOpen).on('close', onLost);
  // Who only listens has a timer for what it may have missed.
  subscriber.on('error', () => {});
  return {
    redis,
    subscriber,
    close() {
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}
