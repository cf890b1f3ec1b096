-- What others want to see, and what they show. KEYS: 1 sorted set of what is wanted by until when, 2 hash of views,
-- 3 sorted set of views by when they were shown. Members are a subject, a line break and a process.
-- ARGV: 1 the process, 2 seconds for which all this holds, 3 how many subjects are wanted here, these, then subjects and
-- views in turn
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local process, lasting, number = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local wanted = {}
for n = 4, 3 + number do
  wanted[ARGV[n]] = true
  redis.call('ZADD', KEYS[1], string.format('%.3f', now + lasting), ARGV[n] .. '\n' .. process)
end
for n = 4 + number, #ARGV, 2 do
  local name = ARGV[n] .. '\n' .. process
  redis.call('HSET', KEYS[2], name, ARGV[n + 1])
  redis.call('ZADD', KEYS[3], string.format('%.3f', now), name)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.3f', now))
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.3f', now - lasting))) do
  redis.call('ZREM', KEYS[3], name)
  redis.call('HDEL', KEYS[2], name)
end
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 10 * lasting) end
local function each(names, use)
  for _, name in ipairs(names) do
    local subject, whose = string.match(name, '^(.*)\n(.*)$')
    if whose ~= process then use(subject, name) end
  end
end
local asked, seen, views = {}, {}, {}
each(redis.call('ZRANGE', KEYS[1], 0, -1), function(subject)
  if not seen[subject] then
    seen[subject] = true
    asked[#asked + 1] = subject
  end
end)
if number > 0 then
  each(redis.call('ZRANGE', KEYS[3], 0, -1), function(subject, name)
    if wanted[subject] then views[#views + 1] = {subject, redis.call('HGET', KEYS[2], name)} end
  end)
end
return {asked, views}
