"""The copy itself: gather a batch, fix it, insert it, go on.

Exactly once rests on three things: a batch is in the journal, rows and all, before it is inserted;
its group number follows from the copy and the batch's number; and the store is always asked which
rows are there (``verify``). A batch that is inserted for the first time must find none: if it does
an earlier run noted its state elsewhere, and the copy stops.

While one batch is inserted the next is read: two are in memory, and what the stores hold.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import msgspec
import pyarrow as pa

from logstream.errors import LogStreamError, RecordsRejected, StoreError, StoreUnavailable
from logstream.migrate.journal import Journal, Step
from logstream.migrate.numbers import group_number
from logstream.migrate.source import Chunk, Refused, Source
from logstream.record import concat, records_of
from logstream.store.base import ROW_BITS, Store
from logstream.worker.isolate import isolate
from logstream.worker.retry import Sleep, backoff_s

__all__ = ["MAX_BATCH_ROWS", "Copy", "Totals"]

MAX_BATCH_ROWS = 1 << ROW_BITS
_BATCH_BYTES = 64 << 20
_BATCH_REFUSED = 10_000
_LONGEST_PAUSE_S = 10.0


class Totals(msgspec.Struct, frozen=True):
    """Since the copy first began. ``refused``: not copied, and kept in a file."""

    copied: int
    refused: int


class Copy:
    """One copy, run once; what was begun before is finished first.

    Args:
        name: Tells this copy from others to the same destination, for ever the same.
        batch_rows: Records that are inserted at once.
        retry_s: How long either store may be away before it is given up.
        moved: Told of every step with the totals.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        destination: Store,
        journal: Journal,
        *,
        batch_rows: int = 100_000,
        retry_s: float = 120.0,
        moved: Callable[[Totals], None] = lambda _: None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._name = name
        self._source = source
        self._destination = destination
        self._journal = journal
        self._batch_rows = min(batch_rows, MAX_BATCH_ROWS)
        self._retry_s = retry_s
        self._moved = moved
        self._sleep = sleep
        self._step = Step(number=-1, position=b"", copied=0, refused=0)

    @property
    def position(self) -> bytes:
        """Where the source goes on."""
        return self._step.position

    async def run(self) -> Totals:
        """Copy everything that is behind the last run's end.

        Raises:
            StoreError: a store was away for too long; run it again.
            LogStreamError: the destination has records under this copy's numbers.
        """
        begun = await asyncio.to_thread(self._journal.read)
        if begun is not None:
            self._step, batch = begun
            if batch is not None:
                await self._insert(batch, fresh=False)
            self._moved(self._totals())
        async with aclosing(self._gathered(self._step.position)) as gathered:
            following = asyncio.ensure_future(anext(gathered, None))
            try:
                while (chunk := await following) is not None:
                    following = asyncio.ensure_future(anext(gathered, None))
                    await self._take(chunk)
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
        return self._totals()

    def _totals(self) -> Totals:
        return Totals(self._step.copied, self._step.refused)

    async def _take(self, chunk: Chunk) -> None:
        before, rows = self._step, 0 if chunk.batch is None else chunk.batch.num_rows
        self._step = Step(
            number=before.number + (rows > 0),
            position=chunk.position,
            copied=before.copied + rows,
            refused=before.refused + len(chunk.refused),
        )
        await asyncio.to_thread(self._journal.refuse, chunk.refused)
        await asyncio.to_thread(self._journal.write, self._step, chunk.batch)
        if chunk.batch is not None:
            try:
                await self._insert(chunk.batch, fresh=True)
            except _Taken:
                # Else the next run would take what is there for its own.
                self._step = before
                await asyncio.to_thread(self._journal.write, before, None)
                raise
        self._moved(self._totals())

    async def _insert(self, batch: pa.RecordBatch, *, fresh: bool) -> None:
        """Store the batch of the current step, whatever of it is there already."""
        try:
            await self._insert_rows(batch, 0, batch.num_rows, fresh=fresh)
        except RecordsRejected as exc:
            found = await isolate(
                lambda first, rows: self._insert_rows(batch, first, rows, fresh=False),
                batch.num_rows,
                reason=exc.message,
            )
            for bad in found.rejected:
                rows = records_of(batch.slice(bad.first_row, bad.rows))
                refused = [Refused(msgspec.json.encode(row).decode(), bad.reason) for row in rows]
                await asyncio.to_thread(self._journal.refuse, tuple(refused))
                self._step = msgspec.structs.replace(
                    self._step,
                    copied=self._step.copied - bad.rows,
                    refused=self._step.refused + bad.rows,
                )

    async def _insert_rows(
        self, batch: pa.RecordBatch, first_row: int, rows: int, *, fresh: bool
    ) -> None:
        group = group_number(self._name, self._step.number)
        trouble = _Trouble(self._retry_s, self._sleep)
        while True:
            try:
                result = await self._destination.insert(
                    batch.slice(first_row, rows), group=group, first_row=first_row, verify=True
                )
            except RecordsRejected:
                raise
            except StoreError as exc:
                fresh = False
                await trouble.wait(exc)
            else:
                break
        if fresh and result.present:
            raise _Taken(
                f"the destination has {result.present} records under the numbers of this copy",
                hint="an earlier run of it kept its state elsewhere: give --state that folder",
            )

    async def _gathered(self, after: bytes) -> AsyncGenerator[Chunk]:
        """The source's chunks, small ones joined up to the size of a batch."""
        parts: list[pa.RecordBatch] = []
        refused: list[Refused] = []
        position, size, rows = after, 0, 0
        async with aclosing(self._chunks(after)) as chunks:
            async for chunk in chunks:
                batch = chunk.batch
                # A position is the end of a chunk, so a batch ends where a chunk does.
                if batch is not None and rows and rows + batch.num_rows > self._batch_rows:
                    yield Chunk(concat(parts), position, tuple(refused))
                    parts, refused, size, rows = [], [], 0, 0
                position = chunk.position
                refused += chunk.refused
                if batch is not None:
                    parts.append(batch)
                    size += batch.nbytes
                    rows += batch.num_rows
                if size >= _BATCH_BYTES or len(refused) >= _BATCH_REFUSED:
                    yield Chunk(concat(parts) if parts else None, position, tuple(refused))
                    parts, refused, size, rows = [], [], 0, 0
        if position != after:
            yield Chunk(concat(parts) if parts else None, position, tuple(refused))

    async def _chunks(self, after: bytes) -> AsyncGenerator[Chunk]:
        """The source's, read on from where it broke off."""
        trouble = _Trouble(self._retry_s, self._sleep)
        while True:
            try:
                async with aclosing(self._source.chunks(after)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                        after = chunk.position
                        trouble = _Trouble(self._retry_s, self._sleep)
            except StoreUnavailable as exc:
                await trouble.wait(exc)
            else:
                return


class _Taken(LogStreamError):
    """There are records under numbers that nobody should have used yet."""


class _Trouble:
    """Waits between tries, for so long in all."""

    def __init__(self, patience_s: float, sleep: Sleep) -> None:
        self._until_s = time.monotonic() + patience_s
        self._sleep = sleep
        self._tries = 0
        self._rng = random.Random()  # noqa: S311 - jitter

    async def wait(self, exc: StoreError) -> None:
        """Raises the error when time is over."""
        self._tries += 1
        pause_s = backoff_s(self._tries, _LONGEST_PAUSE_S, self._rng)
        if time.monotonic() + pause_s > self._until_s:
            raise exc
        await self._sleep(pause_s)
