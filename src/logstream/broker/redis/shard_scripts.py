"""What happens on a shard, each step whole or not at all.

An entry's fields always stand in one order: ``p`` payload, ``w`` writer, ``q`` its number there,
``r`` rows, ``t`` received_ns, ``d`` dedup id. The same names in every entry are stored once.
"""

from __future__ import annotations

from logstream.broker.redis.script import NO_WRITES, STRICT, Script

__all__ = ["APPEND", "ENTRY_BYTES", "FOLLOW", "IDS", "LAST", "STATUS", "STORED"]

ENTRY_BYTES = 100
"""What an entry counts beyond its payload."""

IDS = """
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end
local function before(id)
  local ms, seq = parts(id)
  if seq > 0 then return string.format('%.0f-%.0f', ms, seq - 1) end
  if ms == 0 then return '0-0' end
  return string.format('%.0f-18446744073709551615', ms - 1)
end
local function delivered(log, group)
  for _, info in ipairs(redis.call('XINFO', 'GROUPS', log)) do
    local found = {}
    for i = 1, #info, 2 do found[info[i]] = info[i + 1] end
    if found['name'] == group then return found['last-delivered-id'] end
  end
  return nil
end
-- The id up to which, itself included, everything is acknowledged.
local function upto(log, group)
  local pending = redis.call('XPENDING', log, group)
  if pending[1] > 0 then return before(pending[2]) end
  return delivered(log, group)
end
"""
"""Functions that scripts begin with: about ids, and how far a consumer group has come."""

APPEND = Script(
    "append",
    STRICT,
    f"""
local log, meta, writer = KEYS[1], KEYS[2], KEYS[3]
local first, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local count = (#ARGV - 4) / 4
local known = redis.call('HMGET', writer, 'next', 'first', 'ids')
local next = tonumber(known[1] or 0)
-- The writer's own memory is ahead of ours: what lies between was lost here.
if next < first then return {{first - next, 0, {{}}}} end
local old = {{}}
if known[1] and tonumber(known[2]) <= first then
  for id in string.gmatch(known[3], '%S+') do old[#old + 1] = id end
end
local sums = redis.call('HMGET', meta, 'entries', 'rows', 'bytes', 'added')
local entries, rows = tonumber(sums[1] or 0), tonumber(sums[2] or 0)
local bytes, added = tonumber(sums[3] or 0), tonumber(sums[4] or 0)
local ids, fresh = {{}}, 0
for i = 1, count do
  local sequence, at = first + i - 1, 1 + i * 4
  if sequence < next then
    ids[i] = old[sequence - tonumber(known[2]) + 1] or '0-0'
  else
    if bytes >= capacity then break end
    ids[i] = redis.call('XADD', log, '*', 'p', ARGV[at], 'w', ARGV[4],
      'q', string.format('%.0f', sequence), 'r', ARGV[at + 1], 't', ARGV[at + 2],
      'd', ARGV[at + 3])
    entries, rows, fresh = entries + 1, rows + tonumber(ARGV[at + 1]), fresh + 1
    bytes = bytes + #ARGV[at] + {ENTRY_BYTES}
  end
end
if fresh > 0 then
  redis.call('HSET', meta, 'entries', string.format('%.0f', entries),
    'rows', string.format('%.0f', rows), 'bytes', string.format('%.0f', bytes),
    'added', string.format('%.0f', added + fresh))
  redis.call('HSET', writer, 'next', string.format('%.0f', first + #ids),
    'first', string.format('%.0f', first), 'ids', table.concat(ids, ' '))
end
-- Even when nothing is new: WAIT waits for what its own connection wrote.
redis.call('PEXPIRE', writer, ARGV[3])
return {{0, bytes, ids}}
""",
)
"""KEYS log meta writer; ARGV first sequence, capacity, the writer's time to live in ms, writer,
then payload, rows, received_ns, dedup id of each. Answers how many entries are missing before the
first, and if there are any keeps nothing: the writer's numbers say for ever what was lost. Else
bytes on the shard, and the ids of the entries that are kept: fewer than given when full. Sent
again, it keeps nothing twice."""

FOLLOW = Script(
    "follow",
    NO_WRITES,
    """
local log, meta, last, limit = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local sums = redis.call('HMGET', meta, 'added', 'trimmed')
local found, size = {}, 0
repeat
  local more = redis.call('XRANGE', log, '(' .. last, '+', 'COUNT', 8)
  for _, entry in ipairs(more) do
    found[#found + 1] = entry
    size = size + #entry[2][2]
    last = entry[1]
  end
until #more < 8 or size >= limit
return {tonumber(sums[1] or 0), tonumber(sums[2] or 0), found}
""",
)
"""KEYS log meta; ARGV last id seen, bytes. Answers how many entries were ever added, how many
trimmed, and those after the last seen."""

LAST = Script(
    "last",
    NO_WRITES,
    """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local added = tonumber(redis.call('HGET', KEYS[2], 'added') or 0)
return {newest[1] and newest[1][1] or '0-0', added}
""",
)
"""KEYS log meta. The newest entry's id, and how many entries were ever added."""

STORED = Script(
    "stored",
    NO_WRITES,
    IDS
    + """
local log, group = KEYS[1], redis.call('HGET', KEYS[2], 'group')
local kept = tonumber(redis.call('HGET', KEYS[3], 'next') or 0)
local last = group and redis.call('EXISTS', log) == 1 and delivered(log, group)
local answer = {}
local last_ms, last_seq
if last then last_ms, last_seq = parts(last) end
for i = 1, #ARGV, 2 do
  local ms, seq = parts(ARGV[i + 1])
  local stored = 0
  if tonumber(ARGV[i]) >= kept then
    stored = -1
  elseif last and (ms < last_ms or (ms == last_ms and seq <= last_seq)) then
    stored = #redis.call('XPENDING', log, group, ARGV[i + 1], ARGV[i + 1], 1) == 0 and 1 or 0
  end
  answer[#answer + 1] = stored
end
return answer
""",
)
"""KEYS log meta writer; ARGV number and id of each of the writer's entries that were once here. For
each whether it is acknowledged; -1: Redis has it no more, and nobody has seen to it. An id alone
would not tell: a failover takes entries back, and those that come later have higher ids."""

STATUS = Script(
    "status",
    NO_WRITES,
    IDS
    + """
local log, meta = KEYS[1], KEYS[2]
local sums = redis.call('HMGET', meta, 'entries', 'rows', 'bytes', 'group', 'upto')
local oldest = ''
if tonumber(sums[1] or 0) > 0 and redis.call('EXISTS', log) == 1 then
  local after = sums[4] and delivered(log, sums[4]) and upto(log, sums[4]) or sums[5] or '0-0'
  local first = redis.call('XRANGE', log, '(' .. after, '+', 'COUNT', 1)
  if first[1] then oldest = first[1][2][10] or '' end
end
return {tonumber(sums[1] or 0), tonumber(sums[2] or 0), tonumber(sums[3] or 0), oldest}
""",
)
"""KEYS log meta. Entries, rows and bytes not acknowledged, received_ns of the oldest."""
