"""Waiting for entries to reach the store, by watching what the consumer publishes."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from pathlib import Path

from logstream.broker.base import Position
from logstream.broker.disk.files import MarkReader
from logstream.broker.disk.recovery import ACKED

__all__ = ["StoredWaiter"]

_LOOK_S = 0.02


class StoredWaiter:
    """One task looks at the marks, and only while somebody waits."""

    def __init__(self, writers: Path) -> None:
        self._writers = writers
        self._marks: dict[str, MarkReader] = {}
        self._waiting: dict[str, list[tuple[int, int, asyncio.Future[bool]]]] = {}
        self._tickets = itertools.count()
        self._looker: asyncio.Task[None] | None = None

    async def wait(self, position: Position, *, timeout_s: float) -> bool:
        if self._acked(position.writer) > position.sequence:
            return True
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(position.writer, [])
        heapq.heappush(waiting, (position.sequence, next(self._tickets), future))
        if self._looker is None:
            self._looker = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            return False

    async def close(self) -> None:
        """Those who still wait are told that it is not stored yet."""
        if self._looker is not None:
            self._looker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looker
        for waiting in self._waiting.values():
            for _, _, future in waiting:
                if not future.done():
                    future.set_result(False)
        self._waiting.clear()
        for mark in self._marks.values():
            mark.close()
        self._marks.clear()

    async def _look(self) -> None:
        try:
            while self._waiting:
                for writer in list(self._waiting):
                    self._answer(writer)
                await asyncio.sleep(_LOOK_S)
        finally:
            self._looker = None

    def _answer(self, writer: str) -> None:
        waiting = self._waiting[writer]
        acked = self._acked(writer)
        # A future that is done belongs to one who gave up; it goes when it comes to the top.
        while waiting and (waiting[0][0] < acked or waiting[0][2].done()):
            _, _, future = heapq.heappop(waiting)
            if not future.done():
                future.set_result(True)
        if not waiting:
            del self._waiting[writer]

    def _acked(self, writer: str) -> int:
        if writer not in self._marks:
            self._marks[writer] = MarkReader(self._writers / writer / ACKED)
        return self._marks[writer].read().sequence
