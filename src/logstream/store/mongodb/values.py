"""The values of a field in matching records: where they are, and which are the commonest."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence

from logstream.errors import QueryTooExpensive
from logstream.query.mongodb_conditions import Document, all_conditions, starts_with
from logstream.query.to_mongodb import ValuePart
from logstream.record import Record
from logstream.store.base import QueryLimits, ValueCount
from logstream.store.mongodb.driver import Deadline
from logstream.store.mongodb.source import Query, Source, together

__all__ = ["GROUP_BYTES", "among", "commonest", "matching_records", "not_empty", "ranked"]

GROUP_BYTES = 200
"""What a value that is counted takes here, besides its text."""
MAX_GROUPS = 100_000
"""Values that one question may be answered with by the server."""
_NUMBERS = 256
"""Columns of numbers hold smaller ones."""


def ranked(counts: Counter[str], limit: int) -> list[ValueCount]:
    """The commonest first, ties by value."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [ValueCount(*each) for each in ranked[:limit]]


async def commonest(
    source: Source,
    query: Query,
    parts: Sequence[ValuePart],
    *,
    prefix: str = "",
    limit: int,
    limits: QueryLimits,
) -> list[ValueCount]:
    """The commonest values, counted by the server."""
    if limit <= 0:
        return []
    deadline = Deadline(limits.timeout_s)
    found = await _grouped(source, query, parts, prefix=prefix, limit=limit, deadline=deadline)
    if sum(map(bool, found)) > 1:
        # A value may be common in none of the places and yet be so in all of them together.
        found = await _grouped(
            source, query, parts, prefix=prefix, limit=MAX_GROUPS + 1, deadline=deadline
        )
        if any(len(each) > MAX_GROUPS for each in found):
            raise _too_many_values()
    return ranked(sum(found, Counter[str]()), limit)


def _too_many_values() -> QueryTooExpensive:
    return QueryTooExpensive(
        f"the field has more than {MAX_GROUPS:,} different values in more than one place",
        hint="narrow the time range, or say attributes., resource. or scope_attributes.",
    )


async def _grouped(
    source: Source,
    query: Query,
    parts: Sequence[ValuePart],
    *,
    prefix: str,
    limit: int,
    deadline: Deadline,
) -> list[Counter[str]]:
    """Value → count in each part, its commonest values only."""

    async def one(part: ValuePart) -> Counter[str]:
        starting = _starting(part, prefix) if prefix else {}
        pipeline: list[Document] = [
            {"$match": all_conditions([query.document, part.condition, starting])},
            {"$group": {"_id": f"${part.path}", "n": {"$sum": 1}}},
            {"$sort": {"n": -1, "_id": 1}},
            # Numbers that occur as often as each other are to come in the order of their digits.
            {"$limit": max(limit, _NUMBERS) if part.number else limit},
        ]
        answer = await source.aggregate(pipeline, deadline)
        return Counter({str(each["_id"]): each["n"] for each in answer})

    return await together(*(one(part) for part in parts))


def _starting(part: ValuePart, prefix: str) -> Document:
    if part.number:
        return {part.path: {"$in": [n for n in range(_NUMBERS) if str(n).startswith(prefix)]}}
    return starts_with(part.path, prefix)


def among(part: ValuePart, values: Sequence[str]) -> Document:
    """The condition that the value is one of these texts."""
    if part.number:
        return {part.path: {"$in": [n for n in range(_NUMBERS) if str(n) in values]}}
    return {part.path: {"$in": list(values)}}


def not_empty(part: ValuePart) -> ValuePart:
    """The part without the records whose value is the empty text."""
    if part.number:
        return part
    return ValuePart(all_conditions([part.condition, {part.path: {"$gt": ""}}]), part.path)


async def matching_records(
    source: Source, query: Query, fields: frozenset[str], limits: QueryLimits
) -> AsyncIterator[Record]:
    """Every matching record, with at least these fields, as they come."""
    deadline = Deadline(limits.timeout_s)
    async for rows in source.matching(query, deadline=lambda: deadline, fields=fields):
        for row in rows:
            yield row.record
