"""Pipes over records in memory: grouping, percentiles, order, projection."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias, cast

import msgspec

from logstream.query import ast
from logstream.query.fields import FieldRef
from logstream.query.shape import (
    RECORD_OUTPUTS,
    Output,
    OutputKind,
    Shape,
    find,
    kind_of,
    record_field,
    shape_after,
)
from logstream.query.text import number_of
from logstream.query.values import field_value, present_value
from logstream.record import Record
from logstream.severity import LEVELS
from logstream.timestamps import duration_ns, format_timestamp

__all__ = ["Cell", "Table", "run_counted", "run_pipes", "table_of"]

Cell: TypeAlias = str | int | float | dict[str, str] | None
"""A value in a result: times are RFC 3339 text."""

Row: TypeAlias = tuple[Any, ...]
Getter: TypeAlias = Callable[[Any], Any]


class Table(msgspec.Struct, frozen=True):
    """A query's rows. Every row has one cell a column."""

    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


def table_of(outputs: Sequence[Output], rows: Sequence[Sequence[Any]]) -> Table:
    """The table of rows whose times are still nanoseconds; both evaluators end here."""
    times = {i for i, output in enumerate(outputs) if output.kind is OutputKind.TIMESTAMP}

    def cell(index: int, value: Any) -> Cell:
        if value is not None and index in times:
            return format_timestamp(int(value))
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return cast("Cell", value)

    return Table(
        tuple(output.name for output in outputs),
        [tuple(cell(i, value) for i, value in enumerate(row)) for row in rows],
    )


def run_pipes(pipes: Sequence[ast.Pipe], records: Sequence[Record]) -> Table:
    """The pipes' rows over records that matched.

    Raises:
        QueryError: a pipe names a column that is not there, or makes one twice.
    """
    return _run_from(None, sorted(records, key=lambda record: -record.timestamp_ns), pipes)


def run_counted(pipes: Sequence[ast.Pipe], counts: Mapping[Row, int]) -> Table:
    """The pipes' rows when the first one only counts, and that has been done.

    Args:
        pipes: The first is a `Top`, or a `Stats` of nothing but ``count()``.
        counts: How many records have each combination of what it groups by. Values are what
            `run_pipes` would group by: times in nanoseconds, for `Top` ``None`` for no value.

    Raises:
        QueryError: as `run_pipes`.
    """
    match pipes[0]:
        case ast.Top() as top:
            shape = shape_after(None, top) or ()
            rows = _topmost(shape, counts, top.limit)
        case ast.Stats() as stats:
            shape = shape_after(None, stats) or ()
            every = counts if stats.by or counts else {(): 0}
            times = len(stats.aggregates)
            rows = _by_groups(
                shape, [(*key, *([n] * times)) for key, n in every.items()], len(stats.by)
            )
        case _:
            raise ValueError("the first pipe does not count")
    return _run_from(shape, rows, pipes[1:])


def _run_from(shape: Shape, rows: list[Any], pipes: Sequence[ast.Pipe]) -> Table:
    for pipe in pipes:
        after = shape_after(shape, pipe)
        rows = _run(shape, pipe, rows)
        shape = after
    if shape is None:
        getters = [_getter(None, output.name) for output in RECORD_OUTPUTS[:-1]]
        rows = [(*(get(row) for get in getters), dict(row.attributes)) for row in rows]
        shape = RECORD_OUTPUTS
    return table_of(shape, rows)


def _run(shape: Shape, pipe: ast.Pipe, rows: list[Any]) -> list[Any]:
    match pipe:
        case ast.Stats():
            return _stats(shape, pipe, rows)
        case ast.Top():
            return _top(shape, pipe, rows)
        case ast.Sort(keys):
            return _ordered(
                rows,
                [
                    (_getter(shape, key.column), _kind(shape, key.column), key.descending)
                    for key in keys
                ],
            )
        case ast.Limit(limit):
            return rows[:limit]
        case ast.Fields(columns):
            getters = [_getter(shape, column) for column in columns]
            return [tuple(get(row) for get in getters) for row in rows]


# Groups


def _stats(shape: Shape, stats: ast.Stats, rows: list[Any]) -> list[Row]:
    keys = [_group_getter(shape, group.by) for group in stats.by]
    groups: dict[Row, list[Any]] = {} if keys else {(): []}
    for row in rows:
        groups.setdefault(tuple(key(row) for key in keys), []).append(row)
    aggregates = [_aggregator(shape, aggregate) for aggregate in stats.aggregates]
    table = [(*key, *(value(group) for value in aggregates)) for key, group in groups.items()]
    return _by_groups(shape_after(shape, stats) or (), table, len(keys))


