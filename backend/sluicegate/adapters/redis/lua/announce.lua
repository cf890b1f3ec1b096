-- Brings in calls in flight that this epoch has not heard of: they hold what they hold, whatever the limits say.
-- ARGV: 3 seconds of a lease, then packed calls: {lease, {second, input, output, cost, 3 periods}, subjects}
if token ~= ARGV[1] then return {GONE} end
local ends = now + tonumber(ARGV[3])
for n = 4, #ARGV do
  local id, head, subjects = unpack(cmsgpack.unpack(ARGV[n]))
  if redis.call('EXISTS', base .. 'c:' .. id) == 0 then
    local periods = {head[5], head[6], head[7]}
    write_lease(id, head[1], head[2], head[3], head[4], periods, cmsgpack.pack(subjects), ends)
    each_subject(subjects[1], subjects[2], head[2], head[3], function(name, input, output, limited)
      local money = money_of(name, periods)
      if not limited and not money.read then return end
      count(rates_of(name), head[1], 1, input, output)
      hold(money, amount_of(head[4]), 1)
      lend(name, id, ends, true)
    end)
  end
end
return {TAKEN}
