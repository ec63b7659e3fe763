/**
 * The scripts of the store in Redis. Each runs in one step, and takes the time from the server, so that clocks of replicas do not
 * matter. Numbers are written with `%.0f`: Lua would write large ones with an exponent.
 */

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/** KEYS: value. ARGV: value, milliseconds. */
export const ADD = "return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0";

/** KEYS: value. */
export const GET = "return redis.call('GET', KEYS[1])";

/** KEYS: value. ARGV: number, milliseconds. */
export const RAISE = `
local number, left = tonumber(ARGV[1]), tonumber(ARGV[2])
number = math.max(number, tonumber(redis.call('GET', KEYS[1]) or number))
left = math.max(left, redis.call('PTTL', KEYS[1]))
redis.call('SET', KEYS[1], string.format('%.0f', number), 'PX', string.format('%.0f', left))
return 1`;

/**
 * KEYS: entries by place, entries by expiry, last place. ARGV: entry, milliseconds. The first place is the time in microseconds: if
 * Redis loses its data, the places go on above those that readers know.
 */
export const APPEND = `${NOW}
local place = redis.call('INCR', KEYS[3])
if place == 1 then
  place = time[1] * 1000000 + time[2]
  redis.call('SET', KEYS[3], string.format('%.0f', place))
end
local member = string.format('%.0f:', place) .. ARGV[1]
redis.call('ZADD', KEYS[1], string.format('%.0f', place), member)
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[2]), member)
for _, expired in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[1], expired)
  redis.call('ZREM', KEYS[2], expired)
end
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, string.format('%.0f', last[2])) end
return 1`;

/** KEYS: those of APPEND. ARGV: cursor, the most entries to return. Returns the next cursor, then the entries. */
export const SINCE = `${NOW}
local last = tonumber(redis.call('GET', KEYS[3]) or '0')
local cursor = tonumber(ARGV[1])
if cursor > last then cursor = 0 end
local found = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', cursor), '+inf', 'LIMIT', 0, ARGV[2])
local answer = {''}
for _, member in ipairs(found) do
  local place, entry = string.match(member, '^(%d+):(.*)$')
  cursor = tonumber(place)
  if tonumber(redis.call('ZSCORE', KEYS[2], member) or '0') > now then answer[#answer + 1] = entry end
end
if #found < tonumber(ARGV[2]) then cursor = last end
answer[1] = string.format('%.0f', cursor)
return answer`;

/**
 * KEYS: buckets. ARGV: capacity, refill, milliseconds and cost of each. As in token-bucket.ts. Redis refuses a key that lives for more
 * than some 10^18 milliseconds, so a bucket that would be full later is forgotten after 30,000 years.
 */
export const TAKE = `${NOW}
local wait = 0
local after = {}
for i, key in ipairs(KEYS) do
  local capacity, refill = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])
  local every, cost = tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i])
  local state = redis.call('HMGET', key, 'tokens', 'filledAt')
  local tokens, filledAt = tonumber(state[1] or capacity), tonumber(state[2] or now)
  if filledAt > now then filledAt = now end
  local fills = math.floor((now - filledAt) / every)
  tokens = math.min(capacity, tokens + fills * refill)
  filledAt = filledAt + fills * every
  if tokens < cost then wait = math.max(wait, filledAt + math.ceil((cost - tokens) / refill) * every - now) end
  tokens = tokens - cost
  after[i] = { tokens, filledAt, filledAt + math.ceil((capacity - tokens) / refill) * every - now }
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, 'tokens', string.format('%.0f', after[i][1]), 'filledAt', string.format('%.0f', after[i][2]))
  redis.call('PEXPIRE', key, string.format('%.0f', math.min(after[i][3], 1e15)))
end
return 0`;
