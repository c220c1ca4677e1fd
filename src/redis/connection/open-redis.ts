import { redisTargetOf } from '../../core/redis-url.ts';
import { openRedisCluster } from './redis-cluster.ts';
import type { RedisConnections, RedisListeners } from './redis-connections.ts';
import { openRedisServer } from './redis-server.ts';

/**
 * @param url as in `redis-url.ts`, with user, password and, of a server, database as usual; in a cluster all nodes have the
 * login of the first.
 * @param keyPrefix before the keys that are written to find out whether every node takes some.
 */
export function openRedis(url: string, keyPrefix: string, listeners: RedisListeners): RedisConnections {
  const { kind, urls } = redisTargetOf(url);
  return kind === 'cluster' ? openRedisCluster(urls, keyPrefix, listeners) : openRedisServer(urls[0], listeners);
}
