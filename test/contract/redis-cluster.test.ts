import { describe } from 'vitest';
import { startRedisCluster } from '../redis/redis-cluster-server.ts';
import { hasRedisServer } from '../support/redis-server.ts';
import { redisContracts } from './on-redis.ts';

describe.runIf(hasRedisServer)('on a Redis Cluster of three masters', () => redisContracts(startRedisCluster));
