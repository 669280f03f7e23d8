"""``/api/v1/histogram``: how many matching records in each interval of time, split by a field."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter

from logstream.dashboard.errors import ERRORS
from logstream.dashboard.params import (
    MAX_TIME_CHARS,
    AskedDependency,
    ServicesDependency,
    field_name,
)
from logstream.errors import BadRequest
from logstream.severity import LEVELS
from logstream.store.base import HistogramBucket, TimeRange
from logstream.timestamps import duration_ns, format_timestamp

__all__ = ["HistogramAnswer", "auto_interval_ns", "histogram", "histogram_answer"]

AUTO_BUCKETS = 120
MAX_BUCKETS = 10_000

_MS, _S = 1_000_000, 1_000_000_000
_M, _H, _D = 60 * _S, 3_600 * _S, 86_400 * _S
# Widths that people can name; buckets start at their multiples since 1970. From ten seconds on they
# are multiples of ten: the stores keep such counts beside the rows.
_WIDTHS = (
    *(n * _MS for n in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(n * _S for n in (1, 2, 5, 10, 20, 30)),
    *(n * _M for n in (1, 2, 5, 10, 15, 30)),
    *(n * _H for n in (1, 2, 3, 6, 12)),
    *(n * _D for n in (1, 2, 7, 14, 30, 90, 365, 730)),
)

Interval = Annotated[
    str,
    QueryParameter(name="interval", description="Width of a bucket, such as 10s; or auto."),
]
By = Annotated[str, QueryParameter(name="by", description="Field to split by, or level.")]


class BucketAnswer(msgspec.Struct):
    """``start`` is a multiple of the interval, so the first and last bucket may reach beyond the
    range; ``partial`` says that only a part of them was counted. ``counts`` is by value."""

    start: str
    total: int
    counts: dict[str, int]
    partial: bool


class HistogramAnswer(msgspec.Struct, rename={"from_": "from"}):
    """All buckets of the range, empty ones too, oldest first. ``values``: those that occur,
    levels from trace to fatal, else commonest first; ``""`` means none given."""

    from_: str
    to: str
    interval_s: float
    by: str
    values: list[str]
    total: int
    buckets: list[BucketAnswer]


@get("/histogram", responses=ERRORS, summary="Count over time")
async def histogram(
    services: ServicesDependency,
    asked: AskedDependency,
    interval: Interval = "auto",
    by: By = "level",
) -> HistogramAnswer:
    """Counts of the matching records by time and by level or another field."""
    interval_ns = _interval_ns(interval, asked.between)
    name = field_name(by)
    buckets = await services.store.histogram(
        asked.where, asked.between, interval_ns=interval_ns, by=name, limits=services.limits
    )
    return histogram_answer(buckets, asked.between, interval_ns, name)


def _interval_ns(text: str, between: TimeRange) -> int:
    if text == "auto":
        return auto_interval_ns(between)
    width_ns = duration_ns(text) if len(text) <= MAX_TIME_CHARS else None
    if not width_ns:
        raise BadRequest(f"interval cannot be {text[:100]!r}", hint="give auto, 10s, 1m or 1h")
    if len(bucket_starts(between, width_ns)) > MAX_BUCKETS:
        raise BadRequest(
            f"this range has more than {MAX_BUCKETS} intervals of {text}",
            hint="give a longer interval or a shorter range, or interval=auto",
        )
    return width_ns


def auto_interval_ns(between: TimeRange, most: int = AUTO_BUCKETS) -> int:
    """The shortest width people can name that covers the range in at most ``most`` buckets."""
    return next((w for w in _WIDTHS if len(bucket_starts(between, w)) <= most), _WIDTHS[-1])


def bucket_starts(between: TimeRange, width_ns: int) -> range:
    """Where the buckets that the range reaches into begin, in ns."""
    first = between.start_ns // width_ns * width_ns
    return range(first, between.end_ns, width_ns)


def histogram_answer(
    buckets: list[HistogramBucket], between: TimeRange, interval_ns: int, by: str
) -> HistogramAnswer:
    """The answer with empty buckets filled in."""
    counted = {bucket.start_ns: bucket.counts for bucket in buckets}
    totals: dict[str, int] = {}
    for bucket in buckets:
        for value, count in bucket.counts.items():
            totals[value] = totals.get(value, 0) + count
    answers = []
    for start_ns in bucket_starts(between, interval_ns):
        counts = dict(counted.get(start_ns, {}))
        partial = start_ns < between.start_ns or start_ns + interval_ns > between.end_ns
        answers.append(
            BucketAnswer(format_timestamp(start_ns), sum(counts.values()), counts, partial)
        )
    return HistogramAnswer(
        format_timestamp(between.start_ns),
        format_timestamp(between.end_ns),
        interval_ns / _S,
        by,
        _ordered(totals, by),
        sum(totals.values()),
        answers,
    )


def _ordered(totals: dict[str, int], by: str) -> list[str]:
    if by == "level":
        return [level for level in ("", *LEVELS) if level in totals]
    return sorted(totals, key=lambda value: (value == "other", -totals[value], value))
