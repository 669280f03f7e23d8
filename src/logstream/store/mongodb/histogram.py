"""Counting records by time.

The server groups by the fields with the time cut down to minutes or seconds, which every bar is
made of; bars of less than a second, and filters that it cannot decide, are counted here.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from logstream.clock import NS_PER_S
from logstream.query import FieldRef, Filter
from logstream.query.fields import Column, Kind
from logstream.query.mongodb_conditions import Document, all_conditions
from logstream.query.to_mongodb import fields_read, value_parts
from logstream.query.values import present_value
from logstream.store.base import HistogramBucket, QueryLimits, TimeRange
from logstream.store.counting import HISTOGRAM_VALUES, OTHER, check_buckets, countable
from logstream.store.mongodb.driver import Deadline
from logstream.store.mongodb.source import Memory, Query, Source, together
from logstream.store.mongodb.values import (
    GROUP_BYTES,
    among,
    commonest,
    matching_records,
    not_empty,
    ranked,
)

__all__ = ["histogram"]

_TIME_UNITS = (("minute", 60 * NS_PER_S), ("second", NS_PER_S))


async def histogram(
    source: Source,
    where: Filter,
    between: TimeRange,
    *,
    interval_ns: int,
    by: str,
    limits: QueryLimits,
) -> list[HistogramBucket]:
    """See `Store.histogram`."""
    check_buckets(between, interval_ns)
    ref = countable(by)
    query = Query.of(where, between)
    name = next((each for each, width_ns in _TIME_UNITS if interval_ns % width_ns == 0), None)
    if name is None or not query.exact:
        return _buckets(await _cells_here(source, query, ref, interval_ns, limits))
    bars = _Bars(source, query, name, interval_ns, Deadline(limits.timeout_s))
    if isinstance(ref, Column) and ref.kind in (Kind.LEVEL, Kind.NUMBER):
        return _buckets(await bars.by(ref.record_field))
    return await _histogram_of_commonest(bars, ref, limits)


Cells = Counter[tuple[int, str]]
"""(start of the bar, value) → count; rows without a value count as ``""``."""


def _buckets(cells: Cells) -> list[HistogramBucket]:
    totals: Counter[str] = Counter()
    for (_, value), count in cells.items():
        totals[value] += count
    kept = {each.value for each in ranked(totals, HISTOGRAM_VALUES)}
    counts: dict[int, Counter[str]] = {}
    for (start_ns, value), count in cells.items():
        if count:
            counts.setdefault(start_ns, Counter())[value if value in kept else OTHER] += count
    return [HistogramBucket(start_ns, dict(counts[start_ns])) for start_ns in sorted(counts)]


async def _cells_here(
    source: Source, query: Query, ref: FieldRef, interval_ns: int, limits: QueryLimits
) -> Cells:
    cells: Cells = Counter()
    memory = Memory(limits)
    async for record in matching_records(source, query, fields_read(ref), limits):
        value = present_value(ref, record)
        start_ns = record.timestamp_ns // interval_ns * interval_ns
        key = (start_ns, "" if value is None else str(value))
        if key not in cells:
            memory.take(GROUP_BYTES + len(key[1]))
        cells[key] += 1
    return cells


class _Bars(msgspec.Struct, frozen=True):
    """What the server is asked for a histogram; ``unit``: the field with the time cut down."""

    source: Source
    query: Query
    unit: str
    interval_ns: int
    deadline: Deadline

    async def by(self, path: str | None, condition: Document | None = None) -> Cells:
        """By time, and by a value unless ``path`` is ``None``."""
        group = {"t": f"${self.unit}", **({} if path is None else {"v": f"${path}"})}
        pipeline: list[Document] = [
            {"$match": all_conditions([self.query.document, condition or {}])},
            {"$group": {"_id": group, "n": {"$sum": 1}}},
        ]
        width_ns = dict(_TIME_UNITS)[self.unit]
        cells: Cells = Counter()
        for each in await self.source.aggregate(pipeline, self.deadline):
            start_ns = int(each["_id"]["t"]) * width_ns // self.interval_ns * self.interval_ns
            # Absent, or the 0 of a number that was not given.
            cells[start_ns, str(each["_id"].get("v") or "")] += each["n"]
        return cells


async def _histogram_of_commonest(
    bars: _Bars, ref: FieldRef, limits: QueryLimits
) -> list[HistogramBucket]:
    """With a field of any number of values the server tells apart only those that are shown."""
    parts = [not_empty(part) for part in value_parts(ref)]
    every, *named = await together(
        bars.by(None), *(bars.by(None, part.condition) for part in parts)
    )
    top = await commonest(bars.source, bars.query, parts, limit=HISTOGRAM_VALUES, limits=limits)
    with_value = sum(named, Counter[tuple[int, str]]())
    without = every - with_value
    shown = [each.value for each in top]
    found = await together(
        *(
            bars.by(part.path, all_conditions([part.condition, among(part, shown)]))
            for part in parts
        )
    )
    cells = sum(found, Counter[tuple[int, str]]())
    totals = Counter({each.value: each.count for each in top})
    totals[""] = without.total()
    kept = {each.value for each in ranked(totals, HISTOGRAM_VALUES) if each.count}
    counts: dict[int, Counter[str]] = {}
    for (start_ns, value), count in (cells + without).items():
        counts.setdefault(start_ns, Counter())[value if value in kept else OTHER] += count
    for (start_ns, _), count in (with_value - _by_time_only(cells)).items():
        counts.setdefault(start_ns, Counter())[OTHER] += count
    return [HistogramBucket(start_ns, dict(counts[start_ns])) for start_ns in sorted(counts)]


def _by_time_only(cells: Cells) -> Cells:
    by_time: Cells = Counter()
    for (start_ns, _), count in cells.items():
        by_time[start_ns, ""] += count
    return by_time
