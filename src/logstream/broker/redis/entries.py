"""Entries as Redis answers them, and plans of groups: which entries, in which order."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from logstream.broker.base import Entry, Message, Position
from logstream.broker.redis.shard_scripts import ENTRY_BYTES
from logstream.errors import CorruptData

__all__ = ["Item", "Key", "Plan", "Run", "id_key", "item_of", "parse_plan", "runs_of", "take"]

Key = tuple[int, int]
"""An entry's id as numbers, which sort as Redis sorts it."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """One entry in a worker's hands. Items with the same shard and ``batch``, one after the
    other, stand side by side in the stream, with nothing of anybody else's between."""

    shard: int
    id: str
    batch: int
    entry: Entry

    @property
    def bytes(self) -> int:
        return len(self.entry.message.payload) + ENTRY_BYTES


class Run(msgspec.Struct, frozen=True, array_like=True):
    """``count`` entries of one shard, from ``first`` to ``last``, and none between missing."""

    shard: int
    first: str
    last: str
    count: int


class Plan(msgspec.Struct, frozen=True):
    """What a fixed group consists of: its runs in reading order, and what was left out of it,
    as ``shard/id``."""

    epoch: str
    runs: list[Run]
    dropped: frozenset[str] = frozenset()
    owner: str = ""

    def encode(self) -> bytes:
        """What `parse_plan` reads, but for owner and dropped, which the script puts before it."""
        return msgspec.json.encode({"epoch": self.epoch, "runs": self.runs})


class _Stored(msgspec.Struct):
    epoch: str
    runs: list[Run]


def parse_plan(blob: bytes) -> Plan:
    """Read ``owner|dropped|JSON``."""
    owner, dropped, body = blob.split(b"|", 2)
    stored = msgspec.json.decode(body, type=_Stored)
    left_out = frozenset(dropped.decode().split(",")) if dropped else frozenset()
    return Plan(stored.epoch, stored.runs, left_out, owner.decode())


def id_key(text: str) -> Key:
    first, _, second = text.partition("-")
    return int(first), int(second)


def item_of(raw: Sequence[Any], *, shard: int, batch: int) -> Item:
    """An entry as a script answers it: its id and its fields.

    Raises:
        CorruptData: it is none of ours.
    """
    id_, fields = raw
    try:
        _, payload, _, writer, _, sequence, _, rows, _, received_ns, _, dedup_id = fields
        message = Message(
            payload=payload, rows=int(rows), received_ns=int(received_ns), dedup_id=dedup_id
        )
        position = Position(writer.decode(), int(sequence))
    except ValueError as exc:
        raise CorruptData(f"entry {id_!r} of shard {shard} was not written by LogStream") from exc
    return Item(shard, id_.decode(), batch, Entry(position=position, message=message))


def runs_of(items: Iterable[Item]) -> list[Run]:
    """Items as runs, in their order."""
    runs = []
    for (shard, _), group in itertools.groupby(items, key=lambda item: (item.shard, item.batch)):
        members = list(group)
        runs.append(Run(shard, members[0].id, members[-1].id, len(members)))
    return runs


def take(items: Sequence[Item], max_bytes: int) -> int:
    """How many of the first items make up at most ``max_bytes`` of payload; at least one."""
    count = 0
    for item in items:
        max_bytes -= len(item.entry.message.payload)
        if count and max_bytes < 0:
            break
        count += 1
    return count