def _by_groups(outputs: tuple[Output, ...], table: list[Row], groups: int) -> list[Row]:
    return _ordered(table, [(_nth(i), outputs[i].kind, False) for i in range(groups)])


def _top(shape: Shape, top: ast.Top, rows: list[Any]) -> list[Row]:
    keys = [_argument_getter(shape, ref) for ref in top.fields]
    counts = Counter(tuple(key(row) for key in keys) for row in rows)
    return _topmost(shape_after(shape, top) or (), counts, top.limit)


def _topmost(outputs: tuple[Output, ...], counts: Mapping[Row, int], limit: int) -> list[Row]:
    table = [(*key, count) for key, count in counts.items() if None not in key]
    by_fields = [(_nth(i), output.kind, False) for i, output in enumerate(outputs[:-1])]
    return _ordered(table, [(_nth(-1), OutputKind.NUMBER, True), *by_fields])[:limit]


def _group_getter(shape: Shape, by: FieldRef | ast.Bin) -> Getter:
    if not isinstance(by, ast.Bin):
        return _getter(shape, str(by))
    width_ns = duration_ns(by.width) or 1
    return lambda record: record.timestamp_ns // width_ns * width_ns


def _aggregator(shape: Shape, aggregate: ast.Aggregate) -> Callable[[list[Any]], Any]:
    if aggregate.field is None:
        return len
    get = _argument_getter(shape, aggregate.field)
    reduce = _REDUCE[aggregate.function]
    if aggregate.function in ("count", "uniq"):
        return lambda rows: reduce([v for row in rows if (v := get(row)) is not None])
    text = str(aggregate.field)
    number = _NUMBER[_kind(shape, text)]
    return lambda rows: reduce(sorted(v for row in rows if (v := number(get(row))) is not None))


def _text_number(value: Any) -> float | None:
    return None if value is None else number_of(value)


_NUMBER: dict[OutputKind, Callable[[Any], float | None]] = {
    OutputKind.TEXT: _text_number,
    OutputKind.LEVEL: _text_number,
    OutputKind.NUMBER: lambda value: None if value is None else float(value),
    OutputKind.TIMESTAMP: lambda value: value,
    OutputKind.ATTRIBUTES: lambda value: None,
}


def _quantile(level: float) -> Callable[[list[float]], float | None]:
    """The element at ``floor(level × n)`` of the sorted values: never one in between."""

    def quantile(values: list[float]) -> float | None:
        return values[min(int(level * len(values)), len(values) - 1)] if values else None

    return quantile


_REDUCE: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "uniq": lambda values: len(set(values)),
    "sum": lambda values: sum(values) if values else None,
    "avg": lambda values: sum(values) / len(values) if values else None,
    "min": lambda values: values[0] if values else None,
    "max": lambda values: values[-1] if values else None,
    "p50": _quantile(0.5),
    "p90": _quantile(0.9),
    "p95": _quantile(0.95),
    "p99": _quantile(0.99),
}


# Columns and order


def _nth(index: int) -> Getter:
    return lambda row: row[index]


def _kind(shape: Shape, text: str) -> OutputKind:
    return kind_of(record_field(text)) if shape is None else shape[find(shape, text)].kind


def _getter(shape: Shape, text: str) -> Getter:
    """What reads a column off a row, or a field off a record."""
    if shape is not None:
        return _nth(find(shape, text))
    ref = record_field(text)
    return lambda record: field_value(ref, record)


def _argument_getter(shape: Shape, ref: FieldRef) -> Getter:
    """As `_getter`, with ``None`` for an empty column of a record."""
    if shape is not None:
        return _nth(find(shape, str(ref)))
    return lambda record: present_value(ref, record)


def _ordered(rows: list[Any], keys: Sequence[tuple[Getter, OutputKind, bool]]) -> list[Any]:
    for get, kind, descending in reversed(keys):
        for rank in reversed(_RANKS[kind]):
            rows = _ordered_by(rows, get, rank, descending=descending)
    return rows


def _ordered_by(rows: list[Any], get: Getter, rank: Getter, *, descending: bool) -> list[Any]:
    there: list[tuple[Any, Any]] = []
    absent: list[Any] = []
    for row in rows:
        value = get(row)
        key = None if value is None else rank(value)
        if key is None:
            absent.append(row)
        else:
            there.append((key, row))
    there.sort(key=itemgetter(0), reverse=descending)
    return [row for _, row in there] + absent


_RANKS: dict[OutputKind, tuple[Callable[[Any], Any], ...]] = {
    OutputKind.TEXT: (number_of, str),
    OutputKind.NUMBER: (float,),
    OutputKind.LEVEL: (("", *LEVELS).index,),
    OutputKind.TIMESTAMP: (int,),
    OutputKind.ATTRIBUTES: (),
}
