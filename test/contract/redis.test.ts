import { describe } from 'vitest';
import { hasRedisServer, startRedisServer } from '../support/redis-server.ts';
import { redisContracts } from './on-redis.ts';

describe.runIf(hasRedisServer)('on a redis-server', () => redisContracts(startRedisServer));
