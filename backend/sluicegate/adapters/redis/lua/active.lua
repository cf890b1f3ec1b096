-- Subjects that had a call of late or have one in flight. ARGV: 3 where to begin, 4 how many to look at
if token ~= ARGV[1] then return {GONE} end
redis.call('ZREMRANGEBYSCORE', base .. 'a', '-inf', '(' .. text_of(now))
local from = tonumber(ARGV[3])
local names = redis.call('ZRANGE', base .. 'a', from, from + tonumber(ARGV[4]) - 1)
local found = {}
for _, name in ipairs(names) do
  drop_dead(name)
  local use = rates_of(name)
  local slot = (use.t - 1) % BUCKETS
  local last = redis.call('HMGET', use.key, 'r' .. slot, 'i' .. slot, 'o' .. slot, 'u')
  local flying = in_flight(name)
  if flying > 0 or (last[4] and now - tonumber(last[4]) <= BUCKETS) then
    found[#found + 1] = {name, flying, use.r, use.i, use.o, last[1] or '0', last[2] or '0', last[3] or '0'}
  end
end
return {TAKEN, text_of(now), found, #names}
