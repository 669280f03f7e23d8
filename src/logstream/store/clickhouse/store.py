"""The store on ClickHouse: chDB in this process, a server, or a cluster; the laws are the same.

Two lanes keep each other's way clear: inserts have a connection of their own, so that heavy
queries never hold them up; queries share `query_concurrency` connections and wait for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pyarrow as pa

from logstream.query import Filter, Query
from logstream.store.base import (
    DEFAULT_LIMITS,
    Cursor,
    FieldInfo,
    HistogramBucket,
    InsertResult,
    PatternCount,
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
from logstream.store.clickhouse import counts
from logstream.store.clickhouse import search as reads
from logstream.store.clickhouse.driver import Engine, Handle, OpenClient
from logstream.store.clickhouse.errors import write_error
from logstream.store.clickhouse.insert import insert_group
from logstream.store.clickhouse.migrate import migrate
from logstream.store.clickhouse.patterns import count_patterns
from logstream.store.clickhouse.progress import read_progress
from logstream.store.clickhouse.retention import drop_days, read_stats
from logstream.store.clickhouse.source import Source
from logstream.store.clickhouse.topology import Topology
from logstream.store.retention import days_to_drop

__all__ = ["ClickHouseStore"]

DATABASE = "logstream"


class ClickHouseStore(Store):
    """See `Store`.

    Args:
        open_client: Opens one connection.
        query_concurrency: Queries that run at once; more wait.
        database: Where the table is; created if it is not there.
        topology: One server, unless it says otherwise; then ``database`` is its.
    """

    def __init__(
        self,
        open_client: OpenClient,
        *,
        query_concurrency: int = 4,
        database: str = DATABASE,
        topology: Topology | None = None,
    ) -> None:
        self._engine = Engine(open_client, {"query": query_concurrency, "insert": 1, "admin": 1})
        self._topology = topology or Topology(database=database)
        self._database = self._topology.database
        self._source = Source(self._engine, self._topology.table)

    async def start(self) -> None:
        await self._engine.open()
        await self._engine.run("admin", lambda handle: migrate(handle, self._topology))
        # pyarrow loads pandas with the first array it makes: the first insert need not wait for it.
        await asyncio.to_thread(pa.array, [0])

    async def close(self) -> None:
        await self._engine.close()

    async def insert(
        self, batch: pa.RecordBatch, *, group: int, first_row: int = 0, verify: bool = False
    ) -> InsertResult:
        return await self._engine.run(
            "insert",
            lambda handle: insert_group(
                handle, self._topology, batch, group=group, first_row=first_row, verify=verify
            ),
            map_error=write_error,
        )

    async def search(
        self,
        where: Filter,
        between: TimeRange,
        *,
        limit: int,
        cursor: Cursor | None = None,
        count: bool = True,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> SearchPage:
        return await reads.search(
            self._source, where, between, limit=limit, cursor=cursor, count=count, limits=limits
        )

    async def table(
        self, query: Query, between: TimeRange, *, limits: QueryLimits = DEFAULT_LIMITS
    ) -> TableResult:
        return await reads.table(self._source, query, between, limits)

    async def histogram(
        self,
        where: Filter,
        between: TimeRange,
        *,
        interval_ns: int,
        by: str = "level",
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> list[HistogramBucket]:
        return await counts.histogram(
            self._source, where, between, interval_ns=interval_ns, by=by, limits=limits
        )

    async def facets(
        self,
        where: Filter,
        between: TimeRange,
        *,
        fields: Sequence[str],
        limit: int = 20,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> dict[str, list[ValueCount]]:
        return await counts.facets(
            self._source, where, between, fields=fields, limit=limit, limits=limits
        )

    async def field_values(
        self,
        field: str,
        prefix: str,
        where: Filter,
        between: TimeRange,
        *,
        limit: int = 20,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> list[ValueCount]:
        return await counts.field_values(
            self._source, field, prefix, where, between, limit=limit, limits=limits
        )

    async def fields(
        self, where: Filter, between: TimeRange, *, limits: QueryLimits = DEFAULT_LIMITS
    ) -> list[FieldInfo]:
        return await counts.fields(self._source, where, between, limits)

    async def count_patterns(
        self,
        where: Filter,
        between: TimeRange,
        patterns: Sequence[str],
        *,
        interval_ns: int,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> list[PatternCount] | None:
        return await count_patterns(
            self._source, where, between, patterns, interval_ns=interval_ns, limits=limits
        )

    async def context(
        self,
        anchor: Cursor,
        where: Filter,
        *,
        before: int,
        after: int,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> tuple[list[StoredRecord], StoredRecord | None, list[StoredRecord]]:
        return await reads.context(
            self._source, anchor, where, before=before, after=after, limits=limits
        )

    def scan(
        self,
        where: Filter,
        between: TimeRange,
        *,
        after: Cursor | None = None,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> AsyncGenerator[Scanned]:
        return reads.scan(self._source, where, between, after=after, limits=limits)

    async def stats(self) -> StoreStats:
        return await self._engine.run("admin", lambda handle: read_stats(handle, self._topology))

    async def progress(self, name: str) -> QueryProgress | None:
        tags = self._engine.running(name) if name else []
        if not tags:
            return None
        return await self._engine.run("admin", lambda h: read_progress(h, self._topology, tags))

    async def explain(self, query: Query, between: TimeRange) -> str:
        return await reads.explain(self._source, query, between, DEFAULT_LIMITS)

    async def enforce_retention(
        self, *, now_ns: int, max_age_s: float, max_bytes: int
    ) -> list[str]:
        def work(handle: Handle) -> list[str]:
            usage = read_stats(handle, self._topology).days
            days = days_to_drop(usage, now_ns=now_ns, max_age_s=max_age_s, max_bytes=max_bytes)
            drop_days(handle, self._topology, days)
            return days

        return await self._engine.run("admin", work, map_error=write_error)

    async def ping(self) -> None:
        await self._engine.run("admin", lambda handle: handle.rows("SELECT 1", {}, {}))
