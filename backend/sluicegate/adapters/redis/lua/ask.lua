-- A subject that may limit calls from now on. Where it is not known yet, nobody has kept calls that ended without being
-- limited by it: before it is read, all processes tell of those that they have not written down. ARGV: 3 name
if token ~= ARGV[1] then return {GONE} end
local known = redis.call('HMGET', base .. 'm:' .. ARGV[3], 'k', 'w')
-- Every process hears of the same change: what one of them asked for a moment ago holds for all.
local asked = now < tonumber(known[2] or 0) and redis.call('EXISTS', base .. 'x:' .. ARGV[3]) == 1
if not known[1] and not asked then
  read_after(ARGV[3], ask_all())
  redis.call('EXPIRE', base .. 'm:' .. ARGV[3], DAYS)
end
return {TAKEN}
