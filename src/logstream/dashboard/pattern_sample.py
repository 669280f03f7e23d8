"""A sample of what matches, spread over the whole range: as many records of each part of it as
the part's share of them all, whenever it is that most of them came."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise

import msgspec

from logstream.patterns import Sampled
from logstream.query import Fields, Filter, Limit, Query
from logstream.severity import level_of_number
from logstream.store.base import HistogramBucket, QueryLimits, Store, TimeRange
from logstream.timestamps import parse_timestamp

__all__ = ["Sample", "slices", "take_sample"]

SAMPLE_ROWS = 10_000
"""Records that are looked at."""
_SLICES = 25
_AT_ONCE = 2  # of the store's few connections
_COLUMNS = ("timestamp", "severity_number", "service", "message")
_KEPT_CHARS = 4_096  # twice what mining looks at, so that it sees that a message goes on


class Sample(msgspec.Struct, frozen=True):
    """Records in order of time, of ``matched`` in all."""

    rows: list[Sampled]
    matched: int


async def take_sample(
    store: Store, where: Filter, between: TimeRange, *, interval_ns: int, limits: QueryLimits
) -> Sample:
    """At most `SAMPLE_ROWS` of the matching records; all of them, if they are no more.

    Raises:
        QueryError, QueryTimeout, QueryTooExpensive, StoreUnavailable.
    """
    counted = await store.histogram(where, between, interval_ns=interval_ns, limits=limits)
    matched = sum(sum(bucket.counts.values()) for bucket in counted)
    parts = slices(counted, between, interval_ns, _SLICES if matched > SAMPLE_ROWS else 1)
    room = asyncio.Semaphore(_AT_ONCE)

    # Columns, not records: that spares the store the attributes, which are most of a record.
    query = Query(where, (Limit(SAMPLE_ROWS // max(len(parts), 1)), Fields(_COLUMNS)))

    async def rows_of(part: TimeRange) -> list[Sampled]:
        async with room:
            table = await store.table(query, part, limits=limits)
            return [_sampled(*row) for row in table.rows]

    tasks = [asyncio.ensure_future(rows_of(part)) for part in parts]
    try:
        found = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return Sample(sorted(each for rows in found for each in rows), matched)


def slices(
    counted: Sequence[HistogramBucket], between: TimeRange, interval_ns: int, number: int
) -> list[TimeRange]:
    """The range in at most so many parts with about as many records each; empty ones left out.

    Within a bucket records are taken to come evenly.
    """
    if not counted:
        return []
    totals = [sum(bucket.counts.values()) for bucket in counted]
    until = list(accumulate(totals))
    bounds = [between.start_ns]
    for part in range(1, number):
        wanted = until[-1] * part / number
        at = bisect_left(until, wanted)
        inside = 1 - (until[at] - wanted) / totals[at]
        bounds.append(counted[at].start_ns + int(interval_ns * inside))
    inner = sorted({b for b in bounds[1:] if between.start_ns < b < between.end_ns})
    return [TimeRange(*each) for each in pairwise([between.start_ns, *inner, between.end_ns])]


def _sampled(time: str, severity: int, service: str, message: str) -> Sampled:
    timestamp_ns = parse_timestamp(time) or 0
    return Sampled(timestamp_ns, level_of_number(severity), service, message[:_KEPT_CHARS])
