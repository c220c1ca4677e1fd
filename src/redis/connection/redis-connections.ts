import type { Cluster, Redis, RedisOptions } from 'ioredis';

/**
 * The connections of a replica: for commands, in whose order the slots trust, and one that listens. A command is
 * sent now or fails now: nothing is kept for later and nothing is sent twice, because whoever asked has gone on without
 * Redis long before. All reconnect for as long as they live.
 */
export interface RedisConnections {
  readonly redis: RedisClient;
  readonly subscriber: Redis;
  /** Fails where any server that holds keys does not answer: a part of Redis is no Redis. */
  reach(): Promise<unknown>;
  close(): void;
}

/** Of one server, or of a cluster: then a command goes to the node that its keys are on. */
export type RedisClient = Redis | Cluster;

/** Who is told of the connections for commands. */
export interface RedisListeners {
  /** Something has gone wrong. */
  readonly onTrouble: (failure: unknown) => void;
  /** Commands can be sent: for the first time, or again. */
  readonly onOpen: () => void;
  /** One has been lost: what was on its way may or may not have been done. */
  readonly onLost: () => void;
}

const FIRST_RETRY_MS = 50;
const MOST_RETRY_MS = 1_000;

export function retryDelayMs(times: number): number {
  return Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** (times - 1)) * (1 + Math.random() / 2);
}

/** Of every connection. */
export const CONNECTION = {
  // We subscribe at every 'ready'; ioredis's own resubscribing rejects unheard where a connection dies at once.
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  // Whether Redis is well is found out by asking it what we need of it, not by INFO, which an ACL may forbid.
  enableReadyCheck: false,
  disableClientInfo: true,
  protocol: 2,
  connectTimeout: 2_000,
  keepAlive: 5_000,
} satisfies RedisOptions;

/** Nothing at all for so long although something was asked: the other side is gone without a word. */
export const SOCKET_TIMEOUT_MS = 5_000;
