-- Replaces reservations by what was used, or gives them back. ARGV: 3 the process, then packed calls, each
--   {lease, its epoch, number in its process, given back?, input tokens, output tokens, cost, its id in the ledger,
--    since when it has been there or false, {second, input, output, cost, 3 periods}, subjects}
-- A lease is settled once: it goes, and what is told of it again changes nothing. Only in another epoch than its own is
-- a lease that is not here counted all the same: there it was never heard of.
if token ~= ARGV[1] then return {GONE} end

-- Adds to `written` what was spent in the periods that are known, but for those of which `counts(n)` says that they have
-- it; tells whether all are known.
local function spend(money, cost, written, counts)
  local all = true
  for n, period in ipairs(money.periods) do
    if not money.there[n] then
      all = false
    elseif cost ~= 0 and (not counts or counts(n)) then
      money.spent[n] = plus(money.spent[n], cost, 1)
      written[#written + 1] = 's:' .. period
      written[#written + 1] = money.spent[n]
    end
  end
  return all
end

local function write(money, written)
  if #written > 0 then redis.call('HSET', money.key, unpack(written)) end
end

local function finish(call, lease, name, input, output, limited)
  local money = money_of(name, lease.periods)
  local member = redis.call('ZREM', base .. 'l:' .. name, call.id) == 1
  local written = {}
  if member and lease.cost ~= 0 then written = held_of(money, lease.cost, -1) end
  if limited or member then
    local use = rates_of(name)
    -- What ended before the subject was read is in what the records tell of the last minute.
    if call.cancelled or not money.read then
      count(use, lease.second, -1, -input, -output)
    else
      -- What was used beyond the reservation counts from now on; what was not needed is free again.
      local more_input, more_output = call.input - input, call.output - output
      change(use,
        {'i', more_input > 0 and use.t or lease.second, more_input},
        {'o', more_output > 0 and use.t or lease.second, more_output})
    end
  end
  if not call.cancelled then
    local heard = base .. 'x:' .. name
    if not spend(money, call.cost, written) and (limited or redis.call('EXISTS', heard) == 1) then
      -- Not known, and perhaps being read at this moment.
      local rates = not money.read and {lease.second, call.input, call.output} or nil
      hear(name, ARGV[3], call.number, call.told_cost, lease.periods, call.name, limited, rates)
    end
    if money.read and limited then
      local lasting = tonumber(money.lasting)
      written[#written + 1] = 'l'
      written[#written + 1] = text_of(lasting + 0.2 * (now - lease.second - lasting))
    end
  end
  write(money, written)
end

-- A call that was let in and ended without this epoch. Subjects that were read after the ledger had it know it already,
-- and so will those that are read later.
local function catch_up(call, since, lease)
  each_subject(lease.limits, lease.counted, lease.input, lease.output, function(name)
    local money, periods = money_of(name, lease.periods), lease.periods
    if not money.read then return end
    local read_at = redis.call('HMGET', money.key, 'b', 'b:' .. periods[1], 'b:' .. periods[2], 'b:' .. periods[3])
    local function counts(n) return not since or tonumber(read_at[n + 1] or read_at[1] or 0) <= since end
    if counts(0) then count(rates_of(name), lease.second, 1, call.input, call.output) end
    local written = {}
    -- What is in no period that is known here stands in the records alone.
    if not spend(money, call.cost, written, counts) then
      local late = redis.call('HGET', money.key, 'g')
      if not late or late < periods[1] then written[#written + 1], written[#written + 2] = 'g', periods[1] end
    end
    write(money, written)
  end)
end

for n = 4, #ARGV do
  local item = cmsgpack.unpack(ARGV[n])
  local call = {
    id = item[1],
    number = item[3],
    cancelled = item[4],
    input = item[5],
    output = item[6],
    cost = amount_of(item[7]),
    told_cost = item[7],
    name = item[8],
  }
  local key = base .. 'c:' .. call.id
  local lease, raw = lease_of(call.id)
  if lease then
    -- The process may not know that the lease is here, if the answer to its announcement was lost.
    if item[2] == token then redis.call('DEL', key) else redis.call('SET', key, 'x', 'EX', DAYS) end
    redis.call('ZREM', base .. 'o', call.id)
    each_subject(lease.limits, lease.counted, lease.input, lease.output, function(name, input, output, limited)
      finish(call, lease, name, input, output, limited)
    end)
  elseif not raw and item[2] ~= token and not call.cancelled then
    redis.call('SET', key, 'x', 'EX', DAYS)
    local head, subjects = item[10], item[11]
    catch_up(call, item[9], {
      second = head[1],
      input = head[2],
      output = head[3],
      periods = {head[5], head[6], head[7]},
      limits = subjects[1],
      counted = subjects[2],
    })
  elseif not raw and call.cancelled then
    -- The admission that nobody waits for any more may still be on its way.
    redis.call('SET', key, 'x', 'EX', 600)
  end
end
return {TAKEN}
