"""Waiting until an entry is in the store: one question for all who wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict
from collections.abc import Callable

from logstream.broker.base import Position
from logstream.broker.redis.keys import Shard
from logstream.broker.redis.link import Link
from logstream.broker.redis.shard_scripts import STORED
from logstream.errors import BrokerUnavailable

__all__ = ["Stored"]

_POLL_S = 0.02
_REMEMBERED = 65_536
_ASKED_AT_ONCE = 512


class Stored:
    """Of the entries of one producer, which it remembers the ids of."""

    def __init__(self, link: Link, shard: Callable[[], Shard]) -> None:
        self._link = link
        self._shard = shard
        self._ids: OrderedDict[Position, str] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._waiters: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None

    def appended(self, position: Position, id_: str) -> None:
        self._ids[position] = id_
        if len(self._ids) > _REMEMBERED:
            self._ids.popitem(last=False)

    async def wait(self, position: Position, *, timeout_s: float) -> bool:
        """Whether it is stored before the time is over; one that was never appended is not."""
        id_ = self._ids.get(position)
        if id_ is None:
            return False
        if timeout_s <= 0:
            with contextlib.suppress(BrokerUnavailable):
                return await self._ask([id_]) == [1]
            return False
        future = self._waiting.get(id_)
        if future is None:
            future = self._waiting[id_] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._poll())
        self._waiters[id_] += 1
        try:
            done, _ = await asyncio.wait((future,), timeout=timeout_s)
        finally:
            self._left(id_)
        return bool(done) and not future.cancelled()

    def _left(self, id_: str) -> None:
        """One waits no longer; what nobody waits for is not asked about."""
        self._waiters[id_] -= 1
        if not self._waiters[id_]:
            del self._waiters[id_]
            self._waiting.pop(id_, None)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()

    async def _poll(self) -> None:
        try:
            while self._waiting:
                every = list(self._waiting)
                for start in range(0, len(every), _ASKED_AT_ONCE):
                    await self._tell(every[start : start + _ASKED_AT_ONCE])
                await asyncio.sleep(_POLL_S)
        finally:
            self._task = None

    async def _tell(self, ids: list[str]) -> None:
        # While Redis is away nothing is known; those who wait have a time limit.
        with contextlib.suppress(BrokerUnavailable):
            for id_, stored in zip(ids, await self._ask(ids), strict=True):
                if stored and (future := self._waiting.pop(id_, None)) is not None:
                    future.set_result(None)

    async def _ask(self, ids: list[str]) -> list[int]:
        shard = self._shard()
        answer: list[int] = await self._link.call(STORED, (shard.log, shard.meta), ids)
        return answer
