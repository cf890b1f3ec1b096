-- Before the records are read for a subject: from here on, calls that end are kept for whoever installs it. Tells of how
-- many it is kept already how they ended, and of those of other processes which: the records may have them or not.
-- ARGV: 3 name, 4 the process
if token ~= ARGV[1] then return {GONE} end
redis.call('ZREMRANGEBYSCORE', base .. 'hold', '-inf', text_of(now))
if redis.call('ZCARD', base .. 'hold') > 0 then return {WAIT} end
local asked = redis.call('HMGET', base .. 'm:' .. ARGV[3], 'n', 'w')
if asked[1] and now < tonumber(asked[2] or 0) then
  for _, node in ipairs(redis.call('ZRANGE', base .. 'nodes', 0, -1)) do
    local told = tonumber(redis.call('ZSCORE', base .. 'told', node) or 0)
    if node ~= ARGV[4] and told < tonumber(asked[1]) then return {WAIT} end
  end
end
local ended = redis.call('LRANGE', listen_for(ARGV[3]), 0, -1)
local others = {}
for _, packed in ipairs(ended) do
  if packed ~= '' then
    local call = cmsgpack.unpack(packed)
    if call[1] ~= ARGV[4] then others[#others + 1] = call[8] end
  end
end
return {TAKEN, text_of(now), redis.call('GET', base .. 'gen') or '0', #ended, others}
