-- Subjects that had a call of late or have one in flight; one may come twice. ARGV: 3 where to go on, 4 how many to look at
if token ~= ARGV[1] then return {GONE} end
redis.call('ZREMRANGEBYSCORE', base .. 'a', '-inf', '(' .. text_of(now))
local page = redis.call('ZSCAN', base .. 'a', ARGV[3], 'COUNT', ARGV[4])
local found = {}
for n = 1, #page[2], 2 do
  local name = page[2][n]
  drop_dead(name)
  local use = rates_of(name)
  local slot = (use.t - 1) % BUCKETS
  local last = redis.call('HMGET', use.key, 'r' .. slot, 'i' .. slot, 'o' .. slot, 'u')
  local flying = in_flight(name)
  if flying > 0 or (last[4] and now - tonumber(last[4]) <= BUCKETS) then
    found[#found + 1] = {name, flying, use.r, use.i, use.o, last[1] or '0', last[2] or '0', last[3] or '0'}
  end
end
return {TAKEN, text_of(now), found, page[1]}
