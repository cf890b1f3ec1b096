-- Before the records are read for a subject: from here on, calls that end are kept for whoever installs it. ARGV: 3 name
if token ~= ARGV[1] then return {GONE} end
redis.call('ZREMRANGEBYSCORE', base .. 'hold', '-inf', text_of(now))
if redis.call('ZCARD', base .. 'hold') > 0 then return {WAIT} end
if now < tonumber(redis.call('HGET', base .. 'm:' .. ARGV[3], 'n') or 0) then return {WAIT} end
local heard = base .. 'x:' .. ARGV[3]
if redis.call('EXISTS', heard) == 0 then redis.call('RPUSH', heard, '') end
redis.call('EXPIRE', heard, 600)
return {TAKEN, text_of(now), redis.call('GET', base .. 'gen') or '0'}
