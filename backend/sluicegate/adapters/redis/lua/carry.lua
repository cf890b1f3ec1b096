-- Begins new periods of a user with nothing spent, where the records cannot be read: since they were, every call has been
-- told here, and none is let in before its periods are known. ARGV: 3 name, 4-6 periods
if token ~= ARGV[1] then return {GONE} end
local key = base .. 'm:' .. ARGV[3]
local known = redis.call('HMGET', key, 'k', 'g')
if not known[1] or known[2] then return {UNKNOWN} end
local latest = {}
for _, field in ipairs(redis.call('HKEYS', key)) do
  local period = string.sub(field, 3)
  if string.sub(field, 1, 2) == 's:' and period > (latest[#period] or '') then latest[#period] = period end
end
for n = 4, 6 do
  -- Not one from before what is known, as for a clock that went back.
  if ARGV[n] < (latest[#ARGV[n]] or ARGV[n] .. '~') then return {UNKNOWN} end
end
local fresh = {}
for n = 4, 6 do
  if redis.call('HSETNX', key, 's:' .. ARGV[n], '0') == 1 then
    fresh[ARGV[n]] = true
    redis.call('HSET', key, 'b:' .. ARGV[n], '0')
  end
end
-- Calls of these periods that processes let in while they were on their own.
take_heard(ARGV[3], fresh, function() return true end)
redis.call('EXPIRE', key, DAYS)
return {TAKEN}
