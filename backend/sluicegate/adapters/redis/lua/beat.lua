-- A process tells that it lives, and so do its calls. ARGV: 3 the process, 4 `release` for one that has caught up,
-- `leave` for one that ends, 5 seconds of a lease, then leases
if token ~= ARGV[1] then return {GONE} end
local nodes = base .. 'nodes'
if ARGV[4] == 'leave' then redis.call('ZREM', nodes, ARGV[3]) else redis.call('ZADD', nodes, text_of(now), ARGV[3]) end
if ARGV[4] ~= '' then redis.call('ZREM', base .. 'hold', ARGV[3]) end
redis.call('ZREMRANGEBYSCORE', nodes, '-inf', text_of(now - 10))
redis.call('EXPIRE', nodes, DAYS)
redis.call('EXPIRE', KEYS[1], 20 * DAYS)
redis.call('EXPIRE', base .. 'gen', 20 * DAYS)
redis.call('ZREMRANGEBYSCORE', base .. 'o', '-inf', text_of(now - 3600))
local ends = now + tonumber(ARGV[5])
for n = 6, #ARGV do
  local id = ARGV[n]
  local lease = lease_of(id)
  if lease then
    redis.call('EXPIRE', base .. 'c:' .. id, DAYS)
    redis.call('ZADD', base .. 'o', text_of(ends), id)
    each_subject(lease.limits, lease.counted, lease.input, lease.output, function(name, _, _, limited)
      local member = redis.call('ZSCORE', base .. 'l:' .. name, id)
      -- One that was taken for dead holds again what it held.
      if limited and not member then hold(money_of(name, lease.periods), lease.cost, 1) end
      if limited or member then lend(name, id, ends, true) end
    end)
  end
end
return {TAKEN, text_of(now), redis.call('ZCARD', nodes), tonumber(redis.call('GET', base .. 'asked') or 0)}
