/**
 * Flights as Redis holds them, and the scripts that change them. Everything one script touches carries the hash tag of one
 * family (`flight-names.ts`): a request asks about several prefixes in one step, and all that can share a prefix with
 * it are of its family. One cold prefix costs about four scripts of some 20 µs.
 *
 * `w:<name>` hash, there while somebody writes the prefix: `id` of the flight, `sent` (ms, Redis's clock), `writes` (all that
 *            the flight writes, as `name/ttl` with blanks between). It expires with the lease, that is with its replica.
 * `r:<name>` hash, there while the prefix can be read: `sent`, `ttl`. It expires with the entry.
 */
const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** Leads those of `free` (indices into `writes`, KEYS at `keyOf`) under ARGV[1]. */
const LEAD = `local function lead(writes, free, keyOf)
  local names = {}
  for _, i in ipairs(free) do names[#names + 1] = writes[i] end
  for _, i in ipairs(free) do
    redis.call('HSET', keyOf(i), 'id', ARGV[1], 'sent', now, 'writes', table.concat(names, ' '))
    redis.call('PEXPIRE', keyOf(i), ARGV[2])
  end
  return {'lead', unpack(free)}
end
`;

/**
 * KEYS: `w` of all that is wanted, then `w` and `r` of each that would be written. ARGV: id, leaseMs, how many are wanted,
 * then for each write `name/ttl` and since when this replica knows it to be readable (`sent`, 0: it does not).
 */
export const JOIN = `${NOW}${LEAD}
local wanted = tonumber(ARGV[3])
for i = wanted, 1, -1 do
  local flight = redis.call('HMGET', KEYS[i], 'id', 'sent', 'writes')
  if flight[1] then return {'follow', i, now - flight[2], flight[3]} end
end
local writes, free, news = {}, {}, {}
for i = 1, (#KEYS - wanted) / 2 do
  writes[i] = ARGV[2 + i * 2]
  local entry = redis.call('HMGET', KEYS[wanted + i * 2], 'sent', 'ttl')
  local isNews = entry[1] and tonumber(entry[1]) > tonumber(ARGV[3 + i * 2])
  if isNews and (entry[2] == '1h' or string.sub(writes[i], -2) == '5m') then
    for _, one in ipairs({i, entry[2], now - entry[1], entry[1]}) do news[#news + 1] = one end
  end
  if redis.call('EXISTS', KEYS[wanted + i * 2 - 1]) == 0 then free[#free + 1] = i end
end
if #news > 0 then return {'readable', unpack(news)} end
if #free == 0 then return {'none'} end
return lead(writes, free, function(i) return KEYS[wanted + i * 2 - 1] end)`;

/**
 * What has become of a prefix that is waited for; where nobody writes it and it cannot be read, its leader failed or died,
 * and who asks takes over all it wrote. KEYS: `w` and `r` of the prefix, then `w` of each write. ARGV: id, leaseMs, the writes.
 * Without writes nothing is taken over.
 */
export const LOOK = `${NOW}${LEAD}
local flight = redis.call('HMGET', KEYS[1], 'id', 'sent', 'writes')
if flight[1] then return {'flying', now - flight[2], flight[3]} end
if redis.call('EXISTS', KEYS[2]) == 1 then return {'over'} end
local writes, free = {}, {}
for i = 1, #KEYS - 2 do
  writes[i] = ARGV[2 + i]
  if redis.call('EXISTS', KEYS[2 + i]) == 0 then free[#free + 1] = i end
end
if #free == 0 then return {'over'} end
return lead(writes, free, function(i) return KEYS[2 + i] end)`;

/**
 * Holds a flight for another lease, anew where Redis has forgotten it. KEYS: `w` of each write. ARGV: id, leaseMs, how long
 * ago it was sent, the writes; then, where followers are to know of it, a channel and the message. Returns 1 where somebody
 * else has taken it over by now.
 */
export const HOLD = `${NOW}
local isLost = 0
for _, key in ipairs(KEYS) do
  local holder = redis.call('HGET', key, 'id')
  if holder and holder ~= ARGV[1] then
    isLost = 1
  else
    redis.call('HSET', key, 'id', ARGV[1], 'sent', now - ARGV[3], 'writes', ARGV[4])
    redis.call('PEXPIRE', key, ARGV[2])
  end
end
if ARGV[5] then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
return isLost`;

/**
 * KEYS: `w` and `r` of each write. ARGV: id, channel, message, how long ago the request was sent, then for each write its
 * ttl and that in ms. Returns `sent`.
 */
export const LAND = `${NOW}
local sent = now - ARGV[4]
for i = 1, #KEYS, 2 do
  if redis.call('HGET', KEYS[i], 'id') == ARGV[1] then redis.call('DEL', KEYS[i]) end
  local leftMs = ARGV[5 + i] - ARGV[4]
  if redis.call('PTTL', KEYS[i + 1]) < leftMs then
    redis.call('HSET', KEYS[i + 1], 'sent', sent, 'ttl', ARGV[4 + i])
    redis.call('PEXPIRE', KEYS[i + 1], leftMs)
  end
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return sent`;

/** KEYS: `w` of each write. ARGV: id, channel, message. Returns how many have heard of it. */
export const RELEASE = `
for _, key in ipairs(KEYS) do
  if redis.call('HGET', key, 'id') == ARGV[1] then redis.call('DEL', key) end
end
return redis.call('PUBLISH', ARGV[2], ARGV[3])`;
