"""Waiting until an entry is in the store: one question for all who wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from logstream.broker.base import Position
from logstream.broker.redis.keys import Shard
from logstream.broker.redis.link import Link
from logstream.broker.redis.shard_scripts import STORED
from logstream.errors import BrokerUnavailable

__all__ = ["Stored"]

_POLL_S = 0.02
_REMEMBERED = 65_536
_ASKED_AT_ONCE = 512
_WAITS, _LOST = 0, -1


class _Wait(msgspec.Struct, eq=False):
    """For one entry: its place and id, what its waiters are told, and how many they are."""

    position: Position
    id: str
    future: asyncio.Future[int]
    waiters: int = 0


class Stored:
    """Of the entries of one producer, which it remembers the ids of."""

    def __init__(self, link: Link, shard: Shard) -> None:
        self._link = link
        self._shard = shard
        self._ids: OrderedDict[Position, str] = OrderedDict()
        self._waiting: dict[Position, _Wait] = {}
        self._task: asyncio.Task[None] | None = None

    def appended(self, position: Position, id_: str) -> None:
        self._ids[position] = id_
        if len(self._ids) > _REMEMBERED:
            self._ids.popitem(last=False)

    async def wait(self, position: Position, *, timeout_s: float) -> bool:
        """Whether it is stored before the time is over; one that was never appended is not.

        Raises:
            BrokerUnavailable: Redis has lost it.
        """
        id_ = self._ids.get(position)
        if id_ is None:
            return False
        wait = self._waiting.get(position)
        if wait is None:
            wait = _Wait(position, id_, asyncio.get_running_loop().create_future())
        answer = _WAITS
        if timeout_s > 0:
            answer = await self._answer(wait, timeout_s)
        else:
            with contextlib.suppress(BrokerUnavailable):
                [answer] = await self._ask([wait])
        if answer == _LOST:
            raise BrokerUnavailable(
                f"{self._link.where} has lost this, by a failover or because its memory was not "
                "on disk",
                hint="raise redis_wait_replicas if that must not happen",
                maybe_kept=True,
            )
        return answer != _WAITS

    async def _answer(self, wait: _Wait, timeout_s: float) -> int:
        self._waiting[wait.position] = wait
        if self._task is None:
            self._task = asyncio.create_task(self._poll())
        wait.waiters += 1
        try:
            done, _ = await asyncio.wait((wait.future,), timeout=timeout_s)
        finally:
            wait.waiters -= 1
            if not wait.waiters:  # what nobody waits for is not asked about
                self._waiting.pop(wait.position, None)
        return wait.future.result() if done and not wait.future.cancelled() else _WAITS

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for wait in self._waiting.values():
            wait.future.cancel()
        self._waiting.clear()

    async def _poll(self) -> None:
        try:
            while self._waiting:
                writers: dict[str, list[_Wait]] = {}
                for wait in self._waiting.values():
                    writers.setdefault(wait.position.writer, []).append(wait)
                for every in writers.values():
                    for start in range(0, len(every), _ASKED_AT_ONCE):
                        await self._tell(every[start : start + _ASKED_AT_ONCE])
                await asyncio.sleep(_POLL_S)
        finally:
            self._task = None

    async def _tell(self, waits: Sequence[_Wait]) -> None:
        # While Redis is away nothing is known; those who wait have a time limit.
        with contextlib.suppress(BrokerUnavailable):
            for wait, answer in zip(waits, await self._ask(waits), strict=True):
                if answer != _WAITS and not wait.future.done():
                    wait.future.set_result(answer)

    async def _ask(self, waits: Sequence[_Wait]) -> list[int]:
        """About entries of one writer."""
        shard, writer = self._shard, waits[0].position.writer
        arguments: list[int | str] = []
        for wait in waits:
            arguments += (wait.position.sequence, wait.id)
        keys = (shard.log, shard.meta, shard.writer(writer))
        answer: list[int] = await self._link.call(STORED, keys, arguments)
        return answer
