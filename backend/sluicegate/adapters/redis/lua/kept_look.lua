-- Owners, each with the seconds for which that still holds, or nothing. KEYS as in `kept_note`
-- ARGV: 1 for how many seconds an owner holds, then ids
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local found = {}
for n = 2, #ARGV do
  local told = redis.call('ZSCORE', KEYS[2], ARGV[n])
  local left = told and tonumber(told) + tonumber(ARGV[1]) - now
  local owner = left and left > 0 and redis.call('HGET', KEYS[1], ARGV[n])
  found[n - 1] = owner and {owner, string.format('%.3f', left)} or false
end
return found
