import { Redis } from 'ioredis';
import {
  CONNECTION,
  retryDelayMs,
  SOCKET_TIMEOUT_MS,
  type RedisConnections,
  type RedisListeners,
} from './redis-connections.ts';

/** One server: one connection for commands, one that listens. Both reconnect by themselves. */
export function openRedisServer(url: string, { onTrouble, onOpen, onLost }: RedisListeners): RedisConnections {
  const shared = { ...CONNECTION, enableOfflineQueue: false, retryStrategy: retryDelayMs };
  const redis = new Redis(url, {
    ...shared,
    socketTimeout: SOCKET_TIMEOUT_MS,
    // After a failover the name of the service leads to the new master; this connection still leads to the old one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  const subscriber = new Redis(url, shared);
  redis.on('error', onTrouble).on('ready', onOpen).on('close', onLost);
  // Who only listens has a timer for what it may have missed.
  subscriber.on('error', () => {});
  return {
    redis,
    subscriber,
    reach: async () => {}, // whoever asks anything asks this one
    close() {
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}
