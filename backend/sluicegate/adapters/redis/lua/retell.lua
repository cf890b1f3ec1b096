-- Of subjects that are to be read again: calls that were told here already, and that the process has not written down.
-- ARGV: 3 the process, 4 which asking it answers, then packed calls:
--   {number in its process, cost, id in the ledger, 3 periods, subjects}
if token ~= ARGV[1] then return {GONE} end
for n = 5, #ARGV do
  local number, cost, id, d, w, m, subjects = unpack(cmsgpack.unpack(ARGV[n]))
  each_subject(subjects[1], subjects[2], 0, 0, function(name, _, _, limited)
    if redis.call('HEXISTS', base .. 'm:' .. name, 'n') == 1 then
      hear(name, ARGV[3], number, cost, {d, w, m}, id, limited)
    end
  end)
end
redis.call('ZADD', base .. 'told', ARGV[4], ARGV[3])
redis.call('EXPIRE', base .. 'told', DAYS)
return {TAKEN}
