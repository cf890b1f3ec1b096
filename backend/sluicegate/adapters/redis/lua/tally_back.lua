-- As if the last of a count had not been. KEYS as in `tally_take`. ARGV: 1 the name, 2 `whole` for all of it
local number = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0)
if ARGV[2] == 'whole' or number <= 1 then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('ZINCRBY', KEYS[1], -1, ARGV[1])
end
