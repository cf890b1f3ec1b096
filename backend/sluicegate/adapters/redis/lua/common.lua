-- What all scripts share; each runs with this in front of it.
--
-- KEYS[1] is `{prefix}:epoch`, whose field `token` names the present epoch: all other keys have it in their names, so
-- that what an earlier epoch counted is out of reach. Keys below `{prefix}:<token>:`
--   r:<subject>  hash: what the last 61 seconds used. `t` is the newest second, `r`, `i`, `o` are the sums of requests,
--                input and output tokens, `r0`..`o60` those of one second each, `u` is when it was last used.
--   m:<subject>  hash: money in nano-dollars, `s:<period>` spent and `h:<period>` held by calls in flight; `k` is set
--                once the subject was read from the records, at `b` first and for each period at `b:<period>`, and must
--                not be again, until `w`, before all have told what `n` asked for; `l` is how long its calls last; `g` is
--                a day up to which the records have calls of it in periods that were not read.
--   l:<subject>  sorted set: calls in flight by when their lease ends
--   x:<subject>  list: calls that ended while the subject was not known, or was being read, and nothing where it began
--   c:<call>     the lease of a call: its head and its subjects; or `x` for one that is over and may still be told of
--   o, a, nodes, hold: sorted sets of leases, active subjects, processes, processes that keep others from reading
--   gen          how often a process had to catch up
--   asked        how often all were asked to tell of calls that they have not written down
--   told         sorted set: up to which of these times each process has
--
-- ARGV[1] is the epoch that the caller knows; ARGV[2] the time in seconds, or nothing for the time of this server.
local GONE, DENIED, TAKEN, UNKNOWN, WAIT, VOID = -1, 0, 1, 2, 3, 4
local BUCKETS = 61
local RATE_SECONDS, DAYS = 70, 172800

local function time_now()
  if ARGV[2] ~= '' then return tonumber(ARGV[2]) end
  local parts = redis.call('TIME')
  return parts[1] + parts[2] / 1000000
end

local now = time_now()
local second = math.floor(now)
local token = redis.call('HGET', KEYS[1], 'token')
local root = string.sub(KEYS[1], 1, -6)
local base = root .. (token or '') .. ':'

local function text_of(time) return string.format('%.6f', time) end

-- Money may pass 2^53 nano-dollars, up to which numbers here are exact. An amount of at most fifteen digits is a number;
-- a greater one is text, and counted in two parts, the lower one of nine digits. What would fall below nothing is nothing.
local function amount_of(text)
  if not text then return 0 end
  if #text <= 15 then return tonumber(text) end
  return text
end

local function parts_of(amount)
  local text = type(amount) == 'number' and string.format('%.0f', amount) or amount
  if #text <= 9 then return 0, tonumber(text) end
  return tonumber(string.sub(text, 1, -10)), tonumber(string.sub(text, -9))
end

local function plus(one, other, sign)
  if type(one) == 'number' and type(other) == 'number' then return math.max(0, one + sign * other) end
  local high, low = parts_of(one)
  local other_high, other_low = parts_of(other)
  high, low = high + sign * other_high, low + sign * other_low
  high, low = high + math.floor(low / 1000000000), low % 1000000000
  if high < 0 then return 0 end
  if high == 0 then return low end
  return string.format('%.0f%09.0f', high, low)
end

local function exceeds(amount, cap)
  if type(amount) == 'number' and type(cap) == 'number' then return amount > cap end
  local high, low = parts_of(amount)
  local cap_high, cap_low = parts_of(cap)
  return high > cap_high or (high == cap_high and low > cap_low)
end

local function at_most(amount, limit)
  if limit and limit < amount then return limit end
  return amount
end

