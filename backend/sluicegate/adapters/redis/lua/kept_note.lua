-- Whose these are from now on. KEYS: 1 hash of owners by id, 2 sorted set of ids by when they were told
-- ARGV: 1 for how many seconds, 2 the most of them, then ids and owners in turn
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local seconds, most = tonumber(ARGV[1]), tonumber(ARGV[2])
for n = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[n], ARGV[n + 1])
  -- Those that come together keep their order.
  redis.call('ZADD', KEYS[2], string.format('%.6f', now + n / 1000000), ARGV[n])
end
local gone = redis.call('ZRANGE', KEYS[2], '-inf', string.format('%.6f', now - seconds), 'BYSCORE', 'LIMIT', 0, 1000)
local beyond = redis.call('ZCARD', KEYS[2]) - #gone - most
if beyond > 0 then gone = redis.call('ZRANGE', KEYS[2], 0, #gone + math.min(beyond, 1000) - 1) end
for _, id in ipairs(gone) do
  redis.call('ZREM', KEYS[2], id)
  redis.call('HDEL', KEYS[1], id)
end
redis.call('EXPIRE', KEYS[1], seconds)
redis.call('EXPIRE', KEYS[2], seconds)
