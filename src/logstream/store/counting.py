"""What every backend's counts have in common: their rules, without any engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from logstream.errors import QueryError
from logstream.query import FieldRef, Kind, resolve
from logstream.query.fields import Column
from logstream.store.base import FieldInfo, TimeRange, ValueCount

__all__ = [
    "HISTOGRAM_VALUES",
    "MAX_BUCKETS",
    "OTHER",
    "check_buckets",
    "commonest",
    "countable",
    "field_infos",
]

MAX_BUCKETS = 10_000
"""Buckets in one histogram."""
HISTOGRAM_VALUES = 10
"""Values that a histogram tells apart; the rest are `OTHER`."""
OTHER = "other"


def check_buckets(between: TimeRange, interval_ns: int) -> None:
    """Raises:
    QueryError: the interval is not positive, or too small for the range.
    """
    if interval_ns <= 0:
        raise QueryError("the histogram's interval must be positive")
    if (between.end_ns - between.start_ns) / interval_ns > MAX_BUCKETS:
        raise QueryError(
            f"the histogram would have more than {MAX_BUCKETS} bars",
            hint="take a longer interval or a shorter time range",
        )


def countable(field: str) -> FieldRef:
    """The field of a name, if its values can be counted one by one.

    Raises:
        QueryError: no such field, or every value is its own.
    """
    ref = resolve(field)
    if isinstance(ref, Column) and ref.kind is Kind.TIMESTAMP:
        raise QueryError("timestamps cannot be counted by value", hint="ask for a histogram")
    return ref


def commonest(values: Iterable[str], limit: int) -> list[ValueCount]:
    """The commonest values, ties by value."""
    ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    return [ValueCount(value, count) for value, count in ranked[:limit]]


def field_infos(
    counts: Mapping[str, tuple[int, int]], *, approximate: bool = False
) -> list[FieldInfo]:
    """From name → (rows that have it, rows whose value is a number), commonest first."""
    infos = [
        FieldInfo(name=name, count=count, numeric=numeric == count, approximate=approximate)
        for name, (count, numeric) in counts.items()
        if count
    ]
    return sorted(infos, key=lambda info: (-info.count, info.name))
