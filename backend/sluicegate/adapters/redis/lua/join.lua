-- Enters the present epoch, or begins one where there is none: on a Redis that is empty, or that was started anew and may
-- have gone back in time. Until the process says that it has caught up, nobody installs what the records say.
-- ARGV: 3 the name of an epoch that would begin, 4 the run of this server, 5 the process, 6 seconds of the hold
if not token or redis.call('HGET', KEYS[1], 'run') ~= ARGV[4] then
  token = ARGV[3]
  base = root .. token .. ':'
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'token', token, 'run', ARGV[4], 'start', text_of(now))
end
redis.call('EXPIRE', KEYS[1], 20 * DAYS)
redis.call('INCR', base .. 'gen')
redis.call('EXPIRE', base .. 'gen', 20 * DAYS)
redis.call('ZADD', base .. 'hold', text_of(now + tonumber(ARGV[6])), ARGV[5])
redis.call('EXPIRE', base .. 'hold', DAYS)
redis.call('ZADD', base .. 'nodes', text_of(now), ARGV[5])
redis.call('ZREMRANGEBYSCORE', base .. 'nodes', '-inf', text_of(now - 10))
redis.call('EXPIRE', base .. 'nodes', DAYS)
local start = redis.call('HGET', KEYS[1], 'start')
return {TAKEN, text_of(now), redis.call('ZCARD', base .. 'nodes'), token, start}
