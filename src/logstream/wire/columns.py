"""Rows → one Arrow batch. Columns that no row fills are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, chain

import pyarrow as pa

from logstream.record import ATTRIBUTES, SCHEMA, TIMESTAMP
from logstream.severity import LEVELS, level_of_number
from logstream.wire.rows import Row

__all__ = ["SMALL_ROWS", "batch", "build", "map_array", "severity_columns"]

_STRING = pa.string()
_NAMES = tuple(SCHEMA.names)
_LEVELS = [level_of_number(n) for n in range(4 * len(LEVELS) + 1)]
_LEVEL_OF = pa.array(_LEVELS, _STRING)
SMALL_ROWS = 256
"""Up to so many rows, calling one of Arrow's compute functions costs more than a Python loop."""


def build(rows: Sequence[Row]) -> pa.RecordBatch:
    """One batch of these rows, in this order."""
    columns: dict[str, pa.Array] = {
        "Timestamp": pa.array([row.timestamp_ns for row in rows], pa.int64()).cast(TIMESTAMP),
        "Body": pa.array([row.message for row in rows], _STRING),
    }
    columns |= severity_columns([row.severity_number for row in rows])
    for name, texts in (
        ("TraceId", [row.trace_id for row in rows]),
        ("SpanId", [row.span_id for row in rows]),
        ("ServiceName", [row.service for row in rows]),
        ("ScopeName", [row.scope_name for row in rows]),
        ("ScopeVersion", [row.scope_version for row in rows]),
        ("EventName", [row.event_name for row in rows]),
    ):
        if any(texts):
            columns[name] = pa.array(texts, _STRING)
    if any(flags := [row.trace_flags for row in rows]):
        columns["TraceFlags"] = pa.array(flags, pa.uint8())
    for name, maps in (
        ("ResourceAttributes", [row.resource for row in rows]),
        ("ScopeAttributes", [row.scope_attributes for row in rows]),
        ("LogAttributes", [row.attributes for row in rows]),
    ):
        if any(maps):
            columns[name] = _maps(maps)
    return batch(columns)


def severity_columns(numbers: Sequence[int]) -> dict[str, pa.Array]:
    """The two severity columns, or none of them when no record gave a level."""
    if not any(numbers):
        return {}
    column = pa.Array.from_buffers(pa.uint8(), len(numbers), [None, pa.py_buffer(bytes(numbers))])
    if len(numbers) <= SMALL_ROWS:
        texts = pa.array(list(map(_LEVELS.__getitem__, numbers)), _STRING)
    else:
        texts = _LEVEL_OF.take(column)
    return {"SeverityNumber": column, "SeverityText": texts}


def batch(columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """Columns by name as a batch, in the schema's order."""
    schema = _schema_of(tuple(filter(columns.__contains__, _NAMES)))
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


@lru_cache(64)
def _schema_of(names: tuple[str, ...]) -> pa.Schema:
    return pa.schema([SCHEMA.field(name) for name in names])


def map_array(offsets: pa.Array, keys: pa.Array, values: pa.Array) -> pa.Array:
    return pa.MapArray.from_arrays(offsets, keys, values, type=ATTRIBUTES)


def _maps(maps: Sequence[Mapping[str, str]]) -> pa.Array:
    return map_array(
        pa.array(list(accumulate(map(len, maps), initial=0)), pa.int32()),
        pa.array(list(chain.from_iterable(maps)), _STRING),
        pa.array(list(chain.from_iterable(item.values() for item in maps)), _STRING),
    )
