"""Where records are copied from: an ordered stream that can be taken up again anywhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

import msgspec
import pyarrow as pa

from logstream.query import Everything
from logstream.store.base import Cursor, QueryLimits, Store, TimeRange

__all__ = ["LIMITS", "Chunk", "Refused", "Source", "StoreSource"]

LIMITS = QueryLimits(timeout_s=120.0, memory_bytes=2 << 30)


class Refused(msgspec.Struct, frozen=True):
    """What cannot be a record, as text, and why."""

    what: str
    reason: str


class Chunk(msgspec.Struct, frozen=True):
    """Some of what comes next. ``position``: the source's own note of where it ends; ``batch`` is
    ``None`` when nothing of it became a record."""

    batch: pa.RecordBatch | None
    position: bytes
    refused: tuple[Refused, ...] = ()


class Source(Protocol):
    """What is copied."""

    async def total(self, after: bytes) -> int | None:
        """About how many records there are behind a position; ``None``: not known."""

    def chunks(self, after: bytes) -> AsyncGenerator[Chunk]:
        """Everything behind a position (empty: all there is), in one order that never changes.

        Raises:
            StoreError: it cannot be read now; go on from the last chunk's position.
        """


class StoreSource(Source):
    """A store of LogStream's own, started and closed by the caller; by (timestamp, id)."""

    def __init__(self, store: Store, between: TimeRange) -> None:
        self._store = store
        self._between = between

    async def total(self, after: bytes) -> int | None:
        """Counted from the position's timestamp on."""
        start_ns = self._between.start_ns
        if after:
            start_ns = max(start_ns, msgspec.json.decode(after, type=Cursor).timestamp_ns)
        between = TimeRange(start_ns, max(start_ns, self._between.end_ns))
        page = await self._store.search(Everything(), between, limit=1, limits=LIMITS)
        return page.stats.matched

    async def chunks(self, after: bytes) -> AsyncGenerator[Chunk]:
        cursor = msgspec.json.decode(after, type=Cursor) if after else None
        scan = self._store.scan(Everything(), self._between, after=cursor, limits=LIMITS)
        async with aclosing(scan) as found:
            async for each in found:
                yield Chunk(each.batch, msgspec.json.encode(each.end))
