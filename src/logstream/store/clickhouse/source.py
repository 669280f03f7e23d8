"""A table to read from: bound parameters, limits, and the SQL that all reads share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
import pyarrow as pa

from logstream.query import Filter
from logstream.query.to_clickhouse import Params, compile_filter
from logstream.record import Record
from logstream.store.base import QueryLimits, StoredRecord, TimeRange
from logstream.store.clickhouse.driver import Answer, Engine
from logstream.store.clickhouse.errors import MapError, read_error
from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS

__all__ = [
    "MAX_RESULT_ROWS",
    "RECORD_COLUMNS",
    "Source",
    "conditions",
    "moment",
    "stored_record",
    "together",
    "within",
]

MAX_RESULT_ROWS = 100_000
"""Rows that one query may answer."""

_MIN_FREE_BYTES_PER_THREAD = 64 << 20

T = TypeVar("T")

RECORD_COLUMNS = (
    "RecordId, toUnixTimestamp64Nano(Timestamp), Body, SeverityText, SeverityNumber, ServiceName, "
    "TraceId, SpanId, TraceFlags, EventName, LogAttributes, ResourceAttributes, "
    "ResourceSchemaUrl, ScopeName, ScopeVersion, ScopeSchemaUrl, ScopeAttributes"
)
"""What `stored_record` takes, in its order."""


class Source(msgspec.Struct, frozen=True):
    """The table's qualified name, and the engine that has it."""

    engine: Engine
    table: str

    async def rows(
        self, sql: str, params: Params, limits: QueryLimits, *, map_error: MapError = read_error
    ) -> Answer:
        """Run a SELECT within its limits.

        Raises:
            QueryError, QueryTimeout, QueryTooExpensive, StoreUnavailable.
        """
        settings = _settings(limits)
        return await self.engine.run(
            "query",
            lambda h: h.rows(sql, params.values, settings),
            map_error=map_error,
            name=limits.name,
        )

    async def arrow(self, sql: str, params: Params, limits: QueryLimits) -> pa.Table | None:
        """Like `rows`, as Arrow; ``None``: no rows."""
        settings = _settings(limits)
        return await self.engine.run(
            "query", lambda h: h.arrow(sql, params.values, settings), name=limits.name
        )


def _settings(limits: QueryLimits) -> dict[str, int | str]:
    return {
        "max_execution_time": f"{limits.timeout_s:.3f}",
        "timeout_before_checking_execution_speed": 0,
        "max_memory_usage": limits.memory_bytes,
        "max_result_rows": MAX_RESULT_ROWS,
        "result_overflow_mode": "throw",
        # Decided while reading, skip indexes spared nothing to a page read backwards: a rare word
        # and an attribute in 10 M rows took 3 460 ms, decided beforehand 57 ms.
        "use_skip_indexes_on_data_read": 0,
        # Left to itself the engine read the attributes of every row before it looked for a rare
        # word: three times the work. Filters are compiled with the cheapest condition first.
        "allow_reorder_prewhere_conditions": 0,
        # Read ahead in every part, a page of 50 records took 420 000 rows instead of 95 000.
        "read_in_order_use_buffering": 0,
        # By default a query gets a second thread only when 2 GiB are free: never, in this engine.
        "max_threads_min_free_memory_per_thread": _MIN_FREE_BYTES_PER_THREAD,
    }


def conditions(where: Filter, between: TimeRange, params: Params) -> list[str]:
    """The time range and the filter, as SQL to be joined by AND."""
    return [*within(between, params), compile_filter(where, params)]


def within(between: TimeRange, params: Params) -> list[str]:
    """The time range alone, as `conditions` has it."""
    return [
        f"Timestamp >= {moment(between.start_ns, params)}",
        f"Timestamp < {moment(between.end_ns, params)}",
    ]


def moment(timestamp_ns: int, params: Params) -> str:
    """A point in time as SQL that the primary key can use; cut to what the engine holds."""
    # One past the last, so that a range without end holds the last moment too.
    held = min(max(timestamp_ns, MIN_TIMESTAMP_NS), MAX_TIMESTAMP_NS + 1)
    return f"fromUnixTimestamp64Nano({params.add(held, 'Int64')}, 'UTC')"


def stored_record(row: Any) -> StoredRecord:
    """A row of `RECORD_COLUMNS` as a value."""
    return StoredRecord(
        row[0],
        Record(
            timestamp_ns=row[1],
            message=row[2],
            level=row[3],
            severity_number=row[4],
            service=row[5],
            trace_id=row[6],
            span_id=row[7],
            trace_flags=row[8],
            event_name=row[9],
            attributes=row[10],
            resource=row[11],
            resource_schema_url=row[12],
            scope_name=row[13],
            scope_version=row[14],
            scope_schema_url=row[15],
            scope_attributes=row[16],
        ),
    )


async def together(*jobs: Coroutine[Any, Any, T]) -> list[T]:
    """Run jobs at once; when one fails or the caller is cancelled the others are cancelled."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