-- What a subject used in the last 61 seconds, with what is older taken off. `fresh` is set once a second, and then keys
-- get their expiry.
local function rates_of(name)
  local key, slot = base .. 'r:' .. name, second % BUCKETS
  local known = redis.call('HMGET', key, 't', 'r', 'i', 'o', 'r' .. slot, 'i' .. slot, 'o' .. slot)
  local use = {
    key = key,
    t = tonumber(known[1]) or second,
    r = tonumber(known[2]) or 0,
    i = tonumber(known[3]) or 0,
    o = tonumber(known[4]) or 0,
    slots = {},
    fresh = not known[1],
  }
  local passed = second - use.t
  if passed == 0 then
    for n, kind in ipairs({'r', 'i', 'o'}) do use.slots[kind .. slot] = tonumber(known[4 + n]) or 0 end
  end
  if passed <= 0 then return use end
  use.fresh = true
  if passed >= BUCKETS then
    redis.call('DEL', key)
    use.r, use.i, use.o = 0, 0, 0
  elseif use.r + use.i + use.o > 0 then
    local fields = {}
    for at = use.t + 1, second do
      local old = at % BUCKETS
      fields[#fields + 1] = 'r' .. old
      fields[#fields + 1] = 'i' .. old
      fields[#fields + 1] = 'o' .. old
    end
    local old = redis.call('HMGET', key, unpack(fields))
    for n = 1, #old, 3 do
      use.r = use.r - (tonumber(old[n]) or 0)
      use.i = use.i - (tonumber(old[n + 1]) or 0)
      use.o = use.o - (tonumber(old[n + 2]) or 0)
    end
    redis.call('HDEL', key, unpack(fields))
  end
  use.t = second
  for _, kind in ipairs({'r', 'i', 'o'}) do use.slots[kind .. slot] = 0 end
  if passed < BUCKETS then redis.call('HSET', key, 't', second, 'r', use.r, 'i', use.i, 'o', use.o) end
  return use
end

-- Counts {kind, second, amount} each, as far as they lie in the window; a slot never falls below nothing.
local function change(use, ...)
  local unread, wanted = {}, {}
  for _, delta in ipairs({...}) do
    local kind, at, amount = unpack(delta)
    if amount ~= 0 and use.t - at < BUCKETS then
      local field = kind .. math.min(at, use.t) % BUCKETS
      wanted[#wanted + 1] = {kind, field, amount}
      if not use.slots[field] then unread[#unread + 1] = field end
    end
  end
  if #unread > 0 then
    local there = redis.call('HMGET', use.key, unpack(unread))
    for n, field in ipairs(unread) do use.slots[field] = tonumber(there[n]) or 0 end
  end
  local written = {'t', use.t, 'u', text_of(now)}
  for _, delta in ipairs(wanted) do
    local kind, field, amount = unpack(delta)
    local before = use.slots[field]
    local after = math.max(0, before + amount)
    use.slots[field], use[kind] = after, use[kind] + after - before
    written[#written + 1] = field
    written[#written + 1] = after
  end
  for _, kind in ipairs({'r', 'i', 'o'}) do
    written[#written + 1] = kind
    written[#written + 1] = use[kind]
  end
  redis.call('HSET', use.key, unpack(written))
  if use.fresh then redis.call('EXPIRE', use.key, RATE_SECONDS) end
end

local function count(use, at, r, i, o) change(use, {'r', at, r}, {'i', at, i}, {'o', at, o}) end

-- `periods` are the keys of day, week and month.
local function money_of(name, periods)
  local key = base .. 'm:' .. name
  local d, w, m = periods[1], periods[2], periods[3]
  local found = redis.call('HMGET', key, 'k', 'l',
    's:' .. d, 'h:' .. d, 's:' .. w, 'h:' .. w, 's:' .. m, 'h:' .. m)
  return {
    key = key,
    periods = periods,
    read = found[1] and true or false,
    known = (found[1] and found[3] and found[5] and found[7]) and true or false,
    lasting = found[2] or '4',
    spent = {amount_of(found[3]), amount_of(found[5]), amount_of(found[7])},
    held = {amount_of(found[4]), amount_of(found[6]), amount_of(found[8])},
    there = {found[3], found[5], found[7]},
  }
end

-- Adds to what is held, in `money` too; gives the fields and values that have to be written.
local function held_of(money, cost, sign)
  local held, periods = money.held, money.periods
  for n = 1, 3 do held[n] = plus(held[n], cost, sign) end
  return {'h:' .. periods[1], held[1], 'h:' .. periods[2], held[2], 'h:' .. periods[3], held[3]}
end

local function hold(money, cost, sign)
  if cost == 0 then return end
  redis.call('HSET', money.key, unpack(held_of(money, cost, sign)))
  if not money.read then redis.call('EXPIRE', money.key, DAYS) end
end

-- Leases: their head, and behind it the subjects, as the caller packed them.
local function lease_of(id)
  local raw = redis.call('GET', base .. 'c:' .. id)
  if not raw or raw == 'x' then return nil, raw end
  local head, subjects = cmsgpack.unpack(raw)
  return {
    second = head[1],
    input = head[2],
    output = head[3],
    cost = amount_of(head[4]),
    periods = {head[5], head[6], head[7]},
    limits = subjects[1],
    counted = subjects[2],
  }, raw
end

local function write_lease(id, at, input, output, cost, periods, subjects, ends)
  local head = cmsgpack.pack({at, input, output, cost, periods[1], periods[2], periods[3]})
  redis.call('SET', base .. 'c:' .. id, head .. subjects, 'EX', DAYS)
  redis.call('ZADD', base .. 'o', text_of(ends), id)
end

-- Calls `each(name, input, output, limited)` for the subjects of a lease; those that set nothing count what the first
-- one counts, which is the user.
local function each_subject(limits, counted, input, output, each)
  local named = {}
  for _, values in ipairs(limits) do
    named[values[1]] = true
    each(values[1], at_most(input, values[3]), at_most(output, values[4]), true)
  end
  local own = limits[1]
  for _, name in ipairs(counted) do
    if not named[name] then
      each(name, own and at_most(input, own[3]) or input, own and at_most(output, own[4]) or output, false)
    end
  end
end

-- `fresh` once a second at least, and for the first lease of a subject.
local function lend(name, id, ends, fresh)
  redis.call('ZADD', base .. 'l:' .. name, text_of(ends), id)
  if fresh then
    redis.call('ZADD', base .. 'a', 'GT', text_of(math.max(ends, now + BUCKETS)), name)
    redis.call('EXPIRE', base .. 'l:' .. name, DAYS)
    redis.call('EXPIRE', base .. 'm:' .. name, DAYS)
    redis.call('EXPIRE', base .. 'a', DAYS)
    redis.call('EXPIRE', base .. 'o', DAYS)
  end
end

-- A lease that ran out gives its slot and its money back everywhere; its call is still settled when it ends after all.
local function drop_dead(name)
  local dead = redis.call('ZRANGEBYSCORE', base .. 'l:' .. name, '-inf', '(' .. text_of(now), 'LIMIT', 0, 20)
  for _, id in ipairs(dead) do
    local lease = lease_of(id)
    if lease then
      each_subject(lease.limits, lease.counted, 0, 0, function(other)
        if redis.call('ZREM', base .. 'l:' .. other, id) == 1 then
          hold(money_of(other, lease.periods), lease.cost, -1)
        end
      end)
    end
    redis.call('ZREM', base .. 'l:' .. name, id)
    redis.call('ZREM', base .. 'o', id)
  end
end

-- Keeps a call that ended for whoever reads the subject: for long if that limits the call, so that somebody has to. Of one
-- that nobody may ever look at again the list must not grow for ever.
-- `rates` are second, input and output of one that rates have to count, too.
local function hear(name, process, number, cost, periods, id, limited, rates)
  local heard = base .. 'x:' .. name
  local call = {process, number, rates or '0', cost, periods[1], periods[2], periods[3], id}
  redis.call('RPUSH', heard, cmsgpack.pack(call))
  if limited then redis.call('EXPIRE', heard, DAYS) end
end

-- From now on calls that end are kept for whoever reads the subject; gives the name of their list.
local function listen_for(name)
  local heard = base .. 'x:' .. name
  if redis.call('EXISTS', heard) == 0 then
    redis.call('RPUSH', heard, '')
    redis.call('EXPIRE', heard, 600)
  end
  return heard
end

-- Asks all processes to tell of calls that they have not written down; gives how often that was.
local function ask_all()
  local asked = redis.call('INCR', base .. 'asked')
  redis.call('EXPIRE', base .. 'asked', DAYS)
  return asked
end

-- The subject is not read before all have told what they were asked for, for at most some seconds.
local function read_after(name, asked)
  redis.call('HSET', base .. 'm:' .. name, 'n', asked, 'w', text_of(now + 2.5))
  listen_for(name)
end

-- Adds calls that ended while the subject was not known to periods that it is known in now, `fresh`, as far as
-- `counts(process, number, id)` says so, and to `use` where that is given. They stay for periods that are not known yet,
-- as for a process whose day has begun already.
local function take_heard(name, fresh, counts, use)
  local key, heard = base .. 'm:' .. name, base .. 'x:' .. name
  local ended = redis.call('LRANGE', heard, 0, -1)
  redis.call('DEL', heard)
  local seen = {}
  for _, packed in ipairs(ended) do
    local process, number, rates, cost, d, w, m, id
    if packed ~= '' then process, number, rates, cost, d, w, m, id = unpack(cmsgpack.unpack(packed)) end
    -- One may be told twice, when it ends and when all are asked.
    local one = process and process .. ' ' .. number
    if one and not seen[one] then
      seen[one] = true
      local counted, unknown = counts(process, number, id), false
      if use and counted and type(rates) == 'table' then count(use, rates[1], 1, rates[2], rates[3]) end
      for _, period in ipairs({d, w, m}) do
        local spent = redis.call('HGET', key, 's:' .. period)
        if not spent then
          unknown = true
        elseif counted and fresh[period] then
          redis.call('HSET', key, 's:' .. period, plus(amount_of(spent), amount_of(cost), 1))
        end
      end
      if unknown then redis.call('RPUSH', heard, packed) end
    end
  end
  redis.call('EXPIRE', heard, DAYS)
end

local function in_flight(name) return redis.call('ZCARD', base .. 'l:' .. name) end

-- All that is counted for a subject.
local function picture_of(name, use, money)
  local fields = {}
  for slot = 0, BUCKETS - 1 do
    fields[#fields + 1] = 'r' .. slot
    fields[#fields + 1] = 'i' .. slot
    fields[#fields + 1] = 'o' .. slot
  end
  local slots = redis.call('HMGET', use.key, unpack(fields))
  local found = {use.t, in_flight(name), money.lasting}
  for _, amounts in ipairs({money.spent, money.held}) do
    for n = 1, 3 do found[#found + 1] = amounts[n] end
  end
  found[#found + 1] = slots
  return found
end
