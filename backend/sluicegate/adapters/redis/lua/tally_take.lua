-- Counts one in each, or in none where one is full: gives the seconds until that one begins anew.
-- KEYS: 1 sorted set of numbers, 2 sorted set of when spans end. ARGV: 1 the most names, then name, limit and seconds
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local live = {}
for n = 2, #ARGV, 3 do
  local ends = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[n]) or 0)
  live[n] = ends > now
  if live[n] and tonumber(redis.call('ZSCORE', KEYS[1], ARGV[n]) or 0) >= tonumber(ARGV[n + 1]) then
    return string.format('%.3f', ends - now)
  end
end
local lasting = 0
for n = 2, #ARGV, 3 do
  local seconds = tonumber(ARGV[n + 2])
  lasting = math.max(lasting, seconds)
  if live[n] then
    redis.call('ZINCRBY', KEYS[1], 1, ARGV[n])
  else
    redis.call('ZADD', KEYS[1], 1, ARGV[n])
    redis.call('ZADD', KEYS[2], string.format('%.3f', now + seconds), ARGV[n])
  end
end
-- A flood of invented names must not wash away the counts that stop somebody.
local most = tonumber(ARGV[1])
if redis.call('ZCARD', KEYS[1]) > most then
  local some = math.max(1, math.floor(most / 10))
  local over = redis.call('ZRANGE', KEYS[2], '-inf', string.format('%.3f', now), 'BYSCORE', 'LIMIT', 0, some)
  if #over == 0 then over = redis.call('ZRANGE', KEYS[1], 0, some - 1) end
  for _, name in ipairs(over) do
    redis.call('ZREM', KEYS[1], name)
    redis.call('ZREM', KEYS[2], name)
  end
end
for _, key in ipairs(KEYS) do
  if redis.call('TTL', key) < lasting then redis.call('EXPIRE', key, lasting) end
end
return ''
