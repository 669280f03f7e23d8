"""Records and tables as NDJSON, CSV, plain text or Parquet, a piece at a time."""

from __future__ import annotations

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from logstream.dashboard.answers import record_body, row_answer
from logstream.query import Column, FieldRef, Kind, resolve
from logstream.query.values import field_value
from logstream.record import SCHEMA, Record, complete, records_of
from logstream.timestamps import format_timestamp

__all__ = ["CSV_COLUMNS", "Format", "open_format", "size_of"]

CSV_COLUMNS = (
    "timestamp", "level", "service", "message", "trace_id", "span_id", "attributes", "resource",
)  # fmt: skip
"""What a CSV file has when no columns are asked for; the last two are JSON objects."""

# A spreadsheet would run a cell that starts with one of these as a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

# Rows are gathered to this many before they become one row group of a Parquet file.
ROW_GROUP_ROWS = 20_000

_json = msgspec.json.Encoder()


class Format(ABC):
    """Writes one file; each method returns the next bytes of it, which may be none."""

    media_type: ClassVar[str]

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)

    def begin(self) -> bytes:
        """What comes before the first row."""
        return b""

    @abstractmethod
    def records(self, batch: pa.RecordBatch) -> bytes:
        """Some records; with columns given only these fields of them."""

    @abstractmethod
    def rows(self, rows: Sequence[tuple[Any, ...]]) -> bytes:
        """Some rows of a table that has `columns`."""

    def end(self) -> bytes:
        """What comes after the last row."""
        return b""


def open_format(name: str, columns: Sequence[str]) -> Format:
    """The format called ndjson, csv, txt or parquet; no columns: the whole record."""
    return _FORMATS[name](columns)


