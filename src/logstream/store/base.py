"""The store's contract: where records are kept, searched and counted.

Laws, which `logstream.testing.store_contract` runs on every backend, `store.memory` included,
whose answers are the truth the others are compared with:

* **exactly once** – after `insert` returned, or after any number of `insert` calls of the same
  group of which the last returned, each of its rows is stored once; twins are both kept;
* **search finds what the predicate accepts** – `query.evaluate.predicate` decides, every backend
  agrees;
* **pages neither repeat nor skip** – following ``next_cursor`` to its end visits each matching
  row once, newest first, rows of equal timestamps included, whatever arrives meanwhile;
* **counts agree** – histogram, facets and stats add up to what search finds.

All methods are async and never block the loop. Cancelling the task that awaits one stops the
query in the engine. Times are nanoseconds since 1970 (UTC); ranges are half-open. `values` has what
goes in and out; it is imported from here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

import pyarrow as pa

from logstream.query import Filter, Query
from logstream.store.values import (
    DEFAULT_LIMITS,
    ROW_BITS,
    Cursor,
    DayUsage,
    FieldInfo,
    HistogramBucket,
    InsertResult,
    PatternCount,
    QueryLimits,
    QueryProgress,
    QueryStats,
    Scanned,
    SearchPage,
    StoredRecord,
    StoreStats,
    TableResult,
    TimeRange,
    ValueCount,
)

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
    "Store",
    "StoreStats",
    "StoredRecord",
    "TableResult",
    "TimeRange",
    "ValueCount",
]


class Store(ABC):
    """Where records are kept. Made by `store.open_store(url, settings)`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What an operator should know of this kind of store, such as what is slow in it."""
        return ()

    @abstractmethod
    async def start(self) -> None:
        """Connect, create or migrate the schema. Called once, before anything else.

        Raises:
            StoreUnavailable: cannot be reached, or another process has the folder.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let running inserts finish, cancel queries, let go of everything. Idempotent."""

    @abstractmethod
    async def insert(
        self, batch: pa.RecordBatch, *, group: int, first_row: int = 0, verify: bool = False
    ) -> InsertResult:
        """Store rows ``first_row …`` of group number ``group``, durably, each exactly once.

        Args:
            batch: At most ``2**ROW_BITS`` rows (with ``first_row``) of any number of days; not
                kept or changed.
            group: The group's number (44 bits); row i gets id
                ``group << ROW_BITS | first_row + i``.
            first_row: Where this batch stands in its group, when a group is split.
            verify: An earlier call for these rows may have got through, wholly or in part:
                look which ids are there and write only the rest. False is the fast path.

        Raises:
            StoreUnavailable: it may or may not be written; call again with ``verify=True``.
            RecordsRejected: the data is at fault; nothing of the batch is guaranteed either way:
                split, call again with ``verify=True``, dead-letter what still fails alone.
        """

    @abstractmethod
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
        """Matching rows newest first, by (timestamp, id) descending.

        ``count``: also say how many match in all (`QueryStats.matched`).

        Raises:
            QueryError, QueryTimeout, QueryTooExpensive, StoreUnavailable.
            The same for every method below that takes ``limits``.
        """

    @abstractmethod
    async def table(
        self, query: Query, between: TimeRange, *, limits: QueryLimits = DEFAULT_LIMITS
    ) -> TableResult:
        """The answer of a query that has pipes."""

    @abstractmethod
    async def histogram(
        self,
        where: Filter,
        between: TimeRange,
        *,
        interval_ns: int,
        by: str = "level",
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> list[HistogramBucket]:
        """Counts by time, oldest first. Buckets start at multiples of ``interval_ns`` since 1970;
        the first and last may be cut by the range. At most 10 000 buckets (`QueryError`).
        ``by``: ``"level"`` or any field; all but its ten commonest values count as ``"other"``.
        """

    @abstractmethod
    async def facets(
        self,
        where: Filter,
        between: TimeRange,
        *,
        fields: Sequence[str],
        limit: int = 20,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> dict[str, list[ValueCount]]:
        """For each field the commonest values of the matching rows, commonest first, ties by
        value. Rows without the field are not counted."""

    @abstractmethod
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
        """Like one facet, of values that start with ``prefix`` (case-sensitive)."""

    @abstractmethod
    async def fields(
        self, where: Filter, between: TimeRange, *, limits: QueryLimits = DEFAULT_LIMITS
    ) -> list[FieldInfo]:
        """Fields that occur in the matching rows, commonest first, ties by name."""

    async def count_patterns(
        self,
        where: Filter,
        between: TimeRange,
        patterns: Sequence[str],
        *,
        interval_ns: int,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> list[PatternCount] | None:
        """All matching rows by which of several patterns their message fits, in one pass: oldest
        interval first. Asked when message templates were mined from a sample, to count them all.

        ``patterns``: RE2, as `query.Regex` has them, of ``\\s \\S \\d``, groups, repeats and
        classes that negate nothing: what engines for many patterns at once can be trusted with.
        Intervals as in `histogram`.

        Returns ``None`` when this store cannot, so that whoever asks has to estimate; that is what
        this method says unless a store does better.

        Raises:
            QueryError, QueryTimeout, QueryTooExpensive, StoreUnavailable.
        """
        del where, between, patterns, interval_ns, limits
        return None

    @abstractmethod
    async def context(
        self,
        anchor: Cursor,
        where: Filter,
        *,
        before: int,
        after: int,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> tuple[list[StoredRecord], StoredRecord | None, list[StoredRecord]]:
        """Rows around one record that match ``where``: up to ``before`` older ones (oldest
        first), the record itself (``None``: not there), up to ``after`` newer ones (oldest
        first)."""

    async def export(
        self, where: Filter, between: TimeRange, *, limits: QueryLimits = DEFAULT_LIMITS
    ) -> AsyncIterator[pa.RecordBatch]:
        """Every matching row, oldest first, streamed in bounded memory: batches with all columns
        of `record.SCHEMA`. ``limits.timeout_s`` bounds the wait for each batch."""
        async with aclosing(self.scan(where, between, limits=limits)) as found:
            async for each in found:
                yield each.batch

    @abstractmethod
    def scan(
        self,
        where: Filter,
        between: TimeRange,
        *,
        after: Cursor | None = None,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> AsyncGenerator[Scanned]:
        """Like `export`, and it says where each batch ends: a scan ``after`` that goes on there.
        The order is that of (timestamp, id)."""

    @abstractmethod
    async def stats(self) -> StoreStats:
        """Size and span; from metadata, cheap enough to be asked every few seconds."""

    async def progress(self, name: str) -> QueryProgress | None:
        """How far the query is whose `QueryLimits` have this name.

        ``None``: it has not begun, has ended, or this kind of store cannot tell, which is what
        this method says unless a store does better. Never a guess. It may be asked several times
        a second and neither waits for the query nor slows it down.

        Raises:
            StoreUnavailable: nobody could be asked.
        """
        del name
        return None

    @abstractmethod
    async def explain(self, query: Query, between: TimeRange) -> str:
        """What the engine would run and which indexes it would use, as text for a person."""

    @abstractmethod
    async def enforce_retention(
        self, *, now_ns: int, max_age_s: float, max_bytes: int
    ) -> list[str]:
        """Drop whole days that ended more than ``max_age_s`` ago, then the oldest days while the
        store is larger than ``max_bytes`` (0: no limit), never today's. Returns the days dropped,
        ISO, oldest first."""

    @abstractmethod
    async def ping(self) -> None:
        """Answer quickly whether the store can be reached.

        Raises:
            StoreUnavailable: it cannot.
        """
