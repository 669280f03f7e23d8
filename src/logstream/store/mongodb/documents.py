"""A record as a MongoDB document, and back. Pure: no driver here.

::

    _id                  the record's id less 2**63, so that unsigned ids keep their order in
                         BSON's signed numbers: which group wrote it and as which row
    timestamp_ns         when, to the nanosecond
    timestamp            the same as a date, to the millisecond: for people and other tools
    day, minute, second  the same cut down: a date, and numbers since 1970, to count and expire by
    level, severity_number, service, message, trace_id, span_id, trace_flags, event_name,
    scope_name, scope_version, scope_schema_url, resource_schema_url
    attributes, resource, scope_attributes                {key: text}
    attribute_numbers, resource_numbers, scope_numbers    {key: number}, of values that are numbers

Empty texts and empty sets of attributes are left out. Keys are written as
`logstream.query.to_mongodb.quote_key` says: BSON forbids NUL in a key, and paths cannot reach one
with a dot, or an empty one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import pyarrow as pa

from logstream.clock import NS_PER_S
from logstream.errors import RecordsRejected
from logstream.query.mongodb_conditions import quote_key, unquote_key
from logstream.query.text import number_of
from logstream.query.to_mongodb import ATTRIBUTE_MAPS, NUMBERS
from logstream.record import COLUMN_OF_FIELD, SCHEMA, Record
from logstream.store.base import StoredRecord

__all__ = [
    "NS_PER_DAY",
    "day_start",
    "documents_of",
    "mongo_id",
    "projection",
    "record_id",
    "stored_record",
]

NS_PER_DAY = 86_400 * NS_PER_S
_ID_OFFSET = 1 << 63
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - BSON dates are UTC, and the driver's are naive
_NS_PER_MS = 1_000_000
_NUMBER_STARTS = frozenset("+-.0123456789")
_TEXTS = tuple(
    (field, column)
    for field, column in COLUMN_OF_FIELD.items()
    if SCHEMA.field(column).type == pa.string()
)


def mongo_id(record_id: int) -> int:
    """``_id`` of a record's id."""
    return record_id - _ID_OFFSET


def record_id(mongo_id: int) -> int:
    """The record's id of an ``_id``."""
    return mongo_id + _ID_OFFSET


def day_start(timestamp_ns: int) -> dt.datetime:
    """Midnight (UTC) before a moment, as ``day`` holds it."""
    return _EPOCH + dt.timedelta(days=timestamp_ns // NS_PER_DAY)


def documents_of(batch: pa.RecordBatch, first_id: int) -> Iterator[dict[str, Any]]:
    """The batch's rows as documents, numbered from ``first_id``.

    Raises:
        RecordsRejected: a column is not what `SCHEMA` says.
    """
    columns = _columns(batch)
    timestamps = columns.pop("timestamp_ns")
    severities = columns.pop("severity_number", None)
    flags = columns.pop("trace_flags", None)
    maps = [(name, found) for name in ATTRIBUTE_MAPS if (found := columns.pop(name, None))]
    texts = [(name, values) for name, values in columns.items() if any(values)]
    days: dict[int, dt.datetime] = {}
    for row, timestamp_ns in enumerate(timestamps):
        day = timestamp_ns // NS_PER_DAY
        if day not in days:
            days[day] = day_start(timestamp_ns)
        second = timestamp_ns // NS_PER_S
        document = {
            "_id": first_id + row - _ID_OFFSET,
            "timestamp_ns": timestamp_ns,
            "timestamp": _EPOCH + dt.timedelta(milliseconds=timestamp_ns // _NS_PER_MS),
            "day": days[day],
            "minute": second // 60,
            "second": second,
            "severity_number": severities[row] if severities else 0,
            "trace_flags": flags[row] if flags else 0,
        }
        for name, values in texts:
            text = values[row]
            if text:
                document[name] = text
        for name, attributes in maps:
            values, numbers = attributes[row]
            if values:
                document[name] = values
            if numbers:
                document[NUMBERS[name]] = numbers
        yield document


def _columns(batch: pa.RecordBatch) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for field, name in COLUMN_OF_FIELD.items():
        if name not in batch.schema.names:
            continue
        column = batch.column(name)
        if column.type != SCHEMA.field(name).type or column.null_count:
            raise RecordsRejected(
                f"the store does not take these records: {name} is {column.type}, "
                f"with {column.null_count} nulls"
            )
        if field in ATTRIBUTE_MAPS:
            columns[field] = list(_attributes(column)) if len(column.keys) else []
        else:
            numbers = column.cast(pa.int64()) if name == "Timestamp" else column
            columns[field] = numbers.to_pylist()
    return columns


def _attributes(maps: pa.MapArray) -> Iterator[tuple[dict[str, str], dict[str, float]]]:
    """Of each row the texts by key, and those that are numbers as such."""
    # All keys and values at once: row by row Arrow takes four times as long.
    offsets = maps.offsets.to_pylist()
    first, last = offsets[0], offsets[-1]
    keys = [quote_key(key) for key in maps.keys.slice(first, last - first).to_pylist()]
    texts = maps.items.slice(first, last - first).to_pylist()
    for start, end in pairwise(offset - first for offset in offsets):
        values = dict(zip(keys[start:end], texts[start:end], strict=True))
        numbers = {
            key: number
            for key, text in values.items()
            if text[:1] in _NUMBER_STARTS and (number := number_of(text)) is not None
        }
        yield values, numbers


def stored_record(document: Mapping[str, Any]) -> StoredRecord:
    """The record of a document, or of as much of it as was asked for."""
    get = document.get
    fields: dict[str, Any] = {
        "timestamp_ns": int(document["timestamp_ns"]),
        "severity_number": int(get("severity_number", 0)),
        "trace_flags": int(get("trace_flags", 0)),
    }
    for name, _ in _TEXTS:
        text = get(name)
        if text is not None:
            fields[name] = text
    for name in ATTRIBUTE_MAPS:
        values = get(name)
        if values is not None:
            fields[name] = {unquote_key(key): value for key, value in values.items()}
    return StoredRecord(record_id(int(document["_id"])), Record(**fields))


def projection(fields: Iterable[str]) -> dict[str, int]:
    """What `stored_record` needs for these of a record's fields."""
    return dict.fromkeys(("_id", "timestamp_ns", *sorted(fields)), 1)
