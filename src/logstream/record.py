"""What a record is: OpenTelemetry's log data model as one Arrow schema.

A *record* is one log event. Records travel as a *batch*: an Arrow `RecordBatch` whose columns
are named and typed as in `SCHEMA`, which is also how the store's table names them (those of the
OpenTelemetry Collector's ClickHouse exporter). The same batch is what the broker keeps, what the
worker concatenates, what the store inserts and what live tail filters: nothing on that path turns
a row into an object.

A batch may leave out any column but `REQUIRED_COLUMNS`; an absent column means its empty value
("" / 0 / {}) for every row. Leaving a column out costs nothing anywhere, which is why decoders
leave out what nobody sent. `complete` puts them all in.

`Record` is one row as a value, for the places that show or test single records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any

import msgspec
import pyarrow as pa

from logstream.errors import CorruptData

__all__ = [
    "MESSAGE_BYTES",
    "OWN_PREFIX",
    "REQUIRED_COLUMNS",
    "SCHEMA",
    "TIMESTAMP_SOURCE",
    "Record",
    "batch_of",
    "complete",
    "concat",
    "decode_batch",
    "decode_batches",
    "encode_batch",
    "records_of",
]

TIMESTAMP = pa.timestamp("ns", tz="UTC")
ATTRIBUTES = pa.map_(pa.string(), pa.string())

SCHEMA = pa.schema(
    [
        pa.field("Timestamp", TIMESTAMP, nullable=False),
        pa.field("TraceId", pa.string(), nullable=False),
        pa.field("SpanId", pa.string(), nullable=False),
        pa.field("TraceFlags", pa.uint8(), nullable=False),
        pa.field("SeverityText", pa.string(), nullable=False),
        pa.field("SeverityNumber", pa.uint8(), nullable=False),
        pa.field("ServiceName", pa.string(), nullable=False),
        pa.field("Body", pa.string(), nullable=False),
        pa.field("ResourceSchemaUrl", pa.string(), nullable=False),
        pa.field("ResourceAttributes", ATTRIBUTES, nullable=False),
        pa.field("ScopeSchemaUrl", pa.string(), nullable=False),
        pa.field("ScopeName", pa.string(), nullable=False),
        pa.field("ScopeVersion", pa.string(), nullable=False),
        pa.field("ScopeAttributes", ATTRIBUTES, nullable=False),
        pa.field("LogAttributes", ATTRIBUTES, nullable=False),
        pa.field("EventName", pa.string(), nullable=False),
    ]
)
"""Every column a batch may have, in the table's order. Strings are valid UTF-8."""

REQUIRED_COLUMNS = ("Timestamp", "Body")

OWN_PREFIX = "logstream."
"""Attributes that LogStream itself adds start with this."""
TIMESTAMP_SOURCE = OWN_PREFIX + "timestamp"
"""Attribute set to ``"received"`` on a record that came without a time of its own."""
MESSAGE_BYTES = OWN_PREFIX + "message_bytes"
"""Attribute holding the original length in bytes of a message that was cut."""

_TYPES = {field.name: field.type for field in SCHEMA}
# Without threads: handing each small buffer to Arrow's thread pool takes ten times as long as
# (de)compressing it, and other batches keep the cores busy anyway.
_IPC_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_IPC_READ_OPTIONS = pa.ipc.IpcReadOptions(use_threads=False)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One log event, by the names that users see.

    ``level`` is one of `severity.LEVELS` or ``""`` and agrees with ``severity_number`` (0–24).
    ``attributes`` are the record's own; ``resource`` and ``scope_attributes`` describe where it
    came from. All values are text: a number keeps the digits it was sent with.
    """

    timestamp_ns: int
    message: str = ""
    level: str = ""
    severity_number: int = 0
    service: str = ""
    trace_id: str = ""
    span_id: str = ""
    trace_flags: int = 0
    event_name: str = ""
    attributes: Mapping[str, str] = {}
    resource: Mapping[str, str] = {}
    resource_schema_url: str = ""
    scope_name: str = ""
    scope_version: str = ""
    scope_schema_url: str = ""
    scope_attributes: Mapping[str, str] = {}


COLUMN_OF_FIELD: Mapping[str, str] = MappingProxyType(
    {
        "timestamp_ns": "Timestamp",
        "trace_id": "TraceId",
        "span_id": "SpanId",
        "trace_flags": "TraceFlags",
        "level": "SeverityText",
        "severity_number": "SeverityNumber",
        "service": "ServiceName",
        "message": "Body",
        "resource_schema_url": "ResourceSchemaUrl",
        "resource": "ResourceAttributes",
        "scope_schema_url": "ScopeSchemaUrl",
        "scope_name": "ScopeName",
        "scope_version": "ScopeVersion",
        "scope_attributes": "ScopeAttributes",
        "attributes": "LogAttributes",
        "event_name": "EventName",
    }
)
"""`Record` field → batch column."""


def batch_of(records: Sequence[Record]) -> pa.RecordBatch:
    """A batch with every column of `SCHEMA`, one row a record, in the order given."""
    columns = []
    for field, column in zip(COLUMN_OF_FIELD, SCHEMA, strict=True):
        values: list[Any] = [getattr(record, field) for record in records]
        if column.type == ATTRIBUTES:
            values = [list(value.items()) for value in values]
        columns.append(pa.array(values, column.type))
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def records_of(batch: pa.RecordBatch) -> list[Record]:
    """The rows of a batch as values, absent columns as their empty value."""
    columns: dict[str, list[Any]] = {}
    for field, name in COLUMN_OF_FIELD.items():
        index = batch.schema.get_field_index(name)
        if index < 0:
            continue
        column = batch.column(index)
        if column.type == ATTRIBUTES:
            columns[field] = [dict(pairs) for pairs in column.to_pylist()]
        elif name == "Timestamp":
            columns[field] = column.cast(pa.int64()).to_pylist()
        else:
            columns[field] = column.to_pylist()
    rows = zip(*columns.values(), strict=True)
    return [Record(**dict(zip(columns, row, strict=True))) for row in rows]


def complete(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with every column of `SCHEMA`, in that order; columns it has are not copied."""
    if batch.schema.equals(SCHEMA):
        return batch
    return pa.RecordBatch.from_arrays(
        [
            batch.column(field.name)
            if field.name in batch.schema.names
            else _empty_column(field.type, batch.num_rows)
            for field in SCHEMA
        ],
        schema=SCHEMA,
    )


