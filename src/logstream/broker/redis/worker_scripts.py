"""What workers do on a shard, each step whole or not at all."""

from __future__ import annotations

from logstream.broker.redis.script import ALLOW_OOM, NO_WRITES, Script
from logstream.broker.redis.shard_scripts import IDS

__all__ = [
    "ACK",
    "CLAIM",
    "CONSUMERS",
    "DROP_CONSUMERS",
    "FETCH",
    "OPEN",
    "PENDING",
    "READ",
    "TIDY",
]

OPEN = Script(
    "open",
    ALLOW_OOM,
    """
local log, meta, group = KEYS[1], KEYS[2], ARGV[1]
local known = redis.call('HGET', meta, 'group') or ''
if known > group then return 0 end
local start = redis.call('HGET', meta, 'upto') or '0-0'
local made = redis.pcall('XGROUP', 'CREATE', log, group, start, 'MKSTREAM')
if made['err'] and not string.find(made['err'], 'BUSYGROUP') then return made end
if known == group and not made['err'] then
  -- It was here and was lost: made anew, it would hand out what others hold.
  redis.call('XGROUP', 'DESTROY', log, group)
  return -1
end
for _, info in ipairs(redis.call('XINFO', 'GROUPS', log)) do
  if info[2] ~= group then redis.call('XGROUP', 'DESTROY', log, info[2]) end
end
redis.call('HSET', meta, 'group', group)
return 1
""",
)
"""KEYS log meta; ARGV group. Makes the consumer group, from after what is acknowledged, and
removes those of former times; 0 if there is a later one, -1 if this one was lost."""

READ = Script(
    "read",
    ALLOW_OOM,
    """
local found, size, limit = {}, 0, tonumber(ARGV[3])
repeat
  local more = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', 8,
    'STREAMS', KEYS[1], '>')
  if not more then break end
  for _, entry in ipairs(more[1][2]) do
    found[#found + 1] = entry
    size = size + #entry[2][2]
  end
until size >= limit
return found
""",
)
"""KEYS log; ARGV group, worker, bytes. The next entries, which stand side by side."""

FETCH = Script(
    "fetch",
    NO_WRITES,
    """
return redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[2], 'COUNT', ARGV[3])
""",
)
"""KEYS log; ARGV first id, last id, count."""

ACK = Script(
    "ack",
    ALLOW_OOM,
    IDS
    + """
local log, meta, tail, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local entries, rows, bytes = 0, 0, 0
for i = 2, #ARGV, 3 do
  if redis.call('XACK', log, group, ARGV[i]) == 1 then
    entries, rows = entries + 1, rows + tonumber(ARGV[i + 1])
    bytes = bytes + tonumber(ARGV[i + 2])
  end
end
if entries > 0 then
  redis.call('HINCRBY', meta, 'entries', string.format('%.0f', -entries))
  redis.call('HINCRBY', meta, 'rows', string.format('%.0f', -rows))
  redis.call('HINCRBY', meta, 'bytes', string.format('%.0f', -bytes))
  redis.call('HINCRBY', meta, 'kept', string.format('%.0f', bytes))
  local now = redis.call('TIME')
  redis.call('RPUSH', tail, string.format('%s %.0f %s', upto(log, group), bytes, now[1]))
end
return entries
""",
)
"""KEYS log meta tail; ARGV group, then id, rows, bytes of each. Said again, it counts nothing."""

TIDY = Script(
    "tidy",
    ALLOW_OOM,
    IDS
    + """
local log, meta, tail, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local tail_s, tail_bytes = tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(redis.call('TIME')[1])
local done = upto(log, group)
redis.call('HSET', meta, 'upto', done)
local kept, cut = tonumber(redis.call('HGET', meta, 'kept') or 0), nil
while true do
  local head = redis.call('LINDEX', tail, 0)
  if not head then break end
  local id, bytes, at = string.match(head, '^(%S+) (%S+) (%S+)$')
  if kept <= tail_bytes and now - tonumber(at) < tail_s then break end
  redis.call('LPOP', tail)
  kept, cut = kept - tonumber(bytes), id
end
if cut then
  local ms, seq = parts(cut)
  if string.match(cut, '18446744073709551615$') then ms, seq = ms + 1, -1 end
  local least = string.format('%.0f-%.0f', ms, seq + 1)
  local gone = redis.call('XTRIM', log, 'MINID', '=', least)
  redis.call('HINCRBY', meta, 'trimmed', gone)
  redis.call('HSET', meta, 'kept', string.format('%.0f', math.max(kept, 0)))
end
if tonumber(redis.call('HGET', meta, 'entries') or 0) ~= 0
    and redis.call('XPENDING', log, group)[1] == 0
    and #redis.call('XRANGE', log, '(' .. done, '+', 'COUNT', 1) == 0 then
  -- Nothing waits: whatever a lost consumer group left in the counts is wrong.
  redis.call('HSET', meta, 'entries', 0, 'rows', 0, 'bytes', 0)
end
return done
""",
)
"""KEYS log meta tail; ARGV group, seconds and bytes of acknowledged entries that are left for
followers. Trims what is acknowledged; answers up to which id everything is."""

CONSUMERS = Script(
    "consumers",
    NO_WRITES,
    """
local names = {}
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  names[#names + 1] = info[2]
end
return names
""",
)
"""KEYS log; ARGV group. Everybody who ever read, and was not dropped."""

PENDING = Script(
    "pending",
    NO_WRITES,
    """
local ids = {}
for i, item in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], '+', ARGV[4], ARGV[2])) do
  ids[i] = item[1]
end
return ids
""",
)
"""KEYS log; ARGV group, worker, first id, count. Ids of what the worker was given."""

CLAIM = Script(
    "claim",
    ALLOW_OOM,
    """
local log, group, from, to = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local found, size, limit = {}, 0, tonumber(ARGV[4])
for i = 5, #ARGV do
  local held = redis.call('XPENDING', log, group, ARGV[i], ARGV[i], 1)
  if held[1] and held[1][2] == from then
    local entry = redis.call('XCLAIM', log, group, to, 0, ARGV[i])[1]
    if entry then
      found[#found + 1] = entry
      size = size + #entry[2][2]
      if size >= limit then break end
    end
  end
end
return found
""",
)
"""KEYS log; ARGV group, worker from, worker to, bytes, ids. Takes over those that ``from`` still
holds, so that of two who try one gets each."""

DROP_CONSUMERS = Script(
    "drop_consumers",
    ALLOW_OOM,
    """
for i = 2, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[i]) == 0 then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[i])
  end
end
return 1
""",
)
"""KEYS log; ARGV group, workers. Forgets those who hold nothing."""
