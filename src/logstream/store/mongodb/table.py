"""Queries with pipes.

When the first pipe only counts, by columns, times and attributes, the server does it and the
other pipes run here over its groups. Any other pipes run here over the rows themselves, within
the query's limits.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, TypeAlias

from logstream.clock import NS_PER_S
from logstream.query import FieldRef, Query, ast
from logstream.query.fields import Attribute, Column, Kind
from logstream.query.mongodb_conditions import Document, all_conditions
from logstream.query.shape import record_field, shape_after, shape_of
from logstream.query.table import run_counted, run_pipes
from logstream.query.to_mongodb import ValuePart, fields_read, value_parts
from logstream.record import Record
from logstream.store.base import QueryLimits, QueryStats, TableResult, TimeRange
from logstream.store.mongodb.driver import Deadline
from logstream.store.mongodb.source import EVERY_FIELD, Memory, Source, Tally
from logstream.store.mongodb.source import Query as ServerQuery
from logstream.timestamps import duration_ns

__all__ = ["table"]

MAX_PARTS = 8
"""Pipelines that one table may take: an attribute may be in each of several places."""
_GROUP_BYTES = 400

Key: TypeAlias = tuple[Any, ...]


async def table(
    source: Source, query: Query, between: TimeRange, limits: QueryLimits
) -> TableResult:
    """See `Store.table`."""
    began_s = time.monotonic()
    shape_of(query)
    asked = ServerQuery.of(query.filter, between)
    tally = Tally()
    plan = _plan(query.pipes[0]) if query.pipes and asked.exact else None
    if plan is None:
        records = await _records(source, query, asked, limits, tally)
        result = run_pipes(query.pipes, records)
    else:
        result = run_counted(query.pipes, await _count(source, asked, plan, limits, tally))
    elapsed_ms = (time.monotonic() - began_s) * 1e3
    return TableResult(
        columns=result.columns,
        rows=result.rows,
        stats=QueryStats(matched=None, scanned=tally.rows, elapsed_ms=elapsed_ms),
    )


# Counted by the server


class _Place(ValuePart, frozen=True):
    """Where some records have what is grouped by; those without it there have ``constant``.

    ``width_ns``, ``unit_ns``: it is a time in such units, to be cut to such a width.
    """

    constant: str | None = None
    width_ns: int = 0
    unit_ns: int = 0

    def value(self, found: Any) -> Any:
        """What to group by, of what the server answers."""
        if found is None:
            return self.constant
        if self.unit_ns:
            return int(found) * self.unit_ns // self.width_ns * self.width_ns
        return int(found) if self.number else str(found)


_Plan: TypeAlias = tuple[tuple[_Place, ...], ...]
"""For each thing grouped by, the places that together hold every record once."""


def _plan(pipe: ast.Pipe) -> _Plan | None:
    """How the server can do the pipe; ``None``: it cannot."""
    match pipe:
        case ast.Stats(aggregates, by) if all(each.field is None for each in aggregates):
            plan = [_places_of_group(group.by) for group in by]
        case ast.Top(_, fields):
            plan = [_places_of_top(ref) for ref in fields]
        case _:
            return None
    places = tuple(each for each in plan if each is not None)
    parts = 1
    for each in places:
        parts *= len(each)
    return places if len(places) == len(plan) and parts <= MAX_PARTS else None


def _places_of_group(by: FieldRef | ast.Bin) -> tuple[_Place, ...] | None:
    """As `values.field_value`: records without a value are a group too."""
    if isinstance(by, ast.Bin):
        width_ns = duration_ns(by.width) or 1
        for name, unit_ns in (("minute", 60 * NS_PER_S), ("second", NS_PER_S)):
            if width_ns % unit_ns == 0:
                return (_Place({}, name, width_ns=width_ns, unit_ns=unit_ns),)
        return None
    if isinstance(by, Column):
        return None if by.kind is Kind.TIMESTAMP else (_column({}, by),)
    parts = value_parts(Attribute(by.key, by.where))
    lacking = all_conditions({part.path: {"$exists": False}} for part in parts)
    there = [_Place(part.condition, part.path) for part in parts]
    if by.fallback is None:
        return (*there, _Place(lacking, ""))
    otherwise = _column(lacking, by.fallback)
    return (*there, _Place(lacking, otherwise.path, constant=otherwise.constant))


def _column(condition: Document, column: Column) -> _Place:
    number = column.kind is Kind.NUMBER
    return _Place(condition, column.record_field, number, constant=None if number else "")


def _places_of_top(ref: FieldRef) -> tuple[_Place, ...] | None:
    """As `values.present_value`: records without a value do not count."""
    if isinstance(ref, Column) and ref.kind is Kind.TIMESTAMP:
        return None
    keep_numbers = isinstance(ref, Column)
    return tuple(
        _Place(part.condition, part.path, part.number and keep_numbers) for part in value_parts(ref)
    )


async def _count(
    source: Source, asked: ServerQuery, plan: _Plan, limits: QueryLimits, tally: Tally
) -> Counter[Key]:
    deadline = Deadline(limits.timeout_s)
    memory = Memory(limits)
    counts: Counter[Key] = Counter()
    for places in product(*plan):
        group = {f"g{i}": f"${place.path}" for i, place in enumerate(places) if place.path}
        pipeline: list[Document] = [
            {"$match": all_conditions([asked.document, *(place.condition for place in places)])},
            {"$group": {"_id": group or None, "n": {"$sum": 1}}},
        ]
        for each in await source.aggregate(pipeline, deadline):
            tally.rows += 1
            found = each["_id"] or {}
            key = tuple(place.value(found.get(f"g{i}")) for i, place in enumerate(places))
            if key not in counts:
                memory.take(_GROUP_BYTES)
            counts[key] += each["n"]
    return counts


# Over the rows themselves


async def _records(
    source: Source, query: Query, asked: ServerQuery, limits: QueryLimits, tally: Tally
) -> list[Record]:
    first = query.pipes[0] if query.pipes else None
    limit = first.limit if isinstance(first, ast.Limit) else 0
    if isinstance(first, ast.Limit) and not limit:
        return []
    deadline = Deadline(limits.timeout_s)
    memory = Memory(limits)
    batches = source.matching(
        asked,
        deadline=lambda: deadline,
        direction="newest first" if limit else None,
        limit=limit,
        fields=_fields(query.pipes),
        tally=tally,
    )
    records: list[Record] = []
    async for rows in batches:
        for row in rows:
            memory.take_record(row.record)
            records.append(row.record)
    return records


def _fields(pipes: Sequence[ast.Pipe]) -> frozenset[str]:
    """The record's fields that the pipes read."""
    found: set[str] = set()
    for pipe in pipes:
        found |= fields_read(*_fields_named(pipe))
        if shape_after(None, pipe) is not None:
            return frozenset(found)
    return EVERY_FIELD


def _fields_named(pipe: ast.Pipe) -> Iterable[FieldRef]:
    match pipe:
        case ast.Stats(aggregates, by):
            named = [group.by for group in by if not isinstance(group.by, ast.Bin)]
            return [*named, *(each.field for each in aggregates if each.field is not None)]
        case ast.Top(_, fields):
            return fields
        case ast.Sort(keys):
            return [record_field(key.column) for key in keys]
        case ast.Fields(columns):
            return [record_field(column) for column in columns]
        case ast.Limit():
            return ()