def size_of(name: str, columns: Sequence[str], sample: pa.RecordBatch, records: int) -> int:
    """About how many bytes ``records`` like those of the sample are as a file; CPU-bound.

    What a record adds is taken from the sample's second half, so that names which are written once
    do not count with each.
    """
    rows: int = sample.num_rows
    half = _written(name, columns, sample.slice(0, rows // 2))
    whole = _written(name, columns, sample)
    if records <= rows:
        return whole * records // max(rows, 1)
    each = (whole - half) / max(rows - rows // 2, 1)
    parts = -(-records // ROW_GROUP_ROWS) if name == "parquet" else 1
    return round(each * records + (whole - each * rows) * parts)


def _written(name: str, columns: Sequence[str], batch: pa.RecordBatch) -> int:
    writer = open_format(name, columns)
    return len(writer.begin()) + len(writer.records(batch)) + len(writer.end())


class Ndjson(Format):
    media_type = "application/x-ndjson"

    def records(self, batch: pa.RecordBatch) -> bytes:
        records = records_of(batch)
        if not self.columns:
            return _json.encode_lines([record_body(record) for record in records])
        values = _field_rows(records, self.columns)
        return _json.encode_lines([dict(zip(self.columns, row, strict=True)) for row in values])

    def rows(self, rows: Sequence[tuple[Any, ...]]) -> bytes:
        return _json.encode_lines([row_answer(self.columns, row) for row in rows])


class Csv(Format):
    media_type = "text/csv; charset=utf-8"

    def begin(self) -> bytes:
        return _csv_lines([self.columns or CSV_COLUMNS])

    def records(self, batch: pa.RecordBatch) -> bytes:
        records = records_of(batch)
        if self.columns:
            return _csv_lines(_field_rows(records, self.columns))
        return _csv_lines([_csv_row(record) for record in records])

    def rows(self, rows: Sequence[tuple[Any, ...]]) -> bytes:
        return _csv_lines(rows)


def _csv_row(record: Record) -> tuple[str, ...]:
    return (
        format_timestamp(record.timestamp_ns),
        record.level,
        record.service,
        record.message,
        record.trace_id,
        record.span_id,
        _json.encode(record.attributes).decode(),
        _json.encode(record.resource).decode(),
    )


def _csv_lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([[_cell(v) for v in row] for row in rows])
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    # NUL is the one character that csv readers refuse.
    text = text.replace("\0", "\\0")
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


class Text(Format):
    """Lines to read: time, level, service and message, or columns with tabs between them.

    A message keeps its line breaks and tabs, columns do not. Other control characters are written
    out, as a terminal would obey them.
    """

    media_type = "text/plain; charset=utf-8"

    def begin(self) -> bytes:
        return _tabbed([self.columns]) if self.columns else b""

    def records(self, batch: pa.RecordBatch) -> bytes:
        records = records_of(batch)
        if self.columns:
            return _tabbed(_field_rows(records, self.columns))
        return "".join(map(_text_line, records)).encode()

    def rows(self, rows: Sequence[tuple[Any, ...]]) -> bytes:
        return _tabbed(rows)


def _text_line(record: Record) -> str:
    time, level = format_timestamp(record.timestamp_ns), record.level.upper() or "-"
    start = f"{time} {level:<5} {record.service or '-'}".translate(_VISIBLE | _BREAKS)
    return f"{start} {record.message.translate(_VISIBLE)}\n"


def _tabbed(rows: Sequence[Sequence[Any]]) -> bytes:
    cells = _VISIBLE | _BREAKS
    lines = ["\t".join("" if v is None else str(v).translate(cells) for v in row) for row in rows]
    return "".join(f"{line}\n" for line in lines).encode()


# A carriage return alone would write over the line's beginning.
_VISIBLE = {
    code: f"\\x{code:02x}"
    for code in (*range(0x20), *range(0x7F, 0xA0))
    if code not in (ord("\n"), ord("\t"))
} | {ord("\r"): "\\r"}
_BREAKS = {ord("\n"): "\\n", ord("\t"): "\\t"}


class Parquet(Format):
    """With no columns asked for, those of the record's Arrow schema; else text columns."""

    media_type = "application/vnd.apache.parquet"

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(columns)
        self._sink = _Drain()
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []

    def records(self, batch: pa.RecordBatch) -> bytes:
        if not self.columns:
            return self._write(complete(batch))
        rows = _field_rows(records_of(batch), self.columns)
        return self._write(_text_batch(self.columns, rows))

    def rows(self, rows: Sequence[tuple[Any, ...]]) -> bytes:
        return self._write(_text_batch(self.columns, rows))

    def end(self) -> bytes:
        if self._writer is None and not self._waiting:
            empty = pa.RecordBatch.from_pylist([], SCHEMA)
            self._waiting.append(_text_batch(self.columns, []) if self.columns else empty)
        self._flush()
        if self._writer is not None:
            self._writer.close()
        return self._sink.take()

    def _write(self, batch: pa.RecordBatch) -> bytes:
        self._waiting.append(batch)
        if sum(each.num_rows for each in self._waiting) >= ROW_GROUP_ROWS:
            self._flush()
        return self._sink.take()

    def _flush(self) -> None:
        if not self._waiting:
            return
        table = pa.Table.from_batches(self._waiting)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._sink, table.schema, compression="zstd")
        self._writer.write_table(table)
        self._waiting = []


class _Drain(io.RawIOBase):
    """A file that only goes forward and forgets what was taken from it."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        """What was written since it was last asked."""
        taken = b"".join(self._parts)
        self._parts = []
        return taken


def _text_batch(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    arrays = [
        pa.array([None if row[i] is None else str(row[i]) for row in rows], pa.string())
        for i in range(len(columns))
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _field_rows(records: Sequence[Record], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    fields = [resolve(name) for name in columns]
    return [tuple(_shown(field, record) for field in fields) for record in records]


def _shown(field: FieldRef, record: Record) -> str | int | None:
    if isinstance(field, Column) and field.kind is Kind.TIMESTAMP:
        return format_timestamp(record.timestamp_ns)
    return field_value(field, record)


_FORMATS: Mapping[str, type[Format]] = {
    "ndjson": Ndjson,
    "csv": Csv,
    "txt": Text,
    "parquet": Parquet,
}
