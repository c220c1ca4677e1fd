import type { RedisClient } from './connection/redis-connections.ts';
import { defineScript } from './connection/redis-script.ts';

/**
 * Who else is there: each replica signs in at every beat, and who has not for `PRESENT_MS` does not count. The number is
 * what limits are divided by when Redis cannot be asked, so the last one known is kept.
 */
export interface Replicas {
  /** How many were there when Redis was last well; at least 1. */
  readonly known: number;
  /** Signs in; resolves with how many there are now. Writes, and so fails where Redis takes no writes. */
  signIn(): Promise<number>;
  note(count: number): void;
  signOut(): Promise<unknown>;
}

export interface ReplicasOptions {
  readonly redis: RedisClient;
  readonly keyPrefix: string;
  readonly instance: string;
}

const PRESENT_MS = 5_000;

const SIGN_IN = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', nowMs + ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', nowMs))
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2)
return redis.call('ZCARD', KEYS[1])
`;

export function createReplicas({ redis, keyPrefix, instance }: ReplicasOptions): Replicas {
  const key = `${keyPrefix}{r}:replicas`;
  const signIn = defineScript<number>(redis, 'replica-sign-in', 1, SIGN_IN);
  let known = 1;
  return {
    get known() {
      return known;
    },
    signIn: () => signIn([key], [instance, PRESENT_MS]),
    note(count) {
      known = Math.max(1, count);
    },
    signOut: () => redis.zrem(key, instance),
  };
}
