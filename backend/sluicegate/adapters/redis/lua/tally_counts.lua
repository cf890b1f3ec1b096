-- Of each name the number and the seconds that are left. KEYS as in `tally_take`; ARGV: names
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local found = {}
for n, name in ipairs(ARGV) do
  local left = tonumber(redis.call('ZSCORE', KEYS[2], name) or 0) - now
  local number = left > 0 and tonumber(redis.call('ZSCORE', KEYS[1], name) or 0) or 0
  found[n] = {number, string.format('%.3f', math.max(0, left))}
end
return found
