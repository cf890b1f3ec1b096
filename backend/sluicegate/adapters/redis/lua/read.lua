-- All that is counted for a subject. ARGV: 3 name, 4-6 periods
if token ~= ARGV[1] then return {GONE} end
drop_dead(ARGV[3])
local money = money_of(ARGV[3], {ARGV[4], ARGV[5], ARGV[6]})
if not money.known then return {UNKNOWN, {ARGV[3]}} end
return {TAKEN, text_of(now), picture_of(ARGV[3], rates_of(ARGV[3]), money)}
