"""Counting records: facets, the values of a field, and which fields there are.

The server groups and counts when it can decide the whole filter. Otherwise the rows it lets
through are looked at here, one by one, within the query's limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from logstream.query import CANONICAL, AttributeMap, FieldRef, Filter, attribute, resolve
from logstream.query.fields import Kind
from logstream.query.text import number_of
from logstream.query.to_mongodb import fields_read, value_parts
from logstream.query.values import present_value
from logstream.record import Record
from logstream.store.base import FieldInfo, QueryLimits, TimeRange, ValueCount
from logstream.store.counting import countable, field_infos
from logstream.store.mongodb.driver import Deadline
from logstream.store.mongodb.source import EVERY_FIELD, Memory, Query, Source, together
from logstream.store.mongodb.values import GROUP_BYTES, commonest, matching_records, ranked

__all__ = ["FIELDS_SAMPLE_ROWS", "facets", "field_values", "fields"]

FIELDS_SAMPLE_ROWS = 10_000
"""Rows that are looked at to say which fields there are: the newest that match."""


# Values of a field


async def facets(
    source: Source,
    where: Filter,
    between: TimeRange,
    *,
    fields: Sequence[str],
    limit: int,
    limits: QueryLimits,
) -> dict[str, list[ValueCount]]:
    """See `Store.facets`."""
    refs = [countable(field) for field in fields]
    query = Query.of(where, between)
    if query.exact:
        every = await together(
            *(
                commonest(source, query, value_parts(ref), limit=limit, limits=limits)
                for ref in refs
            )
        )
        return dict(zip(fields, every, strict=True))
    counts = await _count_here(source, query, refs, limits)
    return {field: ranked(each, limit) for field, each in zip(fields, counts, strict=True)}


async def field_values(
    source: Source,
    field: str,
    prefix: str,
    where: Filter,
    between: TimeRange,
    *,
    limit: int,
    limits: QueryLimits,
) -> list[ValueCount]:
    """See `Store.field_values`."""
    ref = countable(field)
    query = Query.of(where, between)
    if query.exact:
        return await commonest(
            source, query, value_parts(ref), prefix=prefix, limit=limit, limits=limits
        )
    [counts] = await _count_here(source, query, [ref], limits)
    return ranked(Counter({v: n for v, n in counts.items() if v.startswith(prefix)}), limit)


async def _count_here(
    source: Source, query: Query, refs: Sequence[FieldRef], limits: QueryLimits
) -> list[Counter[str]]:
    """Value → count of each field, over rows that are looked at one by one."""
    counts: list[Counter[str]] = [Counter() for _ in refs]
    memory = Memory(limits)
    async for record in matching_records(source, query, fields_read(*refs), limits):
        for ref, counted in zip(refs, counts, strict=True):
            value = present_value(ref, record)
            if value is not None:
                text = str(value)
                if text not in counted:
                    memory.take(GROUP_BYTES + len(text))
                counted[text] += 1
    return counts


# Which fields there are


async def fields(
    source: Source, where: Filter, between: TimeRange, limits: QueryLimits
) -> list[FieldInfo]:
    """See `Store.fields`; counted on the newest `FIELDS_SAMPLE_ROWS` rows that match."""
    deadline = Deadline(limits.timeout_s)
    batches = source.matching(
        Query.of(where, between),
        deadline=lambda: deadline,
        direction="newest first",
        limit=FIELDS_SAMPLE_ROWS,
        fields=EVERY_FIELD,
    )
    counts: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    looked_at = 0
    async for rows in batches:
        looked_at += len(rows)
        for row in rows:
            for name, is_number in _fields_of(row.record):
                counts[name] += 1
                numbers[name] += is_number
    return field_infos(
        {name: (count, numbers[name]) for name, count in counts.items()},
        approximate=looked_at >= FIELDS_SAMPLE_ROWS,
    )


def _fields_of(record: Record) -> Iterator[tuple[str, bool]]:
    """Every field that is there, and whether its value is a number."""
    for name, column in CANONICAL.items():
        if present_value(resolve(name), record) is not None:
            yield name, column.kind is Kind.NUMBER
    for place, attributes in (
        (AttributeMap.ANY, record.attributes),
        (AttributeMap.RESOURCE, record.resource),
        (AttributeMap.SCOPE, record.scope_attributes),
    ):
        for key, value in attributes.items():
            yield str(attribute(key, place)), number_of(value) is not None
