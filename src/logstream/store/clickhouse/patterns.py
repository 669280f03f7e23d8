"""Counting messages by which of many patterns they fit: all patterns at once, in one pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from logstream.errors import LogStreamError, StoreError
from logstream.query import Filter
from logstream.query.to_clickhouse import Params
from logstream.severity import level_of_number
from logstream.store.base import PatternCount, QueryLimits, TimeRange
from logstream.store.clickhouse.errors import read_error
from logstream.store.clickhouse.source import Source, conditions
from logstream.store.counting import check_buckets

__all__ = ["count_patterns"]

_LEVELS = 8
"""More than there are levels, none included."""

# BAD_ARGUMENTS (a pattern that is too costly), UNKNOWN_FUNCTION, NOT_IMPLEMENTED and
# SUPPORT_IS_DISABLED (built without the library), FUNCTION_NOT_ALLOWED, HYPERSCAN_CANNOT_SCAN_TEXT.
_CANNOT_CODES = frozenset({36, 46, 48, 344, 446, 447})

# Vectorscan's $ also matches before a newline at the end, it takes a vertical tab for a space, and
# of a negated class with several ranges it negates only the first: \S would match a space.
_READ_OTHERWISE = {
    "$": r"\z",
    r"\s": r"[\t\n\f\r ]",
    r"\S": r"[\x00-\x08\x0b\x0e-\x1f!-\x{10ffff}]",
}
_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


class _Cannot(StoreError):
    """The engine lacks what it takes."""


async def count_patterns(
    source: Source,
    where: Filter,
    between: TimeRange,
    patterns: Sequence[str],
    *,
    interval_ns: int,
    limits: QueryLimits,
) -> list[PatternCount]:
    """See `Store.count_patterns`. Where vectorscan is not built in, pattern after pattern."""
    check_buckets(between, interval_ns)
    count = partial(_count, source, where, between, patterns)
    try:
        return await count(_at_once, interval_ns=interval_ns, limits=limits)
    except _Cannot:
        return await count(_in_turn, interval_ns=interval_ns, limits=limits)


def _at_once(patterns: Sequence[str], params: Params) -> str:
    """Number of the first pattern that finds the message, from 1; 0: none does."""
    texts = ", ".join(params.text(_TOKEN.sub(_read_alike, each)) for each in patterns)
    return f"arrayMin(multiMatchAllIndices(Body, [{texts}]))"


def _in_turn(patterns: Sequence[str], params: Params) -> str:
    cases = (f"match(Body, {params.text(each)}), {n}" for n, each in enumerate(patterns, 1))
    return f"multiIf({', '.join(cases)}, 0)"


async def _count(
    source: Source,
    where: Filter,
    between: TimeRange,
    patterns: Sequence[str],
    fits: Callable[[Sequence[str], Params], str],
    *,
    interval_ns: int,
    limits: QueryLimits,
) -> list[PatternCount]:
    params = Params()
    first, width = between.start_ns // interval_ns, len(patterns) + 1
    time = f"intDiv(toUnixTimestamp64Nano(Timestamp), {interval_ns:d}) - {first:d}"
    level = "intDiv(SeverityNumber + 3, 4)"
    number = fits(patterns, params) if patterns else "0"
    # Grouped by one number, as histograms are.
    answer = await source.rows(
        f"SELECT (({time}) * {_LEVELS:d} + {level}) * {width:d} + {number} AS k, count(), "
        "toUnixTimestamp64Nano(min(Timestamp)), toUnixTimestamp64Nano(max(Timestamp)) "
        f"FROM {source.table} WHERE {' AND '.join(conditions(where, between, params))} "
        "GROUP BY k ORDER BY k",
        params,
        limits,
        map_error=_error,
    )
    return [_pattern_count(row, first, width, interval_ns) for row in answer.rows]


def _pattern_count(row: Sequence[int], first: int, width: int, interval_ns: int) -> PatternCount:
    key, count, first_ns, last_ns = row
    place, number = divmod(key, width)
    bucket, level = divmod(place, _LEVELS)
    return PatternCount(
        number - 1 if number else None,
        (first + bucket) * interval_ns,
        level_of_number(level * 4 - 3 if level else 0),
        count,
        first_ns,
        last_ns,
    )


def _read_alike(match: re.Match[str]) -> str:
    return _READ_OTHERWISE.get(match[0], match[0])


def _error(code: int | None, message: str) -> LogStreamError:
    return _Cannot("no vectorscan here") if code in _CANNOT_CODES else read_error(code, message)
