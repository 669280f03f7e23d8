"""One shard as one worker sees it: reading, taking over, acknowledging, trimming."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from logstream.broker.redis.entries import Item, Key, Run, id_key, item_of
from logstream.broker.redis.keys import Shard
from logstream.broker.redis.link import Link, NoGroup
from logstream.broker.redis.script import Script
from logstream.broker.redis.worker_scripts import (
    ACK,
    CLAIM,
    CONSUMERS,
    DROP_CONSUMERS,
    FETCH,
    OPEN,
    PENDING,
    READ,
    TIDY,
)
from logstream.errors import CorruptData

__all__ = ["Intervals", "ShardReader"]

_log = logging.getLogger(__name__)

_CALL_BYTES = 512 << 10
"""Payload that one call moves: while it runs, Redis answers nobody else."""
_PAGE = 1_000
_ACKS_PER_CALL = 1_000
_FIRST_ID = (0, 0)


class Intervals:
    """Ids of one shard that belong to plans; runs of different plans never overlap."""

    def __init__(self, runs: Iterable[tuple[Run, int]]) -> None:
        self._known = sorted((id_key(run.first), id_key(run.last), group) for run, group in runs)

    def group_of(self, id_: str) -> int | None:
        """The group of which an entry is part."""
        if not self._known:
            return None
        key = id_key(id_)
        at = bisect_right(self._known, key, key=_first) - 1
        if at < 0:
            return None
        _, last, group = self._known[at]
        return group if key <= last else None


def _first(known: tuple[Key, Key, int]) -> Key:
    return known[0]


class ShardReader:
    """
    Attributes:
        lock: Held while entries change hands here.
        doubtful: A call got no answer that may have handed entries to us.
        foreign: Entries that LogStream did not write.
        upto: All entries up to this id were acknowledged, when last heard.
    """

    def __init__(self, link: Link, shard: Shard, *, group: str, worker: str) -> None:
        self._link = link
        self._shard = shard
        self._group = group
        self._worker = worker
        self._batch = 0
        self.number = shard.number
        self.lock = asyncio.Lock()
        self.doubtful = False
        self.foreign = 0
        self.upto: Key = _FIRST_ID

    async def open(self) -> bool:
        """Make the consumer group if need be; false if a later epoch has one.

        Raises:
            NoGroup: it was lost; whoever read from it may hold entries yet.
        """
        shard = self._shard
        answer: int = await self._link.call(OPEN, (shard.log, shard.meta), (self._group,))
        if answer < 0:
            raise NoGroup(f"the consumer group of shard {self.number} was lost")
        return bool(answer)

    async def read(self, max_bytes: int) -> tuple[list[Item], bool]:
        """The next entries, and whether there may be more."""
        limit = min(max_bytes, _CALL_BYTES)
        items = await self._handed(READ, (self._group, self._worker, limit))
        return items, sum(len(item.entry.message.payload) for item in items) >= limit

    async def claim(self, owner: str, ids: Sequence[str], max_bytes: int) -> list[Item]:
        """Take those over that ``owner`` still holds, up to about ``max_bytes``."""
        arguments: list[str | int] = [self._group, owner, self._worker, max_bytes, *ids]
        return await self._handed(CLAIM, arguments, alone=True)

    async def pending(self, owner: str) -> list[str]:
        """Ids of all that ``owner`` holds."""
        found: list[str] = []
        start = "-"
        while True:
            arguments = (self._group, owner, start, _PAGE)
            page = await self._link.call(PENDING, (self._shard.log,), arguments)
            found += [id_.decode() for id_ in page]
            if len(page) < _PAGE:
                return found
            start = f"({found[-1]}"

    async def consumers(self) -> list[str]:
        names = await self._link.call(CONSUMERS, (self._shard.log,), (self._group,))
        return [name.decode() for name in names]

    async def drop_consumers(self, names: Sequence[str]) -> None:
        await self._link.call(DROP_CONSUMERS, (self._shard.log,), (self._group, *names))

    async def fetch(self, run: Run) -> list[Item]:
        """The entries of a run that are still there."""
        arguments = (run.first, run.last, run.count)
        raw = await self._link.call(FETCH, (self._shard.log,), arguments)
        return await self._items(raw)

    async def ack(self, items: Sequence[Item]) -> None:
        shard = self._shard
        keys = (shard.log, shard.meta, shard.tail)
        for first in range(0, len(items), _ACKS_PER_CALL):
            arguments: list[str | int] = [self._group]
            for item in items[first : first + _ACKS_PER_CALL]:
                arguments += (item.id, item.entry.message.rows, item.bytes)
            await self._link.call(ACK, keys, arguments)

    async def forget(self, items: Sequence[Item]) -> None:
        """Acknowledge what was acknowledged, and counted, in a former epoch."""
        for first in range(0, len(items), _ACKS_PER_CALL):
            ids = [item.id for item in items[first : first + _ACKS_PER_CALL]]
            await self._link.command("XACK", self._shard.log, self._group, *ids)

    async def tidy(self, *, tail_s: int, tail_bytes: int) -> None:
        """Trim what is acknowledged, leaving a little for followers."""
        shard = self._shard
        keys = (shard.log, shard.meta, shard.tail)
        done = await self._link.call(TIDY, keys, (self._group, tail_s, tail_bytes))
        self.upto = id_key(done.decode())

    async def _handed(
        self, script: Script, arguments: Sequence[str | int], *, alone: bool = False
    ) -> list[Item]:
        doubtful, self.doubtful = self.doubtful, True
        raw = await self._link.call(script, (self._shard.log,), arguments)
        items = await self._items(raw, alone=alone)
        self.doubtful = doubtful
        return items

    async def _items(self, raw: Sequence[Sequence[Any]], *, alone: bool = False) -> list[Item]:
        self._batch += 1
        items = []
        for each in raw:
            try:
                items.append(item_of(each, shard=self.number, batch=self._batch))
            except CorruptData as exc:
                _log.error("left out: %s", exc)
                await self._link.command("XACK", self._shard.log, self._group, each[0])
                self.foreign += 1
                self._batch += 1
            if alone:
                self._batch += 1
        return items

    def next_batch(self) -> int:
        """A batch of its own for an item that lost its neighbour."""
        self._batch += 1
        return self._batch
