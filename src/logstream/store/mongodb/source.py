"""Reading matching records: what the server can tell it tells, the predicate tells the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, Literal, TypeVar

import msgspec

from logstream.errors import QueryTooExpensive
from logstream.query import Filter
from logstream.query.evaluate import predicate
from logstream.query.mongodb_conditions import Document, all_conditions
from logstream.query.to_mongodb import ServerFilter, compile_filter, fields_read
from logstream.record import Record
from logstream.store.base import Cursor, QueryLimits, StoredRecord, TimeRange
from logstream.store.mongodb.documents import mongo_id, projection, stored_record
from logstream.store.mongodb.driver import Connection, Deadline
from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS

__all__ = [
    "ALL_TIME",
    "EVERY_FIELD",
    "MAX_CHECKED_ROWS",
    "Direction",
    "Memory",
    "Query",
    "Source",
    "Tally",
    "beyond",
    "in_order",
    "in_range",
    "together",
]

T = TypeVar("T")
Direction = Literal["newest first", "oldest first"]

MAX_CHECKED_ROWS = 2_000_000
"""Rows that one query may have sent here to be looked at, when the server cannot decide."""
EVERY_FIELD: frozenset[str] = frozenset(Record.__struct_fields__) - {"timestamp_ns"}
ALL_TIME = TimeRange(MIN_TIMESTAMP_NS, MAX_TIMESTAMP_NS + 1)

_BATCH_ROWS = 1_000
_RECORD_BYTES = 800
_ATTRIBUTE_BYTES = 150


class Tally:
    """Rows that came from the server."""

    def __init__(self) -> None:
        self.rows = 0


class Memory:
    """What a query keeps here, against its limit; sizes are estimates of what Python takes."""

    def __init__(self, limits: QueryLimits) -> None:
        self._left = limits.memory_bytes

    def take(self, size: int) -> None:
        """Raises `QueryTooExpensive` when it is too much."""
        self._left -= size
        if self._left < 0:
            raise QueryTooExpensive(
                "the query needs too much memory", hint="narrow the time range or the query"
            )

    def take_record(self, record: Record) -> None:
        """As `take`, of a record that is kept."""
        maps = (record.attributes, record.resource, record.scope_attributes)
        size = _RECORD_BYTES + len(record.message)
        for each in maps:
            size += sum(_ATTRIBUTE_BYTES + len(value) for value in each.values())
        self.take(size)


class Query(msgspec.Struct, frozen=True):
    """A filter and a time range, ready to be asked.

    ``document`` is the server's part, the range in it; ``exact``: there is no other part.
    """

    where: Filter
    document: Document
    exact: bool

    @classmethod
    def of(cls, where: Filter, between: TimeRange) -> Query:
        """Raises `QueryError` when the filter cannot be run."""
        found: ServerFilter = compile_filter(where)
        return cls(where, all_conditions([in_range(between), found.document]), found.exact)


def in_range(between: TimeRange) -> Document:
    """The condition for a time range; none for all time."""
    if between.start_ns <= MIN_TIMESTAMP_NS and between.end_ns > MAX_TIMESTAMP_NS:
        return {}
    # BSON has no larger numbers than these.
    end_ns = min(between.end_ns, MAX_TIMESTAMP_NS + 1)
    return {"timestamp_ns": {"$gte": max(between.start_ns, 0), "$lt": max(end_ns, 0)}}


def beyond(cursor: Cursor | None, direction: Direction) -> Document:
    """The rows behind a cursor: the first half is a range of the index, the second is exact."""
    if cursor is None:
        return {}
    than = "$lt" if direction == "newest first" else "$gt"
    at_ns = cursor.timestamp_ns
    return {
        "$and": [
            {"timestamp_ns": {f"{than}e": at_ns}},
            {
                "$or": [
                    {"timestamp_ns": {than: at_ns}},
                    {"timestamp_ns": at_ns, "_id": {than: mongo_id(cursor.id)}},
                ]
            },
        ]
    }


def in_order(direction: Direction) -> list[tuple[str, int]]:
    """How to sort."""
    way = -1 if direction == "newest first" else 1
    return [("timestamp_ns", way), ("_id", way)]


class Source:
    """A collection to read from."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def matching(
        self,
        query: Query,
        *,
        deadline: Callable[[], Deadline],
        direction: Direction | None = None,
        after: Cursor | None = None,
        limit: int = 0,
        fields: Iterable[str] = EVERY_FIELD,
        tally: Tally | None = None,
    ) -> AsyncGenerator[list[StoredRecord]]:
        """The matching rows, as they come, with at least those fields of a record.

        Args:
            direction: ``None``: in any order, which is the cheapest.
            limit: How many at most; 0: all.

        Raises:
            QueryTimeout, QueryTooExpensive, StoreUnavailable.
        """
        keep = None if query.exact else predicate(query.where)
        wanted = {*fields, *(() if query.exact else fields_read(query.where))}
        tally = tally or Tally()
        left = limit
        behind = [beyond(after, direction)] if direction else []
        batches = self.connection.batches(
            all_conditions([query.document, *behind]),
            deadline=deadline,
            sort=in_order(direction) if direction else (),
            projection=projection(wanted),
            limit=limit if query.exact else 0,
            rows=min(limit, _BATCH_ROWS) if limit and query.exact else _BATCH_ROWS,
        )
        # Closed when nobody wants more, so that the server lets go of its cursor then.
        async with aclosing(batches):
            async for documents in batches:
                tally.rows += len(documents)
                rows = [stored_record(each) for each in documents]
                if keep is not None:
                    rows = [row for row in rows if keep(row.record)]
                    _check(tally)
                yield rows[:left] if limit else rows
                left -= len(rows)
                if limit and left <= 0:
                    return

    async def aggregate(self, pipeline: list[Document], deadline: Deadline) -> list[dict[str, Any]]:
        """See `Connection.aggregate`."""
        return await self.connection.aggregate(pipeline, deadline)

    async def count(self, query: Query, limits: QueryLimits) -> int:
        """How many rows match."""
        deadline = Deadline(limits.timeout_s)
        if query.exact:
            pipeline = [{"$match": query.document}, {"$group": {"_id": None, "n": {"$sum": 1}}}]
            found = await self.aggregate(pipeline, deadline)
            return int(found[0]["n"]) if found else 0
        batches = self.matching(query, deadline=lambda: deadline, fields=())
        return sum([len(rows) async for rows in batches])


def _check(tally: Tally) -> None:
    if tally.rows > MAX_CHECKED_ROWS:
        raise QueryTooExpensive(
            "the query has more rows looked at one by one than are allowed: "
            f"{MAX_CHECKED_ROWS:,}, since MongoDB cannot decide it",
            hint="narrow the time range, or add a word, a level, a service or an attribute",
        )


async def together(*jobs: Coroutine[Any, Any, T]) -> list[T]:
    """Run jobs at once; when one fails or the caller is cancelled the others are cancelled."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
