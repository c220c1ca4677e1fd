import type { RedisClient } from '../connection/redis-connections.ts';
import { defineScript } from '../connection/redis-script.ts';

/**
 * A tenant's slots in Redis, all in one hash slot. `leases`: who holds one, by the moment at which it ends unless it is
 * renewed. `line`: who waits, by the moment at which he came. `alive`: until when his ticket counts. Whose they are is in
 * an id before its last colon. Invariant: after every script nobody waits who could go; who is served by another's call
 * is told on the channel of his replica, and finds out from `sync` if that message is lost. Time is Redis's own.
 */
export interface SlotScripts {
  /** In one round trip: a lease, a place in the line, or neither. */
  ask(name: string, limit: number, id: string, maxWaiters: number): Promise<SlotReply>;
  /** A lease or a ticket is given up. */
  gone(name: string, limit: number, id: string): Promise<unknown>;
  /** What this replica has there; `isWhole`: and nothing else. Renews it, and registers it where it was unknown. */
  sync(name: string, limit: number, held: Held, isWhole: boolean): Promise<SyncReply>;
}

export interface Held {
  readonly leases: readonly string[];
  readonly tickets: readonly { readonly id: string; readonly waitedMs: number }[];
}

/** What became of it, and how many wait at all replicas together. */
export type SlotReply = readonly ['granted' | 'full' | 'waits', number];

/** How many wait, and which of the tickets have become leases. */
export type SyncReply = readonly [number, ...string[]];

export interface SlotScriptsOptions {
  readonly redis: RedisClient;
  readonly keyPrefix: string;
  /** Before the id of a replica: where it is told of its grants, as `<name>\n<id>`. */
  readonly wakePrefix: string;
  readonly instance: string;
  readonly leaseMs: number;
}

/** Tickets are renewed at every beat. */
const TICKET_MS = 2_000;
/** A lease that came out of the line: until its holder has confirmed it, lest the line of a dead replica holds slots in turn. */
const UNCONFIRMED_MS = 3_000;

const SERVE = `
local LEASES, LINE, ALIVE = KEYS[1], KEYS[2], KEYS[3]
local name, wake, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local leaseMs, ticketMs, unconfirmedMs = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.0f', number) end
local function forget(id)
  redis.call('ZREM', LINE, id)
  redis.call('ZREM', ALIVE, id)
end
local function stand(id, waitedMs)
  redis.call('ZADD', LINE, 'NX', text(time[1] * 1000000 + time[2] - waitedMs * 1000), id)
  redis.call('ZADD', ALIVE, text(nowMs + ticketMs), id)
end
local function hold(id, forMs)
  redis.call('ZADD', LEASES, text(nowMs + forMs), id)
end
local function purge()
  redis.call('ZREMRANGEBYSCORE', LEASES, '-inf', text(nowMs))
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', ALIVE, '-inf', text(nowMs))) do forget(id) end
end
local function serve()
  purge()
  local room = limit - redis.call('ZCARD', LEASES)
  if room > 0 then
    for _, id in ipairs(redis.call('ZRANGE', LINE, 0, room - 1)) do
      forget(id)
      hold(id, unconfirmedMs)
      redis.call('PUBLISH', wake .. string.match(id, '^(.*):'), name .. '\\n' .. id)
    end
  end
  redis.call('PEXPIRE', LEASES, leaseMs * 2)
  redis.call('PEXPIRE', LINE, leaseMs)
  redis.call('PEXPIRE', ALIVE, leaseMs)
end
`;

const ASK = `${SERVE}
local id, maxWaiters = ARGV[7], tonumber(ARGV[8])
purge()
local waiting = redis.call('ZCARD', LINE)
if waiting > 0 then
  serve()
  waiting = redis.call('ZCARD', LINE)
end
if waiting == 0 and redis.call('ZCARD', LEASES) < limit then
  hold(id, leaseMs)
  redis.call('PEXPIRE', LEASES, leaseMs * 2)
  return {'granted', 0}
end
if waiting >= maxWaiters then return {'full', waiting} end
stand(id, 0)
serve()
return {'waits', waiting + 1}
`;

const GONE = `${SERVE}
redis.call('ZREM', LEASES, ARGV[7])
if redis.call('EXISTS', LINE) == 0 then return 0 end
forget(ARGV[7])
serve()
return 0
`;

const SYNC = `${SERVE}
local instance, leaseCount = ARGV[7], tonumber(ARGV[8])
local known = {}
for at = 9, 8 + leaseCount do known[ARGV[at]] = true end
for at = 9 + leaseCount, #ARGV, 2 do known[ARGV[at]] = true end
if instance ~= '' then
  local function drop(key)
    for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      if string.sub(id, 1, #instance + 1) == instance .. ':' and not known[id] then redis.call('ZREM', key, id) end
    end
  end
  drop(LEASES)
  drop(LINE)
  drop(ALIVE)
end
local hasLine = redis.call('EXISTS', LINE) == 1
for at = 9, 8 + leaseCount do
  if hasLine then forget(ARGV[at]) end
  hold(ARGV[at], leaseMs)
end
for at = 9 + leaseCount, #ARGV, 2 do
  if redis.call('ZSCORE', LEASES, ARGV[at]) then hold(ARGV[at], leaseMs) else stand(ARGV[at], tonumber(ARGV[at + 1])) end
end
serve()
local reply = {redis.call('ZCARD', LINE)}
for at = 9 + leaseCount, #ARGV, 2 do
  if redis.call('ZSCORE', LEASES, ARGV[at]) then reply[#reply + 1] = ARGV[at] end
end
return reply
`;

export function createSlotScripts({
  redis,
  keyPrefix,
  wakePrefix,
  instance,
  leaseMs,
}: SlotScriptsOptions): SlotScripts {
  const ask = defineScript<SlotReply>(redis, 'slot-ask', 3, ASK);
  const gone = defineScript<unknown>(redis, 'slot-gone', 3, GONE);
  const sync = defineScript<SyncReply>(redis, 'slot-sync', 3, SYNC);
  const keysOf = (name: string): string[] =>
    ['leases', 'line', 'alive'].map((part) => `${keyPrefix}{t:${name}}:${part}`);
  const unconfirmedMs = Math.min(UNCONFIRMED_MS, leaseMs);
  const rulesOf = (name: string, limit: number) => [name, wakePrefix, limit, leaseMs, TICKET_MS, unconfirmedMs];
  return {
    ask: (name, limit, id, maxWaiters) => ask(keysOf(name), [...rulesOf(name, limit), id, maxWaiters]),
    gone: (name, limit, id) => gone(keysOf(name), [...rulesOf(name, limit), id]),
    sync: (name, limit, { leases, tickets }, isWhole) =>
      sync(keysOf(name), [
        ...rulesOf(name, limit),
        isWhole ? instance : '',
        leases.length,
        ...leases,
        ...tickets.flatMap(({ id, waitedMs }) => [id, Math.round(waitedMs)]),
      ]),
  };
}
