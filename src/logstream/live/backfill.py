"""The last matching records before a tail goes live, none missing and none twice.

Records before "live" are in two places, and for a while in both: the store has what was inserted,
the ring has what came last. Where each is taken from follows from three steps, in this order:

1. a *mark* is taken: the border after the last group whose records can all be found;
2. the hub reads until it has caught up with the broker;
3. the *cut* is made: the ring is copied and the tail begins at the next item, in one step.

Now every entry is in exactly one class:

* before the mark: all its records can be found in the store and have ids below the mark's. It was
  appended before step 1, so after step 2 the hub has seen it, and it will not come live. In the
  ring it is passed over.
* behind the mark and before the cut: taken from the ring. If it is in the store by now, its ids
  are not below the mark's: there it is passed over.
* behind the cut: comes live, and likewise is passed over in the store.

So nothing is shown twice. Missing can be only what is behind the mark and has left the ring, or
was waiting in the broker when the hub began to follow: while the store is far behind, that is.

Where others write the store too nobody tells the hub what is in it, and there are no marks. Then
the store is asked first, the hub catches up after that, and only then the cut is made: what was
found there is in the ring or older than it, and none of it comes live. Records of the ring are
known again by all that they hold. (Of two equal ones, of which only the older is stored yet, the
older is left out.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from logstream.errors import StoreError
from logstream.live.events import TailRow
from logstream.live.marks import Mark, Marks
from logstream.live.ring import Item, block_of
from logstream.live.select import Matcher
from logstream.live.tail import chunk_of, tail_rows
from logstream.query import Filter
from logstream.record import Record
from logstream.store.base import Cursor, QueryLimits, Store, StoredRecord, TimeRange
from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS

__all__ = ["Backfilled", "beside", "from_ring", "from_store", "newest"]

_DECODED_AT_ONCE = 100
_PAGE_ROWS = 1_000
_PAGES = 5
_LIMITS = QueryLimits(timeout_s=5.0)
_ALL_TIME = TimeRange(MIN_TIMESTAMP_NS, MAX_TIMESTAMP_NS + 1)


class Backfilled(msgspec.Struct, frozen=True):
    """Rows, oldest first; ``complete``: no later match than the oldest of them can be missing."""

    rows: list[TailRow]
    complete: bool


def from_ring(
    items: Sequence[Item], matcher: Matcher, mark: Mark, *, limit: int, hub: str
) -> list[TailRow]:
    """The last ``limit`` matching rows of items behind the mark, oldest first. CPU-bound."""
    found: list[TailRow] = []
    behind = [item for item in items if not mark.covers(item.entry.position)]
    for end in range(len(behind), 0, -_DECODED_AT_ONCE):
        block = block_of(behind[max(0, end - _DECODED_AT_ONCE) : end])
        if block is None:
            continue
        rows = matcher.matching(block.rows)[-(limit - len(found)) :]
        found[:0] = tail_rows(chunk_of(block, rows, hub))
        if len(found) == limit:
            break
    return found


async def from_store(
    store: Store, where: Filter, marks: Marks, mark: Mark, *, limit: int
) -> Backfilled:
    """The newest ``limit`` matching records before the mark, oldest first."""
    found: list[StoredRecord] = []
    cursor: Cursor | None = None
    for _ in range(_PAGES):
        try:
            page = await store.search(
                where, _ALL_TIME, limit=_PAGE_ROWS, cursor=cursor, count=False, limits=_LIMITS
            )
        except StoreError:
            # The tail goes on without it, and says so.
            return _result(found[:limit], complete=False)
        end_id = marks.settled(mark).end_id
        found += [each for each in page.records if end_id is None or each.id < end_id]
        cursor = page.next_cursor
        if len(found) >= limit or cursor is None:
            return _result(found[:limit], complete=True)
    return _result(found, complete=False)


async def newest(store: Store, where: Filter, *, limit: int) -> list[StoredRecord] | None:
    """The newest matching records, newest first; ``None``: the store cannot say."""
    try:
        page = await store.search(where, _ALL_TIME, limit=limit, count=False, limits=_LIMITS)
    except StoreError:
        return None
    return page.records


def beside(stored: Sequence[StoredRecord], ring: Sequence[TailRow], *, limit: int) -> list[TailRow]:
    """All of the ring's rows, and before them of the stored ones (newest first) those that are
    none of them, as many as ``limit`` lets: oldest first."""
    there = Counter(_whole(row.record) for row in ring)
    others = []
    for each in stored:
        if there[whole := _whole(each.record)] > 0:
            there[whole] -= 1
        else:
            others.append(each)
    return [*_result(others[: limit - len(ring)], complete=True).rows, *ring]


def _whole(record: Record) -> bytes:
    return msgspec.json.encode(record, order="sorted")


def _result(newest_first: list[StoredRecord], *, complete: bool) -> Backfilled:
    rows = [
        TailRow(key=f"id.{each.id}", record=each.record, id=each.id)
        for each in reversed(newest_first)
    ]
    return Backfilled(rows, complete)
