"""One live tail: a bounded buffer that counts what it loses."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

import msgspec
import pyarrow as pa

from logstream import metrics
from logstream.live.events import Event, Place, Rows, Status, TailRow
from logstream.live.ring import Block
from logstream.live.select import Selected
from logstream.record import records_of

__all__ = ["Chunk", "Tail", "chunk_of", "tail_rows"]

_EVENT_ROWS = 500
STATUS_EVERY_S = 1.0


class Chunk(msgspec.Struct, frozen=True):
    """Rows that a tail shows: still columns, records only when they are handed out.

    ``places`` and ``received_ns`` are theirs, one each.
    """

    places: list[Place]
    received_ns: list[int]
    rows: pa.RecordBatch

    def split(self, count: int) -> tuple[Chunk, Chunk]:
        """The first ``count`` rows, and the others."""
        return (
            Chunk(self.places[:count], self.received_ns[:count], self.rows.slice(0, count)),
            Chunk(self.places[count:], self.received_ns[count:], self.rows.slice(count)),
        )


def chunk_of(block: Block, rows: list[int], hub: str) -> Chunk:
    """These rows of the block."""
    origins = [block.origin(row) for row in rows]
    return Chunk(
        [Place(hub, item.number, row) for item, row in origins],
        [item.entry.message.received_ns for item, _ in origins],
        block.rows.take(pa.array(rows, pa.int64())),
    )


def tail_rows(chunk: Chunk) -> list[TailRow]:
    """The chunk's rows as values."""
    values = zip(chunk.places, chunk.received_ns, records_of(chunk.rows), strict=True)
    return [
        TailRow(key=str(place), record=record, received_ns=received_ns)
        for place, received_ns, record in values
    ]


class Tail:
    """What one client follows; iterate over it for its events, close it when the client goes.

    Made by `Hub.open`. A `Rows` comes as soon as there is one; a `Status` first of all, and then
    whenever its counts have changed, at most one a second.

    Args:
        hub: The hub's name, for places.
        start: Where what it will be offered begins.
        capacity: Records that may wait; beyond that the oldest are dropped and counted.
        on_close: Called once.
    """

    def __init__(
        self, *, hub: str, start: Place, capacity: int, on_close: Callable[[Tail], None]
    ) -> None:
        self._hub = hub
        self._capacity = capacity
        self._on_close = on_close
        self._chunks: deque[Chunk] = deque()
        self._first: deque[Rows] = deque()
        self._wake = asyncio.Event()
        self._closed = False
        self._failure: Exception | None = None
        self._start = str(start)
        self._seen = start
        self._counts = Status(resume=str(self._seen))
        self._told: Status | None = None
        self._told_s = 0.0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        loop = asyncio.get_running_loop()
        while not self._closed:
            if self._told is None or (
                loop.time() - self._told_s >= STATUS_EVERY_S and self.status() != self._told
            ):
                self._told, self._told_s = self.status(), loop.time()
                return self._told
            if self._first:
                return self._first.popleft()
            if self._chunks:
                return self._hand_out()
            self._wake.clear()
            try:
                async with asyncio.timeout(STATUS_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue
        if (failure := self._failure) is not None:
            self._failure = None
            raise failure
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Follow no longer; the iteration ends. Idempotent."""
        if not self._closed:
            self._closed = True
            self._chunks.clear()
            self._first.clear()
            self._on_close(self)
            self._wake.set()

    def status(self) -> Status:
        """The counts as of now."""
        return self._counts

    # The hub's side

    def begin(self, rows: list[TailRow], *, complete: bool, gap: bool) -> None:
        """What comes before everything offered: the backfill, and whether anything lacks in it."""
        self._count(backfill_complete=complete, gap=gap)
        for start in range(0, len(rows), _EVENT_ROWS):
            part = tuple(rows[start : start + _EVENT_ROWS])
            # Whoever breaks off within the backfill starts anew where live rows begin.
            self._first.append(Rows(rows=part, resume=self._start, backfill=True))
        self._wake.set()

    def fail(self, failure: Exception) -> None:
        """End it; who iterates is raised what went wrong."""
        if not self._closed:
            self._failure = failure
            self.close()

    def offer(
        self, chunk: Chunk | None, selected: Selected, *, seen: int, sample: int, missed: int
    ) -> None:
        """What the next items hold for this tail. ``seen``: the number of the item after them."""
        if self._closed:
            return
        self._seen = Place(self._hub, seen, 0)
        counts = self._counts
        dropped = 0
        waiting = counts.waiting
        if chunk is not None:
            self._chunks.append(chunk)
            waiting += len(chunk.places)
            dropped = max(0, waiting - self._capacity)
            self._drop(dropped)
            waiting -= dropped
            metrics.TAIL_DROPPED.inc(dropped)
            self._wake.set()
        self._count(
            matched=counts.matched + selected.matched,
            sampled_out=counts.sampled_out + selected.matched - len(selected.rows),
            unexamined=counts.unexamined + selected.unexamined,
            dropped=counts.dropped + dropped,
            waiting=waiting,
            sample=sample,
            missed_entries=missed,
            resume=counts.resume if waiting else str(self._seen),
        )

    def _drop(self, count: int) -> None:
        """Forget the oldest rows: whoever watches wants to see what happens now."""
        while count:
            oldest = self._chunks.popleft()
            if len(oldest.places) > count:
                self._chunks.appendleft(oldest.split(count)[1])
                return
            count -= len(oldest.places)

    def _hand_out(self) -> Rows:
        rows: list[TailRow] = []
        while self._chunks and len(rows) < _EVENT_ROWS:
            chunk = self._chunks.popleft()
            room = _EVENT_ROWS - len(rows)
            if len(chunk.places) > room:
                chunk, rest = chunk.split(room)
                self._chunks.appendleft(rest)
            rows += tail_rows(chunk)
            last = chunk.places[-1]
            after = Place(last.hub, last.number, last.row + 1)
        if not self._chunks:
            after = self._seen
        counts = self._counts
        metrics.TAIL_RECORDS.inc(len(rows))
        self._count(
            sent=counts.sent + len(rows),
            waiting=counts.waiting - len(rows),
            resume=str(after),
        )
        return Rows(rows=tuple(rows), resume=str(after))

    def _count(self, **changes: object) -> None:
        self._counts = msgspec.structs.replace(self._counts, **changes)
