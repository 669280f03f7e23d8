"""What columns a query's rows have after each pipe: shared by the SQL compiler and `evaluate`."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

import msgspec

from logstream.errors import QueryError
from logstream.query import ast
from logstream.query.fields import CANONICAL, Column, FieldRef, Kind, resolve
from logstream.query.text import unquote

__all__ = [
    "MAX_COLUMNS",
    "RECORD_OUTPUTS",
    "Output",
    "OutputKind",
    "Shape",
    "find",
    "kind_of",
    "record_field",
    "shape_after",
    "shape_of",
]


MAX_COLUMNS = 100
"""Columns, or keys to sort by, in one pipe: each is an expression that an engine has to read."""


class OutputKind(Enum):
    """What the cells of a result column are."""

    TEXT = "text"
    NUMBER = "number"
    LEVEL = "level"
    TIMESTAMP = "timestamp"
    ATTRIBUTES = "attributes"


class Output(msgspec.Struct, frozen=True):
    """A column of a result. Its cells may be ``None`` whatever its kind."""

    name: str
    kind: OutputKind


Shape: TypeAlias = tuple[Output, ...] | None
"""The columns of the rows so far; ``None`` while the rows are still whole records."""

_KIND = {
    Kind.TIMESTAMP: OutputKind.TIMESTAMP,
    Kind.LEVEL: OutputKind.LEVEL,
    Kind.NUMBER: OutputKind.NUMBER,
    Kind.TEXT: OutputKind.TEXT,
    Kind.MESSAGE: OutputKind.TEXT,
}

RECORD_OUTPUTS: tuple[Output, ...] = (
    *(
        Output(name, _KIND[CANONICAL[name].kind])
        for name in ("timestamp", "level", "service", "message", "trace_id", "span_id")
    ),
    Output("attributes", OutputKind.ATTRIBUTES),
)
"""The columns of a result whose pipes leave records whole, as ``| limit 5`` does."""


def kind_of(ref: FieldRef) -> OutputKind:
    """What the values of a field are."""
    return _KIND[ref.kind] if isinstance(ref, Column) else OutputKind.TEXT


def shape_of(query: ast.Query) -> Shape:
    """The columns of a query's rows; ``None``: it has no pipes that make a table.

    Raises:
        QueryError: a pipe names a column that is not there, makes one twice, or makes too many.
    """
    shape: Shape = None
    for pipe in query.pipes:
        shape = shape_after(shape, pipe)
    return shape


def shape_after(shape: Shape, pipe: ast.Pipe) -> Shape:
    """The columns after one more pipe.

    Raises:
        QueryError: as `shape_of`.
    """
    match pipe:
        case ast.Stats(aggregates, by):
            groups = [Output(group.column, _group_kind(shape, group.by)) for group in by]
            return _distinct(
                (*groups, *(Output(a.column, _aggregate_kind(shape, a)) for a in aggregates))
            )
        case ast.Top(_, fields):
            columns = [Output(str(ref), _field_kind(shape, ref)) for ref in fields]
            return _distinct((*columns, Output("count", OutputKind.NUMBER)))
        case ast.Sort(keys):
            _check_count(len(keys))
            for key in keys:
                if _column_of(shape, key.column).kind is OutputKind.ATTRIBUTES:
                    raise QueryError("attributes as a whole have no order")
            return shape
        case ast.Fields(columns=names):
            return _distinct(tuple(_column_of(shape, name) for name in names))
        case ast.Limit():
            return shape


def find(outputs: tuple[Output, ...], text: str) -> int:
    """Index of the column that query text names.

    Raises:
        QueryError: there is none; the columns that there are, are what was expected.
    """
    name = unquote(text) if text.startswith('"') else text
    for index, output in enumerate(outputs):
        if output.name in (text, name):
            return index
    raise QueryError(f"no column {text} here", expected=tuple(output.name for output in outputs))


def record_field(text: str) -> FieldRef:
    """The record's field that query text in a pipe names.

    Raises:
        QueryError: it is a call, or no field's name.
    """
    if text.endswith(")"):
        raise QueryError(f"no column {text} here", hint="a stats pipe must come first")
    return resolve(text)


def _column_of(shape: Shape, text: str) -> Output:
    if shape is not None:
        return shape[find(shape, text)]
    ref = record_field(text)
    return Output(str(ref), kind_of(ref))


def _field_kind(shape: Shape, ref: FieldRef) -> OutputKind:
    return kind_of(ref) if shape is None else shape[find(shape, str(ref))].kind


def _group_kind(shape: Shape, by: FieldRef | ast.Bin) -> OutputKind:
    if not isinstance(by, ast.Bin):
        return _field_kind(shape, by)
    if shape is not None:
        raise QueryError("bin() works on records, before any other stats")
    return OutputKind.TIMESTAMP


def _aggregate_kind(shape: Shape, aggregate: ast.Aggregate) -> OutputKind:
    if aggregate.field is None:
        return OutputKind.NUMBER
    kind = _field_kind(shape, aggregate.field)
    if kind is not OutputKind.TIMESTAMP or aggregate.function in ("count", "uniq"):
        return OutputKind.NUMBER
    if aggregate.function not in ("min", "max"):
        raise QueryError(f"{aggregate.function}() takes numbers, not times")
    return OutputKind.TIMESTAMP


def _check_count(columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise QueryError(f"{columns} columns are too many", hint=f"at most {MAX_COLUMNS} in a pipe")


def _distinct(outputs: tuple[Output, ...]) -> tuple[Output, ...]:
    _check_count(len(outputs))
    names: set[str] = set()
    for output in outputs:
        if output.name in names:
            raise QueryError(f"two columns are called {output.name}", hint="name one with as")
        names.add(output.name)
    return outputs
