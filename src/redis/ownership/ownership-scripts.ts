import type { OwnedObject } from '../../state/ownership.ts';
import type { RedisClient } from '../connection/redis-connections.ts';
import { defineScript } from '../connection/redis-script.ts';

/**
 * A book of claims: a hash from ids to upstreams, and a sorted set of the same ids by the microsecond of Redis's clock in
 * which they were claimed, which is the order of lists and says what has run out. Both keys hold one tenant's objects of
 * one kind, and are in its hash slot.
 */
export interface OwnershipScripts {
  /** @param lifeMs 0: for ever. */
  claim(book: string, object: OwnedObject, lifeMs: number): Promise<unknown>;
  /** The upstream, or null. */
  find(book: string, id: string, lifeMs: number): Promise<string | null>;
  forget(book: string, id: string): Promise<unknown>;
  /** Ids and upstreams, one behind the other, nearest to where it begins first; null: it begins nowhere. */
  list(book: string, from: ListFrom, limit: number, lifeMs: number): Promise<readonly string[] | null>;
}

export type ListFrom = { readonly direction: 'newest' | 'older' | 'newer'; readonly id: string };

const KEYS_OF = `
local upstreams, order = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local function micros(value) return string.format('%.0f', value) end
local function over(life) return tonumber(life) > 0 and micros(now - tonumber(life) * 1000) or '-inf' end
local function drop(id) redis.call('HDEL', upstreams, id) redis.call('ZREM', order, id) end
`;

/** Two claims never have the same microsecond. Some of what has run out goes with each. */
const CLAIM = `${KEYS_OF}
local life = tonumber(ARGV[3])
if life > 0 then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', order, '-inf', over(life), 'LIMIT', 0, 100)) do drop(id) end
end
if redis.call('HGET', upstreams, ARGV[1]) then return 0 end
local newest = redis.call('ZRANGE', order, -1, -1, 'WITHSCORES')
if newest[2] and tonumber(newest[2]) >= now then now = tonumber(newest[2]) + 1 end
redis.call('HSET', upstreams, ARGV[1], ARGV[2])
redis.call('ZADD', order, micros(now), ARGV[1])
if life > 0 then redis.call('PEXPIRE', upstreams, life) redis.call('PEXPIRE', order, life) end
return 1
`;

const FIND = `${KEYS_OF}
local at = redis.call('ZSCORE', order, ARGV[1])
if not at or (tonumber(ARGV[2]) > 0 and tonumber(at) <= tonumber(over(ARGV[2]))) then return false end
return redis.call('HGET', upstreams, ARGV[1])
`;

const FORGET = `${KEYS_OF}
drop(ARGV[1])
return 1
`;

const LIST = `${KEYS_OF}
local direction, limit, oldest = ARGV[1], tonumber(ARGV[3]), over(ARGV[4])
if oldest ~= '-inf' then oldest = '(' .. oldest end
local from = '+inf'
if direction ~= 'newest' then
  from = redis.call('ZSCORE', order, ARGV[2])
  if not from then return false end
  from = '(' .. from
end
local ids
if direction == 'newer' then ids = redis.call('ZRANGE', order, from, '+inf', 'BYSCORE', 'LIMIT', 0, limit)
else ids = redis.call('ZRANGE', order, from, oldest, 'BYSCORE', 'REV', 'LIMIT', 0, limit) end
local found = {}
for _, id in ipairs(ids) do
  found[#found + 1] = id
  found[#found + 1] = redis.call('HGET', upstreams, id)
end
return found
`;

export function createOwnershipScripts(redis: RedisClient): OwnershipScripts {
  const claim = defineScript<unknown>(redis, 'ownership-claim', 2, CLAIM);
  const find = defineScript<string | null>(redis, 'ownership-find', 2, FIND);
  const forget = defineScript<unknown>(redis, 'ownership-forget', 2, FORGET);
  const list = defineScript<readonly string[] | null>(redis, 'ownership-list', 2, LIST);
  const keysOf = (book: string): [string, string] => [book, `${book}:order`];
  return {
    claim: (book, { id, upstreamId }, lifeMs) => claim(keysOf(book), [id, upstreamId, lifeMs]),
    find: (book, id, lifeMs) => find(keysOf(book), [id, lifeMs]),
    forget: (book, id) => forget(keysOf(book), [id]),
    list: (book, { direction, id }, limit, lifeMs) => list(keysOf(book), [direction, id, limit, lifeMs]),
  };
}
