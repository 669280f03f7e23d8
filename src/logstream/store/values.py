"""The values that go into a `Store` and come out of it. Times are nanoseconds since 1970 (UTC)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow as pa

from logstream.record import Record

__all__ = [
    "DEFAULT_LIMITS",
    "ROW_BITS",
    "Cursor",
    "DayUsage",
    "FieldInfo",
    "HistogramBucket",
    "InsertResult",
    "PatternCount",
    "QueryLimits",
    "QueryProgress",
    "QueryStats",
    "Scanned",
    "SearchPage",
    "StoreStats",
    "StoredRecord",
    "TableResult",
    "TimeRange",
    "ValueCount",
]

ROW_BITS = 20
"""A record's id is ``group number << ROW_BITS | row in its group``: a group has ≤ 2**20 rows.

Group numbers here are the worker's: a broker's group may be written as several of the store's."""


class TimeRange(msgspec.Struct, frozen=True):
    """``start_ns <= timestamp < end_ns``."""

    start_ns: int
    end_ns: int


class QueryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one query may cost before it is stopped with a clear error.

    ``name``: what `Store.progress` is asked by while it runs, unique among the queries that run;
    empty: nobody will ask.
    """

    timeout_s: float = 30.0
    memory_bytes: int = 1 << 30
    name: str = ""


DEFAULT_LIMITS = QueryLimits()


class StoredRecord(msgspec.Struct, frozen=True):
    """A record in the store and its id (unique, stable, 64 bits; grows with arrival)."""

    id: int
    record: Record


class Cursor(msgspec.Struct, frozen=True):
    """The last row of a page; the next one starts just behind it in (timestamp, id) order."""

    timestamp_ns: int
    id: int


class QueryProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a query is that still runs, as its engine counts.

    ``total_rows``: rows it will read at most, as far as it knows by now; ``None``: it does not.
    ``elapsed_s``: since the engine began with it; of several statements the longest.
    """

    read_rows: int
    total_rows: int | None
    elapsed_s: float


class QueryStats(msgspec.Struct, frozen=True, kw_only=True):
    """``matched``: all rows in range that match, ``None`` when not asked for or piped.
    ``scanned``: rows the engine read. ``elapsed_ms``: as the store measured it."""

    matched: int | None
    scanned: int
    elapsed_ms: float


class SearchPage(msgspec.Struct, frozen=True, kw_only=True):
    """``next_cursor`` is ``None`` on the last page."""

    records: list[StoredRecord]
    next_cursor: Cursor | None
    stats: QueryStats


class Scanned(msgspec.Struct, frozen=True):
    """Rows of a scan with all columns of `record.SCHEMA`, never none; ``end`` is the last one's."""

    batch: pa.RecordBatch
    end: Cursor


class TableResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a query with pipes answers: named columns, rows in order.

    Values are ``str | int | float | None``; ``bin`` columns are RFC 3339 strings.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    stats: QueryStats


class HistogramBucket(msgspec.Struct, frozen=True):
    """Counts by value of the split field (level: "" means none) in one interval; never empty."""

    start_ns: int
    counts: Mapping[str, int]


class PatternCount(msgspec.Struct, frozen=True):
    """Rows of one interval, level and pattern; never none. ``pattern`` is the first one in the list
    that finds the row's message, ``None``: none does. ``first_ns``, ``last_ns``: their times."""

    pattern: int | None
    start_ns: int
    level: str
    count: int
    first_ns: int
    last_ns: int


class ValueCount(msgspec.Struct, frozen=True):
    value: str
    count: int


class FieldInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A field that occurs: ``name`` as a query would write it, in how many of the rows looked
    at, and whether its values look numeric. ``approximate``: counted on a sample."""

    name: str
    count: int
    numeric: bool = False
    approximate: bool = False


class DayUsage(msgspec.Struct, frozen=True, kw_only=True):
    """One partition: ``day`` is ISO ``YYYY-MM-DD`` (UTC)."""

    day: str
    rows: int
    bytes: int


class StoreStats(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    bytes: int
    oldest_ns: int | None
    newest_ns: int | None
    days: list[DayUsage]


class InsertResult(msgspec.Struct, frozen=True):
    """Rows written by this call, and rows found to be there already.

    Without ``verify`` nobody looks: a repeat that the engine recognised counts as written.
    """

    inserted: int
    present: int
