-- Subjects of which the records have more than was told here: they are read again. Not before all processes have told of
-- calls that ended and that they have not written down yet, for at most some seconds; what is settled from now on is kept
-- beside them. ARGV: 3... names
if token ~= ARGV[1] then return {GONE} end
local asked = ask_all()
for n = 3, #ARGV do
  local key = base .. 'm:' .. ARGV[n]
  if redis.call('HEXISTS', key, 'k') == 1 then
    local late = redis.call('HGET', key, 'g') or ''
    for _, field in ipairs(redis.call('HKEYS', key)) do
      if string.sub(field, 1, 2) == 's:' then
        redis.call('HDEL', key, field)
        -- Days have names of ten characters.
        if #field == 12 and string.sub(field, 3) > late then late = string.sub(field, 3) end
      end
    end
    if late ~= '' then redis.call('HSET', key, 'g', late) end
    read_after(ARGV[n], asked)
  end
end
return {TAKEN}
