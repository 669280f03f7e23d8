"""A query as ClickHouse SQL over the ``otel_logs`` columns, every value a bound parameter.

`compile_filter` gives one boolean expression that is never NULL, to stand in any WHERE;
`compile_query` gives a whole SELECT, so that pipes run in the engine::

    params = Params()
    compiled = compile_query(query, params, table="logs.otel_logs", where=["Timestamp >= …"])
    rows = client.query(compiled.sql, parameters=params.values).result_rows
    table = compiled.table(rows)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import msgspec

from logstream.query import ast
from logstream.query.clickhouse_filter import Params, compile_filter, field_sql, present_sql
from logstream.query.fields import FieldRef, resolve
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
from logstream.query.table import Table, table_of
from logstream.severity import LEVELS
from logstream.timestamps import duration_ns

__all__ = ["CompiledQuery", "Params", "compile_filter", "compile_query"]

_Column: TypeAlias = tuple[Output, str]
"""A result column and its SQL expression."""

_QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_LEVELS_SQL = f"[{', '.join(repr(level) for level in LEVELS)}]"


class CompiledQuery(msgspec.Struct, frozen=True):
    """One SELECT without a trailing clause: SETTINGS or FORMAT may follow it.

    Result columns come in the order of ``outputs``, under names of no meaning; times are 64-bit
    nanoseconds, attributes a map.
    """

    sql: str
    outputs: tuple[Output, ...]

    def table(self, rows: Sequence[Sequence[Any]]) -> Table:
        """The table of the rows that the engine gave."""
        return table_of(self.outputs, rows)


def compile_query(
    query: ast.Query,
    params: Params,
    *,
    table: str,
    where: Sequence[str] = (),
    records: str = "count()",
) -> CompiledQuery:
    """The SELECT that gives a query's rows, as `evaluate` does.

    A query whose pipes make no table gives `shape.RECORD_OUTPUTS`, newest first, without a limit
    of its own.

    Args:
        query: The query.
        params: Where the values go.
        table: The table's name as SQL.
        where: More conditions as SQL, such as the time range; they come first.
        records: How many records rows of the table stand for, as an aggregate.

    Raises:
        QueryError: the query cannot be run.
    """
    conditions = [*where, compile_filter(query.filter, params)]
    select = _Select(table, conditions, order=["Timestamp DESC"], rows=records)
    for pipe in query.pipes:
        select = _piped(select, pipe, params)
    columns = select.columns
    if columns is None:
        columns = [
            (output, field_sql(resolve(output.name), params)) for output in RECORD_OUTPUTS[:-1]
        ]
        columns.append((RECORD_OUTPUTS[-1], "LogAttributes"))
    outputs = tuple(output for output, _ in columns)
    return CompiledQuery(_render(replace(select, columns=columns)), outputs)


@dataclass(frozen=True, slots=True)
class _Select:
    """One level of SELECT; ``columns`` is ``None`` while the rows are whole records.

    ``rows`` is the aggregate that counts them.
    """

    source: str
    where: list[str]
    order: list[str]
    columns: list[_Column] | None = None
    grouped: bool = False
    group: list[str] = field(default_factory=list)
    limit: int | None = None
    depth: int = 0
    rows: str = "count()"

    @property
    def shape(self) -> Shape:
        if self.columns is None:
            return None
        return tuple(output for output, _ in self.columns)


def _piped(select: _Select, pipe: ast.Pipe, params: Params) -> _Select:
    match pipe:
        case ast.Stats():
            return _stats(_ungrouped(select), pipe, params)
        case ast.Top():
            return _top(_ungrouped(select), pipe, params)
        case ast.Sort(keys):
            shape_after(select.shape, pipe)
            if select.limit is not None:
                select = _nested(select)
            order = [
                part
                for key in keys
                for part in _order(*_find(select, key.column, params), descending=key.descending)
            ]
            return replace(select, order=[*order, *select.order])
        case ast.Limit(limit):
            lower = limit if select.limit is None else min(limit, select.limit)
            return replace(select, limit=lower)
        case ast.Fields(columns):
            shape_after(select.shape, pipe)
            return replace(select, columns=[_find(select, name, params) for name in columns])


def _stats(select: _Select, stats: ast.Stats, params: Params) -> _Select:
    outputs = shape_after(select.shape, stats) or ()
    groups = [_group_sql(select, group.by, params) for group in stats.by]
    values = [_aggregate_sql(select, aggregate, params) for aggregate in stats.aggregates]
    columns = list(zip(outputs, [*groups, *values], strict=True))
    order = [part for column in columns[: len(groups)] for part in _order(*column)]
    return replace(select, columns=columns, grouped=True, group=groups, order=order)


def _top(select: _Select, top: ast.Top, params: Params) -> _Select:
    outputs = shape_after(select.shape, top) or ()
    keys = [_find(select, str(ref), params)[1] for ref in top.fields]
    present = [_present_condition(select, ref, params) for ref in top.fields]
    columns = list(zip(outputs, [*keys, select.rows], strict=True))
    order = [part for column in columns[:-1] for part in _order(*column)]
    return replace(
        select,
        where=[*select.where, *present],
        columns=columns,
        grouped=True,
        group=keys,
        order=[f"{select.rows} DESC", *order],
        limit=top.limit,
    )


def _ungrouped(select: _Select) -> _Select:
    return _nested(select) if select.grouped or select.limit is not None else select


def _nested(select: _Select) -> _Select:
    """A fresh level over the rows of this one."""
    source = f"({_render(select)})"
    if select.columns is None:
        return _Select(source, [], ["Timestamp DESC"], depth=select.depth + 1)
    columns = [(output, _alias(select, i)) for i, (output, _) in enumerate(select.columns)]
    return _Select(source, [], [], columns, depth=select.depth + 1)


def _alias(select: _Select, index: int) -> str:
    return f"l{select.depth}c{index}"


def _render(select: _Select) -> str:
    names = ["*"]
    if select.columns is not None:
        names = [f"{sql} AS {_alias(select, i)}" for i, (_, sql) in enumerate(select.columns)]
    # Nothing a user wrote is in any of these parts: values are placeholders.
    parts = [f"SELECT {', '.join(names)} FROM {select.source}"]  # noqa: S608
    if select.where:
        parts.append(f"WHERE {' AND '.join(select.where)}")
    if select.group:
        parts.append(f"GROUP BY {', '.join(select.group)}")
    if select.order:
        parts.append(f"ORDER BY {', '.join(select.order)}")
    if select.limit is not None:
        parts.append(f"LIMIT {select.limit:d}")
    return " ".join(parts)


# Expressions


def _find(select: _Select, text: str, params: Params) -> _Column:
    """The column that query text names at this point."""
    if select.columns is not None:
        return select.columns[find(select.shape or (), text)]
    ref = record_field(text)
    return Output(str(ref), kind_of(ref)), field_sql(ref, params)


def _argument(select: _Select, ref: FieldRef, params: Params) -> _Column:
    if select.columns is not None:
        return _find(select, str(ref), params)
    return Output(str(ref), kind_of(ref)), present_sql(ref, params)


def _present_condition(select: _Select, ref: FieldRef, params: Params) -> str:
    if select.columns is not None:
        return f"isNotNull({_find(select, str(ref), params)[1]})"
    return compile_filter(ast.FieldFilter(ref, ast.Exists()), params)


def _group_sql(select: _Select, by: FieldRef | ast.Bin, params: Params) -> str:
    if not isinstance(by, ast.Bin):
        return _find(select, str(by), params)[1]
    width_ns = duration_ns(by.width)
    return f"intDiv(toUnixTimestamp64Nano(Timestamp), {width_ns:d}) * {width_ns:d}"


def _aggregate_sql(select: _Select, aggregate: ast.Aggregate, params: Params) -> str:
    if aggregate.field is None:
        return select.rows
    output, value = _argument(select, aggregate.field, params)
    if aggregate.function == "count":
        return f"countIf(isNotNull({value}))"
    if aggregate.function == "uniq":
        return f"uniqExact({value})"
    number = _number(output.kind, value)
    if aggregate.function in _QUANTILES:
        return f"quantileExact({_QUANTILES[aggregate.function]})({number})"
    return f"{aggregate.function}({number})"


def _number(kind: OutputKind, value: str) -> str:
    # Nullable, so that aggregates of no rows are NULL rather than 0.
    if kind is OutputKind.TIMESTAMP:
        return f"toNullable({value})"
    if kind is OutputKind.NUMBER:
        return f"toFloat64(toNullable({value}))"
    number = f"toFloat64OrNull({value})"
    return f"if(isFinite({number}), {number}, NULL)"


def _order(output: Output, value: str, *, descending: bool = False) -> list[str]:
    direction = "DESC" if descending else "ASC"
    by = [value]
    if output.kind is OutputKind.TEXT:
        by = [_number(output.kind, value), value]
    if output.kind is OutputKind.LEVEL:
        by = [f"indexOf({_LEVELS_SQL}, {value})"]
    return [f"{each} {direction} NULLS LAST" for each in by]
