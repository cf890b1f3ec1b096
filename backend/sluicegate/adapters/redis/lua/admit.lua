-- Lets a call in, or tells why not: everything is evaluated, and all is taken or nothing.
-- ARGV: 3 the lease, or nothing for only looking, 4 subjects, 5 input tokens, 6 output tokens, 7 cost, 8-10 periods,
-- 11 seconds of a lease
if token ~= ARGV[1] then return {GONE} end
local id = ARGV[3]
if id ~= '' and redis.call('EXISTS', base .. 'c:' .. id) == 1 then return {VOID} end
local subjects = cmsgpack.unpack(ARGV[4])
local limits, counted = subjects[1], subjects[2]
local input, output, cost = tonumber(ARGV[5]), tonumber(ARGV[6]), amount_of(ARGV[7])
local periods = {ARGV[8], ARGV[9], ARGV[10]}

local uses, moneys, flying, unknown = {}, {}, {}, {}
for n, values in ipairs(limits) do
  local name = values[1]
  uses[n] = rates_of(name)
  if uses[n].fresh then drop_dead(name) end
  moneys[n], flying[n] = money_of(name, periods), in_flight(name)
  if not moneys[n].known then unknown[#unknown + 1] = name end
end
if #unknown > 0 then return {UNKNOWN, unknown} end

local function has_tokens(limit, used, wanted)
  if not limit or wanted == 0 then return true end
  return used + math.max(1, math.min(wanted, limit)) <= limit
end

local function has_money(cap, spent, held)
  if not cap then return true end
  if cap == 0 then return false end
  -- A single estimate above the cap must not make the budget unusable from the first call on.
  local asked = exceeds(cost, cap) and cap or cost
  return not exceeds(plus(plus(spent, held, 1), asked, 1), cap)
end

local room = true
for n, values in ipairs(limits) do
  local use = uses[n]
  room = room
    and (not values[2] or use.r + 1 <= values[2])
    and has_tokens(values[3], use.i, input)
    and has_tokens(values[4], use.o, output)
    and (not values[5] or flying[n] < values[5])
end
if room and cost ~= 0 then
  for n, values in ipairs(limits) do
    local money = moneys[n]
    for window = 1, 3 do
      room = room and has_money(values[5 + window], money.spent[window], money.held[window])
    end
  end
end

if not room then
  local pictures = {}
  for n, values in ipairs(limits) do pictures[n] = picture_of(values[1], uses[n], moneys[n]) end
  return {DENIED, text_of(now), pictures}
end
if id == '' then return {TAKEN, text_of(now)} end

local ends = now + tonumber(ARGV[11])
write_lease(id, second, input, output, ARGV[7], periods, ARGV[4], ends)
local answer, n = {TAKEN, text_of(now)}, 0
each_subject(limits, counted, input, output, function(name, own_input, own_output, limited)
  local use, money, first
  if limited then
    n = n + 1
    use, money, first = uses[n], moneys[n], flying[n] == 0
  else
    money = money_of(name, periods)
    if not money.read then return end
    use, first = rates_of(name), in_flight(name) == 0
  end
  count(use, second, 1, own_input, own_output)
  hold(money, cost, 1)
  lend(name, id, ends, use.fresh or first)
  if limited then
    local spent = money.spent
    for _, figure in ipairs({use.r, use.i, use.o, spent[1], spent[2], spent[3]}) do answer[#answer + 1] = figure end
  end
end)
return answer
