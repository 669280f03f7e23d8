"""The store on MongoDB: one collection, a document a record (see `documents`).

The server is asked for all it can decide as the query language means it; the rest is decided
here, over the rows that it lets through, within the query's limits. That, and an index entry for
every attribute of every record, is what makes it slower than ClickHouse; `MongoStore.notes` and
the guides say so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pyarrow as pa

from logstream.query import Filter, Query
from logstream.query.to_mongodb import ATTRIBUTE_MAPS
from logstream.store.base import (
    DEFAULT_LIMITS,
    Cursor,
    FieldInfo,
    HistogramBucket,
    InsertResult,
    QueryLimits,
    Scanned,
    SearchPage,
    Store,
    StoredRecord,
    StoreStats,
    TableResult,
    TimeRange,
    ValueCount,
)
from logstream.store.mongodb import counts
from logstream.store.mongodb import search as reads
from logstream.store.mongodb.driver import Connection, Index
from logstream.store.mongodb.histogram import histogram
from logstream.store.mongodb.insert import insert_group
from logstream.store.mongodb.retention import TTL_INDEX, Usage, drop_days, expire_after
from logstream.store.mongodb.source import MAX_CHECKED_ROWS, Source
from logstream.store.mongodb.table import table
from logstream.store.retention import days_to_drop

__all__ = ["COLLECTION", "MongoStore"]

COLLECTION = "logstream_records"

_NEWEST = (("timestamp_ns", -1), ("_id", -1))
# Each ends in the order of a page, so that a page of one level is read off its index and not
# sorted; the server may hold no more than 100 MB to sort. An attribute is looked for in three
# places at once, which an index serves only when it has all three.
INDEXES: tuple[Index, ...] = (
    ("newest", _NEWEST, {}),
    ("level", (("level", 1), *_NEWEST), {}),
    ("service", (("service", 1), *_NEWEST), {}),
    (
        "trace_id",
        (("trace_id", 1), *_NEWEST),
        {"partialFilterExpression": {"trace_id": {"$exists": True}}},
    ),
    (
        "attributes",
        (("$**", 1),),
        {"wildcardProjection": dict.fromkeys(ATTRIBUTE_MAPS, 1)},
    ),
    (TTL_INDEX, (("day", 1),), {"expireAfterSeconds": (1 << 31) - 1}),
)
"""What every collection gets, where its server can; until retention is enforced nothing expires."""
_WITHOUT_TTL: Index = (TTL_INDEX, (("day", 1),), {})

_SLOWER = (
    (
        "MongoDB: a record is written into six indexes, and into one of them once for each of its "
        "attributes; it takes many times the work and the room that ClickHouse needs"
    ),
    "MongoDB: no index holds words, so text search reads every document of the time range",
    (
        "MongoDB: regular expressions, and tables of anything but count(), are worked out here, "
        f"row by row; a query looks at no more than {MAX_CHECKED_ROWS:,} rows so"
    ),
)
_LACKING = {
    TTL_INDEX: "this server lets nothing expire by itself: days are dropped by the worker alone",
    "attributes": "this server has no wildcard index: attributes are looked for in every document "
    "of the time range",
    "trace_id": "this server has no partial index: traces are looked for in every document of the "
    "time range",
}


class MongoStore(Store):
    """See `Store`.

    Args:
        url: As the driver takes it; its path names the database.
        query_concurrency: Queries that are with the server at once; more wait.
    """

    def __init__(self, url: str, *, query_concurrency: int = 4) -> None:
        self._connection = Connection(
            url, collection=COLLECTION, query_concurrency=query_concurrency
        )
        self._source = Source(self._connection)
        self._usage = Usage(self._connection)
        self._lacking: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        return (*_SLOWER, *(_LACKING[name] for name in self._lacking if name in _LACKING))

    async def start(self) -> None:
        await self._connection.open()
        self._lacking = tuple(await self._connection.create_indexes(INDEXES))
        if TTL_INDEX in self._lacking:
            await self._connection.create_indexes([_WITHOUT_TTL])
        # pyarrow loads pandas with the first array it makes: the first insert need not wait for it.
        await asyncio.to_thread(pa.array, [0])

    async def close(self) -> None:
        await self._connection.close()

    async def ping(self) -> None:
        await self._connection.ping()

    async def insert(
        self, batch: pa.RecordBatch, *, group: int, first_row: int = 0, verify: bool = False
    ) -> InsertResult:
        return await insert_group(
            self._connection, batch, group=group, first_row=first_row, verify=verify
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
        return await table(self._source, query, between, limits)

    async def histogram(
        self,
        where: Filter,
        between: TimeRange,
        *,
        interval_ns: int,
        by: str = "level",
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> list[HistogramBucket]:
        return await histogram(
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
        return await self._usage.stats()

    async def explain(self, query: Query, between: TimeRange) -> str:
        return await reads.explain(self._source, query, between)

    async def enforce_retention(
        self, *, now_ns: int, max_age_s: float, max_bytes: int
    ) -> list[str]:
        usage = (await self._usage.stats()).days
        days = days_to_drop(usage, now_ns=now_ns, max_age_s=max_age_s, max_bytes=max_bytes)
        try:
            await drop_days(self._connection, days)
        finally:
            self._usage.forget()
        await expire_after(self._connection, max_age_s, now_ns=now_ns)
        return days
