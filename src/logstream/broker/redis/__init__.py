"""A broker on Redis Streams: one server or a cluster, many producers, many workers.

What an append promises
-----------------------
`append` returns when Redis has answered, which rests on what Redis is set to do: `status` says it
in words, and warns when it is memory alone. With ``wait_replicas`` it also waits until as many
replicas have it in their memory. Redis 7.0 or newer.

The keys
--------
All begin with a prefix. Those of one shard share the hash tag ``{prefix:number}``, so that they are
on one node of a cluster and one script can change them together; those of the workers' agreement
share ``{prefix}``. ::

    {p:0}:log                a stream; an entry has payload p (Arrow IPC), writer w, its number
                             there q, rows r, received_ns t, dedup id d
    {p:0}:meta               hash: entries, rows, bytes not acknowledged; added, trimmed, kept;
                             upto: all entries up to this id are acknowledged; group
    {p:0}:tail               list: what was acknowledged lately and is left for followers
    {p:0}:writer:NAME        hash: next number, first and ids of the last call; gone after 7 days

    {p}:meta                 hash: epoch, next_group, shards, writers
    {p}:workers              sorted set: worker → when its lease runs out (ms)
    {p}:groups               hash: number → owner|dropped|plan of each group fixed, not acknowledged
    {p}:done                 hash: the same of those acknowledged, while entries of theirs could
                             still be handed out again; the epoch in the owner's place
    {p}:last_fix             hash: worker → token and number of its last `fix`
    {p}:seen                 sorted set: dedup id → when it was first grouped (ms)
    {p}:letters {p}:letters_meta    dead letters: a stream, and what it holds

A plan is JSON: the epoch, and runs of [shard, first id, last id, count] in reading order. What one
call reads stands side by side in the stream, so a run needs no list of ids.

Everything that must happen together happens in one Lua script (`shard_scripts`,
`worker_scripts`, `control_scripts`), and every script may be sent again when its answer was lost.
Scripts that make room, or that making room needs, are allowed when the memory is full; appends are
not.

No loss, no double, though answers are lost
-------------------------------------------
* A writer is the name of one producer; it stays on one shard, and sends one call at a time, with
  the number of its first entry. The script keeps what has a higher number than it knows of and
  answers the ids of all. So a call is repeated until it is answered. When the producer gives up
  without an answer it goes on under a new name: what was sent may arrive yet, and nothing new can
  be taken for it.
* A read that got no answer may have handed entries to the worker. Before the shard is read again
  the worker asks what it holds there and takes what it has not seen.
* `fix` carries a token; sent again, it answers what it answered. `ack` and trimming change nothing
  the second time, and counts change only with an acknowledgement that was new.
* Of entries with one dedup id the first to be grouped stays, whichever shards they are on: the
  script that fixes a group looks the ids up and writes them down, in the same step. Times are
  Redis's own.

Numbers of groups start at the time of day in milliseconds and never fall behind it, so they grow
even when Redis lost its memory.

Workers that die
----------------
A worker holds a lease, renewed several times within ``lease_s``. Others remove one that ran out;
that alone makes its holder dead, and for ever: it has the name no more, and every `fix` and `ack`
checks the lease in the script that does the work, so that of a worker that was only slow nothing
gets through afterwards. It is told `LeaseLost` and begins anew.

A dead worker's groups go to another with their number, plan, and therefore entries; its entries
that are in no group are claimed and read as new. `sweep` says why no entry is ever in two hands.

Two workers may be *inserting* one group for a moment, when one that was taken for dead wakes up in
the middle: its insert and the repetition by the other write rows with the same ids under the same
token, and the one that took over looks first what is there. The store then keeps each row once: by
``_id`` in MongoDB; in ClickHouse by the token, for as long as its window of tokens is.

A consumer group that is lost
-----------------------------
`XGROUP DESTROY`, `FLUSHALL` or a failover can take the stream's consumer group away, and with it
who holds what. Whoever sees it ends the *epoch*: all leases go. Workers begin anew with a consumer
group of the new epoch, made from ``upto``; entries that are handed out again and are part of a plan
of a former epoch are left out, as ``groups`` and ``done`` tell. Nothing is lost, nothing doubled.
When a failover takes entries back that Redis had acknowledged, the producer sees the gap in its
numbers, logs how many and goes on under a new name; that is what asynchronous replication costs.
Since the old name's numbers end where the gap began, nobody who waits until such an entry is stored
is told that it is, whatever becomes of the ids of later ones: it is said to be lost.

Trimming and room
-----------------
Never by length. Entries are trimmed up to the oldest that is not acknowledged, and 5 s or 64 MB of
acknowledged ones a shard are left for followers. Appends are refused at ``capacity_bytes`` (exactly
for the own shard, within a second for the others), at 90 % of ``maxmemory``, and when Redis itself
says that its memory is full.

Readers ask again and again, every 10 to 50 ms, and do not block: shards on different nodes cannot
be waited for together, and a connection that blocks cannot be seen to be dead.
"""

from __future__ import annotations

from logstream.broker.redis.broker import RedisBroker

__all__ = ["RedisBroker"]
