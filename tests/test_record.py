"""Records, batches and the way between them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import CorruptData
from logstream.record import (
    REQUIRED_COLUMNS,
    SCHEMA,
    Record,
    batch_of,
    complete,
    concat,
    decode_batch,
    encode_batch,
    records_of,
)

TEXT = st.text(max_size=20)
MAPS = st.dictionaries(TEXT, TEXT, max_size=3)
RECORDS = st.builds(
    Record,
    timestamp_ns=st.integers(0, 2**63 - 1),
    message=TEXT,
    severity_number=st.integers(0, 24),
    service=TEXT,
    trace_id=TEXT,
    span_id=TEXT,
    trace_flags=st.integers(0, 255),
    event_name=TEXT,
    attributes=MAPS,
    resource=MAPS,
    scope_name=TEXT,
    scope_attributes=MAPS,
)


@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_records_survive_the_batch_and_its_encoding(records: list[Record]) -> None:
    """Nothing is lost on the way a record takes through the broker."""
    assert records_of(decode_batch(encode_batch(batch_of(records)))) == records


def test_an_absent_column_means_its_empty_value() -> None:
    """A batch of the two required columns reads as records with everything else empty."""
    record = Record(timestamp_ns=5, message="hello")
    slim = batch_of([record]).select(list(REQUIRED_COLUMNS))
    assert records_of(slim) == [record]
    assert complete(slim) == batch_of([record])


def test_concatenation_has_every_column_that_any_part_has() -> None:
    """Parts with different columns join in order, and columns nobody has stay away."""
    plain = Record(timestamp_ns=1, message="a")
    rich = Record(timestamp_ns=2, message="b", service="api", attributes={"k": "v"})
    first = batch_of([plain]).select(["Timestamp", "Body"])
    second = batch_of([rich]).select(["Timestamp", "Body", "ServiceName", "LogAttributes"])
    joined = concat([first, second])
    assert joined.schema.names == ["Timestamp", "ServiceName", "Body", "LogAttributes"]
    assert records_of(joined) == [plain, rich]


def test_nothing_cannot_be_concatenated() -> None:
    """An empty group is a fault of the caller."""
    with pytest.raises(ValueError, match="nothing to concatenate"):
        concat([])


@given(st.binary(max_size=200))
def test_bytes_that_are_no_batch_are_corrupt_data(payload: bytes) -> None:
    """Garbage from a disk raises one known error."""
    with pytest.raises(CorruptData):
        decode_batch(payload)


@given(st.data())
def test_a_damaged_batch_never_crashes(data: st.DataObject) -> None:
    """A flipped byte gives a batch or CorruptData, nothing else."""
    payload = bytearray(encode_batch(batch_of([Record(timestamp_ns=1, message="x" * 50)])))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        batch = decode_batch(bytes(payload))
    except CorruptData:
        return
    assert isinstance(batch, pa.RecordBatch)


def test_the_schema_is_opentelemetrys_table() -> None:
    """The columns are those of the Collector's ClickHouse exporter, by name."""
    assert SCHEMA.names == [
        "Timestamp", "TraceId", "SpanId", "TraceFlags", "SeverityText", "SeverityNumber",
        "ServiceName", "Body", "ResourceSchemaUrl", "ResourceAttributes", "ScopeSchemaUrl",
        "ScopeName", "ScopeVersion", "ScopeAttributes", "LogAttributes", "EventName",
    ]  # fmt: skip
