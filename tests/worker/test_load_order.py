"""In which order the entries of a group become rows."""

from __future__ import annotations

import itertools

from logstream.broker.base import Entry, Message, Position
from logstream.record import Record, batch_of, encode_batch
from logstream.worker.load import load, rows_of
from tests.worker.pipeline import START_NS


def _entry(sequence: int, at_ns: int, rows: int) -> Entry:
    records = [Record(timestamp_ns=at_ns + i, message=f"{sequence}-{i}") for i in range(rows)]
    payload = encode_batch(batch_of(records))
    message = Message(payload=payload, rows=rows, received_ns=at_ns)
    return Entry(position=Position("w", sequence), message=message)


def _times(entries: list[Entry]) -> list[int]:
    rows = rows_of(load(entries))
    assert rows is not None
    return [each.value for each in rows.column("Timestamp")]


def test_large_entries_follow_each_other_in_time() -> None:
    """Bodies that several connections sent in turns make rows in order, so that the store need
    not sort them."""
    entries = [_entry(n, START_NS + at * 1_000, 200) for n, at in enumerate([3, 0, 2, 1])]
    assert _times(entries) == sorted(_times(entries))


def test_small_entries_stay_as_they_came() -> None:
    """Ordering many tiny entries would cost more than the store's sort of their rows."""
    entries = [_entry(n, START_NS + at, 1) for n, at in enumerate([3, 0, 2])]
    assert _times(entries) == [START_NS + 3, START_NS, START_NS + 2]


def test_equal_entries_make_equal_rows() -> None:
    """A replay, decoded anew, gives every row the place it had; equal times keep their order."""
    entries = [_entry(n, START_NS + at, 200) for n, at in enumerate([5, 0, 5, 0])]
    first, again = rows_of(load(entries)), rows_of(load(entries))
    assert first is not None
    assert first.equals(again)
    heads = [each.as_py() for each in itertools.islice(first.column("Body"), 0, None, 200)]
    assert heads == ["1-0", "3-0", "0-0", "2-0"]
