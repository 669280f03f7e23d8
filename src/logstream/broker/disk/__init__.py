"""A broker in a folder of a local disk, shared by the processes of one machine.

What an append promises
-----------------------
`append` returns when the message's bytes are on the disk (``fdatasync``), with those of all others
that waited at that moment: one sync answers them all. The kernel, a process or the power may then
fail at any point; what was acknowledged is read again.

The folder
----------
::

    writers/0000/                    one writer's folder, held by its process through flock
        00000000000000000000.seg     a segment, named by the number of its first entry
        00000000000000041873.seg     the newest; only the process that made it writes to it
        durable                      up to where the entries are safe (a mark)
        acked                        up to where they are in the store (a mark)
        lock
    consumer.sqlite                  progress, fixed groups, dedup ids seen
    consumer.lock                    held by the one consumer; holds its process id
    dead_letters.sqlite
    quarantine/                      a file for each stretch that could not be read any more

A writer's folder is taken by the first process that finds it free, and freed by the system when
that process ends, however it ends; so there are never more folders than there were writers at
once. A file locked by flock on a network file system may not be locked at all: use a local disk.

A segment
---------
All numbers are little-endian. A segment starts with two copies of the same 32 bytes, so that one
flaw never makes a whole file unreadable::

    8  "LSTRSEG\\n"      4  version (1)     8  salt     8  number of the first entry
    4  CRC-32 of the 28 bytes before

and goes on with frames, one an entry, without padding::

     8  the segment's salt
     4  bytes of payload                    4  rows
     8  number of the entry                 8  received_ns (signed)
     8  rows that this writer ever wrote, this frame's included
     8  bytes of frames that it ever wrote, this one's included
     1  bytes of dedup id (0–32)            3  zero
     4  CRC-32 of the payload
     4  CRC-32 of the 56 bytes before and the dedup id
     …  dedup id
     …  payload

* The header has a checksum of its own, so that a damaged length is known before it is believed
  and the search for the next frame costs nothing for each false start. It covers the payload's
  checksum, so together they cover every bit. zlib's CRC-32 is 1.7 GB/s here, 0.06 µs for a
  record in a batch; nothing stronger in the standard library is as fast.
* The salt is 8 random bytes of each segment. After damage the next frame is looked for by it, and
  nobody outside knows it: a payload cannot be made to look like a frame.
* The running totals make the difference of two marks say how many rows and bytes lie between,
  without reading what is there.

A mark is 5 numbers of 8 bytes (segment, offset in it, next entry's number, total rows, total bytes)
and their CRC-32. It is written in place and never synced: the page cache carries it to the other
processes. A reader that catches it half written keeps the one it had.

Readers and the power cut
-------------------------
No reader goes beyond ``durable``, which is published after the sync. Otherwise the consumer could
store an entry that a power cut then takes back, and the number of which the writer gives to
another entry: its progress would say that it had that one already, and a promise would be lost.
Three rules make numbers safe:

* ``durable`` only ever lags behind the disk. When it is lost in a power cut, recovery finds the
  end by reading, syncs the file, and publishes that. (The consumer recovers the folders that
  nobody holds when it is opened, so that no entry waits for its writer to come back.)
* A writer goes on after the highest number that the segments, ``durable``, or the consumer's own
  synced progress knows, whatever was lost. What is missing then shows as a gap in the numbers.
* The newest segment is never deleted, even when all of it is in the store: it keeps the place.

Recovery keeps whole frames that were written and not acknowledged (a request that got no answer
may have been kept) and cuts what follows them. Each step may be stopped and done again.

When the disk fails
-------------------
After any error from write or sync the file is never touched again, since a sync that failed may
have thrown the data away and the next one would succeed and mean nothing. The waiting appends get
`BrokerUnavailable`, the file is cut back to where it was last safe (removed, if that is its start)
and the next append begins a new segment. Should cutting fail too, the next segment's name tells:
a segment ends, for every reader, where the next one's numbers begin.

Damage
------
A frame that does not prove right is skipped to the next that does; the stretch between is copied
to ``quarantine``, logged with file and offsets, and counted; so are numbers that are missing
without a trace. A replay that meets the same damage does not count it again. A segment of another
version stops its readers with a message that says so. A sector that the disk cannot read, also
not a moment later, counts as damaged.

Deletion and room
-----------------
The consumer deletes a segment once all of it is acknowledged. Producers add up the difference
between ``durable`` and ``acked`` of all writers (two system calls a writer, at most twenty times a
second) and refuse from ``capacity_bytes`` on, or when the disk is nearly full. Segments
that are done with but still the newest come on top: up to ``segment_bytes`` a writer.
"""

from __future__ import annotations

from logstream.broker.disk.broker import DiskBroker

__all__ = ["DiskBroker"]
