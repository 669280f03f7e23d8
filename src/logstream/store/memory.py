"""The store in memory: what the contract means, in plain Python. For tests and quick trials.

Every method is a loop over all records in order; nothing is fast and nothing is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence

import pyarrow as pa

from logstream.errors import RecordsRejected
from logstream.query import CANONICAL, AttributeMap, Filter, Query, Regex, attribute, resolve
from logstream.query.evaluate import evaluate, predicate
from logstream.query.fields import Kind
from logstream.query.text import number_of
from logstream.query.values import present_value
from logstream.record import Record, batch_of, encode_batch, records_of
from logstream.severity import level_of_number
from logstream.store.base import (
    DEFAULT_LIMITS,
    ROW_BITS,
    Cursor,
    DayUsage,
    FieldInfo,
    HistogramBucket,
    InsertResult,
    PatternCount,
    QueryLimits,
    QueryStats,
    Scanned,
    SearchPage,
    Store,
    StoredRecord,
    StoreStats,
    TableResult,
    TimeRange,
    ValueCount,
)
from logstream.store.counting import (
    HISTOGRAM_VALUES,
    OTHER,
    check_buckets,
    commonest,
    countable,
    field_infos,
)
from logstream.store.retention import day_of, days_to_drop

__all__ = ["MemoryStore"]

_EXPORT_ROWS = 1_000


class MemoryStore(Store):
    """See `Store`. Sizes are those of the records as an encoded batch."""

    def __init__(self) -> None:
        self._rows: dict[int, Record] = {}

    async def start(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def ping(self) -> None:
        """Always here."""

    async def insert(
        self, batch: pa.RecordBatch, *, group: int, first_row: int = 0, verify: bool = False
    ) -> InsertResult:
        try:
            records = records_of(batch)
        except (pa.ArrowException, TypeError, ValueError) as exc:
            raise RecordsRejected(f"the store does not take these records: {exc}") from exc
        first_id = group << ROW_BITS | first_row
        rows = {first_id + i: record for i, record in enumerate(records)}
        present = len(rows.keys() & self._rows.keys())
        self._rows |= rows
        return InsertResult(len(rows) - present, present)

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
        matching = list(self._matching(where, between))[::-1]
        page = [row for row in matching if cursor is None or _key(row) < _cursor_key(cursor)]
        more, page = len(page) > limit, page[:limit]
        return SearchPage(
            records=page,
            next_cursor=Cursor(page[-1].record.timestamp_ns, page[-1].id)
            if more and page
            else None,
            stats=self._query_stats(len(matching) if count else None),
        )

    async def table(
        self, query: Query, between: TimeRange, *, limits: QueryLimits = DEFAULT_LIMITS
    ) -> TableResult:
        result = evaluate(query, (row.record for row in self._ordered(between)))
        return TableResult(columns=result.columns, rows=result.rows, stats=self._query_stats(None))

    async def histogram(
        self,
        where: Filter,
        between: TimeRange,
        *,
        interval_ns: int,
        by: str = "level",
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> list[HistogramBucket]:
        check_buckets(between, interval_ns)
        field = countable(by)
        cells = []
        for row in self._matching(where, between):
            value = present_value(field, row.record)
            start_ns = row.record.timestamp_ns // interval_ns * interval_ns
            cells.append((start_ns, "" if value is None else str(value)))
        kept = {each.value for each in commonest((value for _, value in cells), HISTOGRAM_VALUES)}
        counts: dict[int, Counter[str]] = {}
        for start_ns, value in cells:
            counts.setdefault(start_ns, Counter())[value if value in kept else OTHER] += 1
        return [HistogramBucket(start_ns, dict(counts[start_ns])) for start_ns in sorted(counts)]

    async def facets(
        self,
        where: Filter,
        between: TimeRange,
        *,
        fields: Sequence[str],
        limit: int = 20,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> dict[str, list[ValueCount]]:
        return {
            field: await self.field_values(field, "", where, between, limit=limit)
            for field in fields
        }

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
        ref = countable(field)
        values = (present_value(ref, row.record) for row in self._matching(where, between))
        texts = (str(value) for value in values if value is not None)
        return commonest((text for text in texts if text.startswith(prefix)), limit)

    async def fields(
        self, where: Filter, between: TimeRange, *, limits: QueryLimits = DEFAULT_LIMITS
    ) -> list[FieldInfo]:
        counts: Counter[str] = Counter()
        numbers: Counter[str] = Counter()
        for row in self._matching(where, between):
            for name, value in _fields_of(row.record):
                counts[name] += 1
                numbers[name] += value
        return field_infos({name: (count, numbers[name]) for name, count in counts.items()})

    async def count_patterns(
        self,
        where: Filter,
        between: TimeRange,
        patterns: Sequence[str],
        *,
        interval_ns: int,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> list[PatternCount] | None:
        check_buckets(between, interval_ns)
        keep = [predicate(Regex(pattern)) for pattern in patterns]
        times: dict[tuple[int, int | None, str], list[int]] = {}
        for row in self._matching(where, between):
            record = row.record
            fits = next((n for n, fit in enumerate(keep) if fit(record)), None)
            start_ns = record.timestamp_ns // interval_ns * interval_ns
            level = level_of_number(record.severity_number)
            times.setdefault((start_ns, fits, level), []).append(record.timestamp_ns)
        found = sorted(times.items(), key=lambda item: item[0][0])
        return [
            PatternCount(fits, start_ns, level, len(each), min(each), max(each))
            for (start_ns, fits, level), each in found
        ]

    async def context(
        self,
        anchor: Cursor,
        where: Filter,
        *,
        before: int,
        after: int,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> tuple[list[StoredRecord], StoredRecord | None, list[StoredRecord]]:
        keep = predicate(where)
        at = _cursor_key(anchor)
        rows = [row for row in self._ordered(None) if _key(row) == at or keep(row.record)]
        older = [row for row in rows if _key(row) < at]
        newer = [row for row in rows if _key(row) > at]
        itself = next((row for row in rows if _key(row) == at), None)
        return older[max(len(older) - before, 0) :], itself, newer[:after]

    async def scan(
        self,
        where: Filter,
        between: TimeRange,
        *,
        after: Cursor | None = None,
        limits: QueryLimits = DEFAULT_LIMITS,
    ) -> AsyncGenerator[Scanned]:
        rows = [
            row
            for row in self._matching(where, between)
            if after is None or _key(row) > _cursor_key(after)
        ]
        for start in range(0, len(rows), _EXPORT_ROWS):
            found = rows[start : start + _EXPORT_ROWS]
            yield Scanned(batch_of([row.record for row in found]), Cursor(*_key(found[-1])))

    async def stats(self) -> StoreStats:
        by_day: dict[str, list[Record]] = {}
        for record in self._rows.values():
            by_day.setdefault(day_of(record.timestamp_ns), []).append(record)
        days = [
            DayUsage(day=day, rows=len(records), bytes=len(encode_batch(batch_of(records))))
            for day, records in sorted(by_day.items())
        ]
        times = [record.timestamp_ns for record in self._rows.values()]
        return StoreStats(
            rows=len(times),
            bytes=sum(day.bytes for day in days),
            oldest_ns=min(times, default=None),
            newest_ns=max(times, default=None),
            days=days,
        )

    async def explain(self, query: Query, between: TimeRange) -> str:
        return f"look at each of {len(self._rows)} records in memory\n{query}\n"

    async def enforce_retention(
        self, *, now_ns: int, max_age_s: float, max_bytes: int
    ) -> list[str]:
        usage = (await self.stats()).days
        days = days_to_drop(usage, now_ns=now_ns, max_age_s=max_age_s, max_bytes=max_bytes)
        gone = set(days)
        self._rows = {
            row_id: record
            for row_id, record in self._rows.items()
            if day_of(record.timestamp_ns) not in gone
        }
        return days

    def _ordered(self, between: TimeRange | None) -> Iterator[StoredRecord]:
        """The rows in range, oldest first."""
        rows = sorted((StoredRecord(*item) for item in self._rows.items()), key=_key)
        for row in rows:
            if between is None or between.start_ns <= row.record.timestamp_ns < between.end_ns:
                yield row

    def _matching(self, where: Filter, between: TimeRange) -> Iterator[StoredRecord]:
        keep = predicate(where)
        return (row for row in self._ordered(between) if keep(row.record))

    def _query_stats(self, matched: int | None) -> QueryStats:
        return QueryStats(matched=matched, scanned=len(self._rows), elapsed_ms=0.0)


def _key(row: StoredRecord) -> tuple[int, int]:
    return row.record.timestamp_ns, row.id


def _cursor_key(cursor: Cursor) -> tuple[int, int]:
    return cursor.timestamp_ns, cursor.id


def _fields_of(record: Record) -> Iterator[tuple[str, bool]]:
    """Every field that is there, and whether its value is a number."""
    for name, column in CANONICAL.items():
        if present_value(resolve(name), record) is not None:
            yield name, column.kind is Kind.NUMBER
    for place, attributes in (
        (AttributeMap.ANY, record.attributes),
        (AttributeMap.RESOURCE, record.resource),
        (AttributeMap.SCOPE, record.scope_attributes),
    ):
        for key, value in attributes.items():
            yield str(attribute(key, place)), number_of(value) is not None
