"""Counts kept beside the rows: how many of each level and service in each ten seconds.

The projection ``tally`` of the schema is written with every part, merged with it and dropped with
it, so it is never behind and never counts what is gone. What asks for nothing but numbers of
records by time, level and service reads it instead of every row::

    range   ├──────┤├────────────────────────────────┤├───┤
            rows    slots of `SLOT_NS`, from the tally  rows

The ends of a range that fill no slot are counted from their rows; so are parts that are older
than the projection, by the engine itself. Whether it is used is for `Store.explain` to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd

import msgspec

from logstream.query import CANONICAL, FieldRef, Filter, ast
from logstream.query.to_clickhouse import Params
from logstream.store.base import TimeRange
from logstream.store.clickhouse.source import within
from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS, duration_ns

__all__ = ["SLOT_NS", "Counted", "counted", "counted_for"]

SLOT_NS = 10_000_000_000
"""Length of a slot; the schema has the same number."""

_KEYS = frozenset(CANONICAL[name] for name in ("level", "severity_number", "service"))
_COLUMNS = "SeverityNumber, SeverityText, ServiceName"
_SLOT = f"intDiv(toUnixTimestamp64Nano(Timestamp), {SLOT_NS:d})"


class Counted(msgspec.Struct, frozen=True):
    """What to count from, as SQL: a table or a subquery, and how many records its rows stand for.

    ``within`` is the time range as conditions, none where the table holds nothing else;
    ``records`` is an aggregate: ``count()`` where each row is one record.
    """

    table: str
    within: tuple[str, ...]
    records: str


def counted(
    table: str,
    where: Filter,
    between: TimeRange,
    params: Params,
    *,
    by: Iterable[FieldRef] = (),
    interval_ns: int = SLOT_NS,
) -> Counted:
    """Where the records of a filter and a time range are counted, grouped by some fields.

    The filter is still to be applied. ``Timestamp`` of a slot is its beginning: right for grouping
    by ``interval_ns``.
    """
    start_ns = max(between.start_ns, MIN_TIMESTAMP_NS)
    end_ns = min(between.end_ns, MAX_TIMESTAMP_NS + 1)
    first, end = -(-start_ns // SLOT_NS), end_ns // SLOT_NS
    told = interval_ns % SLOT_NS == 0 and _KEYS.issuperset(by) and _tells(where)
    if first >= end or not told:
        return _rows(table, between, params)
    sources = [_slots_sql(table, first, end, params)]
    ends = (TimeRange(start_ns, first * SLOT_NS), TimeRange(end * SLOT_NS, end_ns))
    sources += (_rows_sql(table, each, params) for each in ends if each.start_ns < each.end_ns)
    return Counted(f"({' UNION ALL '.join(sources)})", (), "sum(Records)")


def counted_for(
    pipes: Sequence[ast.Pipe], table: str, where: Filter, between: TimeRange, params: Params
) -> Counted:
    """As `counted`, for the first pipe: the later ones work on its rows."""
    match pipes:
        case [ast.Stats(aggregates, groups), *_] if all(map(_told, aggregates)):
            by = [each.by for each in groups if not isinstance(each.by, ast.Bin)]
            bins = [each.by for each in groups if isinstance(each.by, ast.Bin)]
            interval_ns = gcd(*(duration_ns(each.width) or 1 for each in bins)) or SLOT_NS
            return counted(table, where, between, params, by=by, interval_ns=interval_ns)
        case [ast.Top(_, fields), *_]:
            return counted(table, where, between, params, by=fields)
        case _:
            return _rows(table, between, params)


def _rows(table: str, between: TimeRange, params: Params) -> Counted:
    return Counted(table, tuple(within(between, params)), "count()")


def _told(aggregate: ast.Aggregate) -> bool:
    """Whether it is the number of records, or of values among the tally's keys."""
    if aggregate.field is None:
        return aggregate.function == "count"
    return aggregate.function == "uniq" and aggregate.field in _KEYS


def _tells(where: Filter) -> bool:
    """Whether the tally's keys alone decide what matches."""
    match where:
        case ast.Everything():
            return True
        case ast.FieldFilter(field):
            return field in _KEYS
        case ast.Not(inner):
            return _tells(inner)
        case ast.And(filters) | ast.Or(filters):
            return all(map(_tells, filters))
        case _:
            return False


def _slots_sql(table: str, first: int, end: int, params: Params) -> str:
    low, high = params.add(first, "Int64"), params.add(end, "Int64")
    # The inner query is the projection's own, or the engine would not answer it from there.
    return (
        f"SELECT fromUnixTimestamp64Nano(Slot * {SLOT_NS:d}, 'UTC') AS Timestamp, {_COLUMNS}, "
        f"Records FROM (SELECT {_SLOT} AS Slot, {_COLUMNS}, count() AS Records FROM {table} "
        f"WHERE Slot >= {low} AND Slot < {high} GROUP BY Slot, {_COLUMNS})"
    )


def _rows_sql(table: str, ends: TimeRange, params: Params) -> str:
    return (
        f"SELECT Timestamp, {_COLUMNS}, toUInt64(1) AS Records FROM {table} "
        f"WHERE {' AND '.join(within(ends, params))}"
    )