def _empty_column(kind: pa.DataType, rows: int) -> pa.Array:
    if kind == ATTRIBUTES:
        return pa.array([[]] * rows, kind)
    return pa.repeat(pa.scalar("" if kind == pa.string() else 0, kind), rows)


def concat(batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of all rows in order; it has every column that any of them has.

    Raises:
        ValueError: no batches were given.
    """
    parts = list(batches)
    if not parts:
        raise ValueError("nothing to concatenate")
    first = parts[0].schema
    if all(part.schema.equals(first) for part in parts):
        return pa.concat_batches(parts)
    names = {name for part in parts for name in part.schema.names}
    schema = pa.schema([field for field in SCHEMA if field.name in names])
    runs: list[tuple[pa.Schema, list[pa.RecordBatch]]] = []
    for part in parts:
        if not runs or not part.schema.equals(runs[-1][0]):
            runs.append((part.schema, []))
        runs[-1][1].append(part)
    return pa.concat_batches([_aligned(pa.concat_batches(run), schema) for _, run in runs])


def _aligned(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    if batch.schema.equals(schema):
        return batch
    have = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns = [
        have[field.name] if field.name in have else _empty_column(field.type, batch.num_rows)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def encode_batch(batch: pa.RecordBatch) -> bytes:
    """The batch as a self-describing Arrow IPC stream, lz4-compressed: what brokers keep."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=_IPC_OPTIONS) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def decode_batch(payload: bytes | memoryview) -> pa.RecordBatch:
    """The batch that `encode_batch` made.

    Raises:
        CorruptData: the bytes are not such a batch.
    """
    try:
        with pa.ipc.open_stream(pa.py_buffer(payload), options=_IPC_READ_OPTIONS) as reader:
            return _known(reader.read_next_batch())
    except (pa.ArrowException, OSError, StopIteration) as exc:
        raise CorruptData(f"not an Arrow batch of records: {exc}") from exc


def _known(batch: pa.RecordBatch) -> pa.RecordBatch:
    schema = batch.schema
    try:
        names = set(schema.names)
        wrong = any(_TYPES.get(field.name) != field.type for field in schema)
    except UnicodeDecodeError as exc:
        raise CorruptData("not the columns of a record: damaged names") from exc
    if wrong or not names.issuperset(REQUIRED_COLUMNS) or len(names) < len(schema):
        raise CorruptData(f"not the columns of a record: {sorted(names)}")
    return batch


def decode_batches(payloads: Sequence[bytes]) -> list[pa.RecordBatch]:
    """The batches that `encode_batch` made of each, in order.

    Neighbours of one schema are read as one stream, which for batches of a few rows takes half
    the time of `decode_batch` on each.

    Raises:
        CorruptData: at least one is not such a batch; `decode_batch` tells which.
    """
    batches: list[pa.RecordBatch] = []
    for head, run in groupby(payloads, key=_schema_message):
        members = list(run)
        if len(members) == 1:
            batches.append(decode_batch(members[0]))
            continue
        bodies = [member[len(head) : -len(_END_OF_STREAM)] for member in members]
        try:
            stream = pa.py_buffer(b"".join([head, *bodies, _END_OF_STREAM]))
            with pa.ipc.open_stream(stream, options=_IPC_READ_OPTIONS) as reader:
                found = list(reader)
        except (pa.ArrowInvalid, pa.ArrowSerializationError, OSError) as exc:
            raise CorruptData(f"not Arrow batches of records: {exc}") from exc
        if len(found) != len(members):
            raise CorruptData("not one Arrow batch of records each")
        _known(found[0])
        batches += found
    return batches


def _schema_message(payload: bytes) -> bytes:
    # Arrow IPC: a marker of 4 bytes, the metadata's length in 4 bytes, the metadata; a schema has
    # no body. What is too short or strange for that is left to `decode_batch` to complain about.
    length = 8 + int.from_bytes(payload[4:8], "little")
    ends_well = payload[-len(_END_OF_STREAM) :] == _END_OF_STREAM
    return payload[:length] if length < len(payload) and ends_well else payload
