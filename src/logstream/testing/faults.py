"""A store that fails on purpose, around a real one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from enum import Enum

import msgspec
import pyarrow as pa

from logstream.errors import RecordsRejected, StoreUnavailable
from logstream.query import Filter, Query
from logstream.store.base import (
    Cursor,
    FieldInfo,
    HistogramBucket,
    InsertResult,
    QueryLimits,
    QueryProgress,
    Scanned,
    SearchPage,
    Store,
    StoredRecord,
    StoreStats,
    TableResult,
    TimeRange,
    ValueCount,
)

__all__ = ["Fault", "FaultyStore", "InsertCall"]


class Fault(Enum):
    """What happens to one call of `Store.insert`."""

    NONE = "works"
    DOWN = "fails before anything is written"
    PARTLY = "writes the first half, then fails"
    LOST_ANSWER = "writes everything, then fails"


class InsertCall(msgspec.Struct, frozen=True):
    """One call of `Store.insert`, as it was made."""

    group: int
    first_row: int
    rows: int
    verify: bool


class FaultyStore(Store):
    """A store that works like ``inner`` but for the faults it was given.

    Args:
        inner: The store that holds the records.
        schedule: Faults of the next inserts, one each; when it is used up, inserts work.
        poison: Batches with a message that holds this text are rejected; empty: none.
        riddle: Batches with a message that holds this text fail for an unknown cause.

    Attributes:
        down: While true every call fails, except `close`.
        failing: Names of methods whose calls fail, one by one.
        gate: Inserts wait until it is set; it is set from the start.
        inserts: Every insert that was asked for, in order.
    """

    def __init__(
        self,
        inner: Store,
        *,
        schedule: Iterable[Fault] = (),
        poison: str = "",
        riddle: str = "",
    ) -> None:
        self.inner = inner
        self.schedule = deque(schedule)
        self.poison = poison
        self.riddle = riddle
        self.down = False
        self.failing: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.inserts: list[InsertCall] = []
        self._doubtful: set[int] = set()

    async def start(self) -> None:
        self._check()
        await self.inner.start()

    async def close(self) -> None:
        await self.inner.close()

    async def insert(
        self, batch: pa.RecordBatch, *, group: int, first_row: int = 0, verify: bool = False
    ) -> InsertResult:
        self.inserts.append(InsertCall(group, first_row, batch.num_rows, verify))
        await self.gate.wait()
        self._check()
        fault = self.schedule.popleft() if self.schedule else Fault.NONE
        if fault is Fault.DOWN:
            raise StoreUnavailable("down, on purpose")
        texts = batch.column("Body").to_pylist()
        if self.poison and any(self.poison in text for text in texts):
            raise RecordsRejected(f"a message holds {self.poison!r}")
        if self.riddle and any(self.riddle in text for text in texts):
            raise StoreUnavailable("nobody knows what this is", suspect="code 9999")
        assert verify or group not in self._doubtful, "a doubtful insert was repeated unverified"
        part = batch.slice(0, batch.num_rows // 2) if fault is Fault.PARTLY else batch
        result = await self.inner.insert(part, group=group, first_row=first_row, verify=verify)
        if fault is not Fault.NONE:
            self._doubtful.add(group)
            raise StoreUnavailable(f"{fault.value}, on purpose")
        return result

    def _check(self, method: str = "") -> None:
        if self.down or method in self.failing:
            raise StoreUnavailable("down, on purpose")

    async def search(
        self,
        where: Filter,
        between: TimeRange,
        *,
        limit: int,
        cursor: Cursor | None = None,
        count: bool = True,
        limits: QueryLimits = QueryLimits(),
    ) -> SearchPage:
        self._check("search")
        return await self.inner.search(
            where, between, limit=limit, cursor=cursor, count=count, limits=limits
        )

    async def table(
        self, query: Query, between: TimeRange, *, limits: QueryLimits = QueryLimits()
    ) -> TableResult:
        self._check("table")
        return await self.inner.table(query, between, limits=limits)

    async def histogram(
        self,
        where: Filter,
        between: TimeRange,
        *,
        interval_ns: int,
        by: str = "level",
        limits: QueryLimits = QueryLimits(),
    ) -> list[HistogramBucket]:
        self._check("histogram")
        return await self.inner.histogram(
            where, between, interval_ns=interval_ns, by=by, limits=limits
        )

    async def facets(
        self,
        where: Filter,
        between: TimeRange,
        *,
        fields: Sequence[str],
        limit: int = 20,
        limits: QueryLimits = QueryLimits(),
    ) -> dict[str, list[ValueCount]]:
        self._check("facets")
        return await self.inner.facets(where, between, fields=fields, limit=limit, limits=limits)

    async def field_values(
        self,
        field: str,
        prefix: str,
        where: Filter,
        between: TimeRange,
        *,
        limit: int = 20,
        limits: QueryLimits = QueryLimits(),
    ) -> list[ValueCount]:
        self._check("field_values")
        return await self.inner.field_values(
            field, prefix, where, between, limit=limit, limits=limits
        )

    async def fields(
        self, where: Filter, between: TimeRange, *, limits: QueryLimits = QueryLimits()
    ) -> list[FieldInfo]:
        self._check("fields")
        return await self.inner.fields(where, between, limits=limits)

    async def context(
        self,
        anchor: Cursor,
        where: Filter,
        *,
        before: int,
        after: int,
        limits: QueryLimits = QueryLimits(),
    ) -> tuple[list[StoredRecord], StoredRecord | None, list[StoredRecord]]:
        self._check("context")
        return await self.inner.context(anchor, where, before=before, after=after, limits=limits)

    def scan(
        self,
        where: Filter,
        between: TimeRange,
        *,
        after: Cursor | None = None,
        limits: QueryLimits = QueryLimits(),
    ) -> AsyncGenerator[Scanned]:
        self._check("scan")
        return self.inner.scan(where, between, after=after, limits=limits)

    async def stats(self) -> StoreStats:
        self._check("stats")
        return await self.inner.stats()

    async def progress(self, name: str) -> QueryProgress | None:
        self._check("progress")
        return await self.inner.progress(name)

    async def explain(self, query: Query, between: TimeRange) -> str:
        self._check("explain")
        return await self.inner.explain(query, between)

    async def enforce_retention(
        self, *, now_ns: int, max_age_s: float, max_bytes: int
    ) -> list[str]:
        self._check("enforce_retention")
        return await self.inner.enforce_retention(
            now_ns=now_ns, max_age_s=max_age_s, max_bytes=max_bytes
        )

    async def ping(self) -> None:
        self._check("ping")
        await self.inner.ping()
