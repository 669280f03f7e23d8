"""What workers agree on: who is alive, which groups are fixed, which dedup ids were seen.

A plan is kept as ``owner|dropped|JSON``, dropped being the entries left out, ``shard/id`` each,
comma-separated.
"""

from __future__ import annotations

from logstream.broker.redis.script import ALLOW_OOM, NO_WRITES, Script

__all__ = [
    "ADD_LETTER",
    "ADOPT",
    "BUMP",
    "CLOSE",
    "DONE",
    "FIX",
    "FORGET",
    "JOIN",
    "LETTERS",
    "NEWEST_LETTERS",
    "PLANS",
    "REMOVE_LETTERS",
    "RENEW",
    "SHARDS",
    "WRITER",
]

_NOW = """
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
"""

_SHARDS = """
local function shards(meta, wanted)
  local known = tonumber(redis.call('HGET', meta, 'shards') or 0)
  if wanted > known then
    known = wanted
    redis.call('HSET', meta, 'shards', known)
  end
  return known
end
"""

WRITER = Script(
    "writer",
    ALLOW_OOM,
    _SHARDS
    + """
return {redis.call('HINCRBY', KEYS[1], 'writers', 1), shards(KEYS[1], tonumber(ARGV[1]))}
""",
)
"""KEYS meta; ARGV shards. The how-manyth writer this is, and how many shards there are."""

SHARDS = Script(
    "shards",
    NO_WRITES,
    """
return tonumber(redis.call('HGET', KEYS[1], 'shards') or 0)
""",
)

JOIN = Script(
    "join",
    ALLOW_OOM,
    _NOW
    + _SHARDS
    + """
local meta, workers = KEYS[1], KEYS[2]
local epoch = redis.call('HGET', meta, 'epoch')
if not epoch then
  epoch = string.format('%.0f', now_ms())
  redis.call('HSET', meta, 'epoch', epoch)
end
redis.call('ZADD', workers, now_ms() + tonumber(ARGV[2]), ARGV[1])
return {epoch, shards(meta, tonumber(ARGV[3]))}
""",
)
"""KEYS meta workers; ARGV worker, lease in ms, shards. The epoch and the number of shards."""

RENEW = Script(
    "renew",
    ALLOW_OOM,
    _NOW
    + _SHARDS
    + """
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[2], now_ms() + tonumber(ARGV[2]), ARGV[1])
return shards(KEYS[1], 1)
""",
)
"""KEYS meta workers; ARGV worker, lease in ms. The number of shards; 0: the lease was lost."""

CLOSE = Script(
    "close",
    ALLOW_OOM,
    """
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
""",
)
"""KEYS workers last_fix; ARGV worker."""

BUMP = Script(
    "bump",
    ALLOW_OOM,
    _NOW
    + """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local epoch = math.max(tonumber(ARGV[1]) + 1, now_ms())
redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', epoch))
redis.call('DEL', KEYS[2], KEYS[3])
return 1
""",
)
"""KEYS meta workers last_fix; ARGV epoch. Ends it: no worker has a lease any more."""

ADOPT = Script(
    "adopt",
    ALLOW_OOM,
    _NOW
    + """
local workers, groups, last = KEYS[1], KEYS[2], KEYS[3]
local me, expire, take = ARGV[1], ARGV[2], ARGV[3]
if not redis.call('ZSCORE', workers, me) then return {} end
if expire == '1' then
  local now = string.format('%.0f', now_ms())
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', workers, '-inf', now)) do
    if worker ~= me then
      redis.call('ZREM', workers, worker)
      redis.call('HDEL', last, worker)
    end
  end
end
local live, names = {}, redis.call('ZRANGE', workers, 0, -1)
for _, name in ipairs(names) do live[name] = true end
if take ~= '1' then return {names, 0, ''} end
live[me] = nil
local held = {}
for i = 4, #ARGV do held[ARGV[i]] = true end
local least, plan = nil, nil
local all = redis.call('HGETALL', groups)
for i = 1, #all, 2 do
  local number = tonumber(all[i])
  local owner = string.match(all[i + 1], '^([^|]*)|')
  if not live[owner] and not held[all[i]] and (not least or number < least) then
    least, plan = number, all[i + 1]
  end
end
if not least then return {names, 0, ''} end
plan = me .. string.sub(plan, string.find(plan, '|', 1, true), -1)
redis.call('HSET', groups, string.format('%.0f', least), plan)
return {names, least, plan}
""",
)
"""KEYS workers groups last_fix; ARGV worker, whether to end leases that ran out, whether to take
a group, groups held. Answers who is alive, and the oldest group of those that are nobody's, now
ours (0: none); nothing at all when our own lease was lost."""

