-- Takes over what the records say of a subject; the first one wins, for each period.
-- ARGV: 3 name, 4 what `begin` told of others who catch up, 5 when they were asked, 6 the process, 7 the number of the last
-- call that the records of this process had, 8-10 periods, 11-13 spent, 14 packed {seconds ago, input, output} of calls,
-- 15 packed ids of other processes' calls that the records had, 16 how many that had ended were asked for, or nothing
-- where the records are not read again for others
if token ~= ARGV[1] then return {GONE} end
if redis.call('ZCARD', base .. 'hold') > 0 or (redis.call('GET', base .. 'gen') or '0') ~= ARGV[4] then return {WAIT} end
local name = ARGV[3]
local key = base .. 'm:' .. name
local ended = redis.call('LRANGE', base .. 'x:' .. name, 0, -1)
if ARGV[16] ~= '' then
  for n = tonumber(ARGV[16]) + 1, #ended do
    if ended[n] ~= '' and cmsgpack.unpack(ended[n])[1] ~= ARGV[6] then return {WAIT} end
  end
end
local recorded = {}
for _, call in ipairs(cmsgpack.unpack(ARGV[15])) do recorded[call] = true end
local first = redis.call('HEXISTS', key, 'k') == 0
local fresh = {}
for n = 8, 10 do
  if redis.call('HSETNX', key, 's:' .. ARGV[n], ARGV[n + 3]) == 1 then
    fresh[ARGV[n]] = true
    redis.call('HSET', key, 'b:' .. ARGV[n], ARGV[5])
  end
end

-- Calls that ended before the subject was known, as far as the records did not have them: of those of this process that
-- is told by their numbers, of those of others by their ids. One that could not be asked for counts: rather twice than
-- never.
local use = rates_of(name)
take_heard(name, fresh, function(process, number, id)
  if process == ARGV[6] then return number > tonumber(ARGV[7]) end
  return not recorded[id]
end, first and use or nil)

if first then
  for _, call in ipairs(cmsgpack.unpack(ARGV[14])) do
    if call[1] < BUCKETS - 1 then count(use, math.floor(now - call[1]), 1, call[2], call[3]) end
  end
  redis.call('HSET', key, 'k', '1', 'b', ARGV[5])
end
count(use, use.t, 0, 0, 0)
-- A process whose clock is behind may have read what was before the day in question.
local late = redis.call('HGET', key, 'g')
if not late or late <= ARGV[8] then redis.call('HDEL', key, 'n', 'w', 'g') end
redis.call('EXPIRE', key, DAYS)
redis.call('ZADD', base .. 'a', 'GT', text_of(now + BUCKETS), name)
redis.call('EXPIRE', base .. 'a', DAYS)

-- Calls in flight that the subject did not limit when they were let in count for it from now on.
if first and string.sub(name, 1, 5) ~= 'user:' then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', base .. 'o', text_of(now), '+inf')) do
    local lease = lease_of(id)
    if lease then
      each_subject(lease.limits, lease.counted, lease.input, lease.output, function(other, input, output, limited)
        if other == name and not limited and not redis.call('ZSCORE', base .. 'l:' .. name, id) then
          count(use, lease.second, 1, input, output)
          hold(money_of(name, lease.periods), lease.cost, 1)
          lend(name, id, tonumber(redis.call('ZSCORE', base .. 'o', id)), true)
        end
      end)
    end
  end
end

-- Of each window the last two periods stay: clocks of processes may be apart.
local kept = {}
for _, field in ipairs(redis.call('HKEYS', key)) do
  if string.sub(field, 2, 2) == ':' then
    local period = string.sub(field, 3)
    kept[#period] = kept[#period] or {}
    kept[#period][period] = true
  end
end
for _, periods in pairs(kept) do
  local names = {}
  for period in pairs(periods) do names[#names + 1] = period end
  table.sort(names)
  for n = 1, #names - 2 do redis.call('HDEL', key, 's:' .. names[n], 'h:' .. names[n], 'b:' .. names[n]) end
end
return {TAKEN}
