import type { RedisClient } from '../connection/redis-connections.ts';
import { defineScript } from '../connection/redis-script.ts';

/**
 * How an upstream's ceiling is divided among replicas: each has a share on record, and states at every beat how much it has
 * in use and how much more it could use. The shares move towards a max-min fair division of the ceiling by that demand,
 * what nobody wants being spread evenly; an idle replica keeps a little, so that its next request need not wait for a beat.
 * Invariant: what a replica gets is what the others have not on record, so that the shares never add up to more than the
 * ceiling (with more replicas than that, each has one). What a replica holds stays on record until it says that it
 * has let go of it, and a share that is not renewed for as long as a lease lives is free again.
 */
export interface CeilingShares {
  /** @param held what this replica may have on its way until it has the answer. */
  claim(upstreamId: string, ceiling: number, held: number, demand: number): Promise<number>;
  leave(upstreamId: string): Promise<unknown>;
}

export interface CeilingSharesOptions {
  readonly redis: RedisClient;
  readonly keyPrefix: string;
  readonly instance: string;
  readonly leaseMs: number;
}

/** Of an even share, what a replica keeps that wants nothing; of a small ceiling that is nothing. */
const IDLE_SHARE = 1 / 8;

const CLAIM = `
local SHARES, instance = KEYS[1], ARGV[1]
local ceiling, held, demand = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local leaseMs, idleShare = tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local taken, claims = 0, {{by = instance, demand = demand}}
local all = redis.call('HGETALL', SHARES)
for at = 1, #all, 2 do
  if all[at] ~= instance then
    local share, wanted, untilMs = string.match(all[at + 1], '^(%d+) (%d+) (%d+)$')
    if tonumber(untilMs) <= nowMs then
      redis.call('HDEL', SHARES, all[at])
    else
      taken = taken + tonumber(share)
      claims[#claims + 1] = {by = all[at], demand = tonumber(wanted)}
    end
  end
end
local idle = math.floor(ceiling / #claims * idleShare)
for _, claim in ipairs(claims) do claim.demand = math.max(claim.demand, idle) end
table.sort(claims, function(one, other)
  if one.demand == other.demand then return one.by < other.by end
  return one.demand < other.demand
end)
local left, own = ceiling, 0
for at, claim in ipairs(claims) do
  local part = math.min(claim.demand, math.floor(left / (#claims - at + 1)))
  left = left - part
  if claim.by == instance then own = part end
end
local share = math.max(0, math.min(own + math.floor(left / #claims), ceiling - taken))
if ceiling < #claims then share = 1 end
redis.call('HSET', SHARES, instance, string.format('%.0f %.0f %.0f', math.max(share, held), demand, nowMs + leaseMs))
redis.call('PEXPIRE', SHARES, leaseMs * 2)
return share
`;

export function createCeilingShares({ redis, keyPrefix, instance, leaseMs }: CeilingSharesOptions): CeilingShares {
  const claim = defineScript<number>(redis, 'ceiling-claim', 1, CLAIM);
  const keyOf = (upstreamId: string): string => `${keyPrefix}{u:${upstreamId}}:shares`;
  return {
    claim: (upstreamId, ceiling, held, demand) =>
      claim([keyOf(upstreamId)], [instance, ceiling, held, demand, leaseMs, IDLE_SHARE]),
    leave: (upstreamId) => redis.hdel(keyOf(upstreamId), instance),
  };
}