FIX = Script(
    "fix",
    ALLOW_OOM,
    _NOW
    + """
local meta, workers, groups, seen, last = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local worker, token, window = ARGV[1], ARGV[2], tonumber(ARGV[4])
if not redis.call('ZSCORE', workers, worker) then return {} end
local before = redis.call('HGET', last, worker)
if before then
  local old, number = string.match(before, '^(%S+) (%S+)$')
  local plan = redis.call('HGET', groups, number)
  if old == token and plan then
    -- Written again as it is: WAIT waits for what its own connection wrote.
    redis.call('HSET', last, worker, before)
    return {tonumber(number), plan}
  end
end
local now = now_ms()
local seen_at = ARGV[3] == '' and now or tonumber(ARGV[3])
if #ARGV > 6 then
  redis.call('ZREMRANGEBYSCORE', seen, '-inf', string.format('(%.0f', seen_at - window))
end
local dropped = {}
for i = 7, #ARGV, 2 do
  if redis.call('ZSCORE', seen, ARGV[i]) then
    dropped[#dropped + 1] = ARGV[i + 1]
  else
    redis.call('ZADD', seen, string.format('%.0f', seen_at), ARGV[i])
  end
end
local number = math.max(tonumber(redis.call('HGET', meta, 'next_group') or 0), now,
  tonumber(ARGV[5]))
local plan = worker .. '|' .. table.concat(dropped, ',') .. '|' .. ARGV[6]
local text = string.format('%.0f', number)
redis.call('HSET', meta, 'next_group', string.format('%.0f', number + 1))
redis.call('HSET', groups, text, plan)
redis.call('HSET', last, worker, token .. ' ' .. text)
return {number, plan}
""",
)
"""KEYS meta workers groups seen last_fix; ARGV worker, token of this call, time in ms or nothing,
dedup window in ms, least number, plan, then dedup id and ``shard/id`` of the entries that have
one. Number and plan; nothing when the lease was lost. Said again with its token, the same."""

DONE = Script(
    "done",
    ALLOW_OOM,
    """
local meta, workers, groups, done = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
if not redis.call('ZSCORE', workers, ARGV[1]) then return 'lost' end
local plan = redis.call('HGET', groups, ARGV[2])
if not plan then
  if tonumber(ARGV[2]) >= tonumber(redis.call('HGET', meta, 'next_group') or 0) then
    return 'never'
  end
  return 'known'
end
if string.match(plan, '^([^|]*)|') ~= ARGV[1] then return 'lost' end
local epoch = redis.call('HGET', meta, 'epoch')
redis.call('HSET', done, ARGV[2], epoch .. string.sub(plan, string.find(plan, '|', 1, true), -1))
redis.call('HDEL', groups, ARGV[2])
return 'noted'
""",
)
"""KEYS meta workers groups done; ARGV worker, group. In the plan the epoch takes the owner's
place: in that one its entries are counted as gone."""

PLANS = Script(
    "plans",
    NO_WRITES,
    """
return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}
""",
)
"""KEYS groups done. Number and plan of all that are not acknowledged, and of those that are."""

FORGET = Script(
    "forget",
    ALLOW_OOM,
    """
for _, number in ipairs(ARGV) do redis.call('HDEL', KEYS[1], number) end
return 1
""",
)
"""KEYS done; ARGV groups."""

ADD_LETTER = Script(
    "add_letter",
    ALLOW_OOM,
    """
local letters, meta, capacity = KEYS[1], KEYS[2], tonumber(ARGV[1])
redis.call('XADD', letters, '*', 'p', ARGV[2], 'r', ARGV[3], 'm', ARGV[4], 't', ARGV[5])
local bytes = redis.call('HINCRBY', meta, 'bytes', #ARGV[2] + #ARGV[4])
local dropped = 0
while bytes > capacity do
  local oldest = redis.call('XRANGE', letters, '-', '+', 'COUNT', 1)[1]
  if not oldest then break end
  redis.call('XDEL', letters, oldest[1])
  bytes = redis.call('HINCRBY', meta, 'bytes', -(#oldest[2][2] + #oldest[2][6]))
  dropped = dropped + 1
end
if dropped > 0 then redis.call('HINCRBY', meta, 'dropped', dropped) end
return dropped
""",
)
"""KEYS letters letters_meta; ARGV capacity, payload, rows, reason, at_ns. How many had to go."""

NEWEST_LETTERS = Script(
    "newest_letters",
    NO_WRITES,
    """
return redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', ARGV[1])
""",
)
"""KEYS letters; ARGV count."""

REMOVE_LETTERS = Script(
    "remove_letters",
    ALLOW_OOM,
    """
local gone = 0
for _, id in ipairs(ARGV) do
  local letter = redis.call('XRANGE', KEYS[1], id, id)[1]
  if letter then
    redis.call('XDEL', KEYS[1], id)
    redis.call('HINCRBY', KEYS[2], 'bytes', -(#letter[2][2] + #letter[2][6]))
    gone = gone + 1
  end
end
return gone
""",
)
"""KEYS letters letters_meta; ARGV ids. How many there were."""

LETTERS = Script(
    "letters",
    NO_WRITES,
    """
local dropped = tonumber(redis.call('HGET', KEYS[2], 'dropped') or 0)
return {redis.call('XLEN', KEYS[1]), dropped}
""",
)
"""KEYS letters letters_meta. How many there are, and how many had to go."""
