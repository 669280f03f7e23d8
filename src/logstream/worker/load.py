"""From the broker's entries to one batch: decoding and putting together, off the event loop."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pyarrow as pa

from logstream.broker.base import Entry
from logstream.errors import CorruptData
from logstream.record import concat, decode_batch, decode_batches
from logstream.worker.coalesce import Size

__all__ = ["Corrupt", "Loaded", "load", "rows_of"]

_SORTED_FROM_ROWS = 100
"""Mean rows of an entry from which on ordering entries is cheaper than ordering their rows."""


class Corrupt(msgspec.Struct, frozen=True):
    """Why an entry's payload is no batch of records."""

    reason: str


class Loaded(msgspec.Struct, frozen=True):
    """An entry with its rows, or why it has none."""

    entry: Entry
    content: pa.RecordBatch | Corrupt
    size: Size


def load(entries: Sequence[Entry]) -> list[Loaded]:
    """Decode entries, in order. CPU-bound: call it in a thread."""
    payloads = [entry.message.payload for entry in entries]
    contents: list[pa.RecordBatch | Corrupt]
    try:
        contents = [*decode_batches(payloads)]
    except CorruptData:
        # Which of them it is, only one by one can tell.
        contents = [_one(payload) for payload in payloads]
    return [
        Loaded(entry, content, _size(content, entry.message.payload))
        for entry, content in zip(entries, contents, strict=True)
    ]


def rows_of(loaded: Sequence[Loaded]) -> pa.RecordBatch | None:
    """All rows as one batch, or ``None`` if there are none. CPU-bound.

    Entries follow each other by the time of their first record, those of equal times as they were
    given: the same entries always make the same rows.
    """
    batches = [
        each.content
        for each in loaded
        if not isinstance(each.content, Corrupt) and each.content.num_rows
    ]
    return concat(_by_time(batches)) if batches else None


def _by_time(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    # Connections take turns, so large entries arrive a little out of order, each in order in
    # itself. Put right here by moving a pointer each, the store need not sort every row.
    if sum(batch.num_rows for batch in batches) < _SORTED_FROM_ROWS * len(batches):
        return batches
    return sorted(batches, key=lambda batch: batch.column("Timestamp")[0].value)


def _one(payload: bytes) -> pa.RecordBatch | Corrupt:
    try:
        return decode_batch(payload)
    except CorruptData as exc:
        return Corrupt(exc.message)


def _size(content: pa.RecordBatch | Corrupt, payload: bytes) -> Size:
    if isinstance(content, Corrupt):
        return Size(0, len(payload))
    return Size(content.num_rows, content.get_total_buffer_size())
