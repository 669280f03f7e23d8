"""The newest entries, numbered in the order in which the hub saw them."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from itertools import accumulate

import msgspec
import pyarrow as pa

from logstream.broker.base import Entry
from logstream.errors import CorruptData
from logstream.record import concat, decode_batch, decode_batches

__all__ = ["Block", "Item", "Ring", "block_of"]


class Item(msgspec.Struct, frozen=True):
    """An entry and its number: from 0, without gaps but where `Ring.forget` left one."""

    number: int
    entry: Entry


class Ring:
    """Bounded by bytes of payload; of what falls out, only how far it went is kept in ``gone``:
    writer → the last sequence that is here no more."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._items: deque[Item] = deque()
        self._next = 0
        self.gone: dict[str, int] = {}

    @property
    def end(self) -> int:
        """The number that the next item gets."""
        return self._next

    @property
    def start(self) -> int:
        """The number of the oldest item there is; `end` when there is none."""
        return self._items[0].number if self._items else self._next

    def push(self, entry: Entry) -> Item:
        item = Item(self._next, entry)
        self._next += 1
        self._items.append(item)
        self._bytes += len(entry.message.payload)
        while self._bytes > self._max_bytes and len(self._items) > 1:
            gone = self._items.popleft().entry
            self._bytes -= len(gone.message.payload)
            self.gone[gone.position.writer] = gone.position.sequence
        return item

    def forget(self) -> None:
        """Let go of everything, and leave a number out: no place from before is one any more."""
        for item in self._items:
            self.gone[item.entry.position.writer] = item.entry.position.sequence
        self._items.clear()
        self._bytes = 0
        self._next += 1

    def items(self) -> list[Item]:
        """Everything there is, oldest first."""
        return list(self._items)


class Block(msgspec.Struct, frozen=True):
    """The rows of several items as one batch: filtering one large batch costs far less than many
    small ones. ``starts``: the row at which each item begins."""

    items: list[Item]
    starts: list[int]
    rows: pa.RecordBatch

    def origin(self, row: int) -> tuple[Item, int]:
        """The item that a row came from, and its row number there."""
        index = bisect_right(self.starts, row) - 1
        return self.items[index], row - self.starts[index]


def block_of(items: Sequence[Item]) -> Block | None:
    """The items' rows; ``None`` if there are none. CPU-bound.

    Items that are no batch are left out: the worker dead-letters them.
    """
    decoded = [(item, batch) for item, batch in _decode(items) if batch.num_rows]
    if not decoded:
        return None
    sizes = [batch.num_rows for _, batch in decoded]
    starts = [0, *accumulate(sizes[:-1])]
    return Block([item for item, _ in decoded], starts, concat(batch for _, batch in decoded))


def _decode(items: Sequence[Item]) -> list[tuple[Item, pa.RecordBatch]]:
    try:
        batches = decode_batches([item.entry.message.payload for item in items])
    except CorruptData:
        return [(item, batch) for item in items if (batch := _decoded(item)) is not None]
    return list(zip(items, batches, strict=True))


def _decoded(item: Item) -> pa.RecordBatch | None:
    try:
        return decode_batch(item.entry.message.payload)
    except CorruptData:
        return None
