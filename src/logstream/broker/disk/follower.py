"""The follower: every entry from now on, whatever becomes of it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from logstream.broker.base import Entry, Follower
from logstream.broker.disk.entries import Entries, merge, wait_for
from logstream.broker.disk.files import MarkReader
from logstream.broker.disk.format import Mark
from logstream.broker.disk.recovery import MARK
from logstream.broker.disk.slots import Folder
from logstream.errors import BrokerUnavailable

__all__ = ["DiskFollower"]


class DiskFollower(Follower):
    """Made on ``thread``.

    Raises:
        OSError: the folder cannot be read.
    """

    def __init__(self, folder: Folder, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._closed = False
        self._present = {slot.name for slot in folder.slots()}
        self._entries = Entries(folder, self._start, None)

    @property
    def missed(self) -> int:
        return self._entries.gaps

    async def read(self, *, max_bytes: int, wait_s: float) -> list[Entry]:
        if self._closed:
            raise BrokerUnavailable("this follower is closed")
        if not await wait_for(self._entries, wait_s):
            return []
        loop = asyncio.get_running_loop()
        taken = await loop.run_in_executor(self._thread, self._entries.read, max_bytes)
        return merge(list(taken.values())) if taken else []

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._entries.close)
        self._thread.shutdown()

    def _start(self, slot: Path) -> Mark:
        if slot.name not in self._present:
            return Mark()
        mark = MarkReader(slot / MARK)
        try:
            return mark.read()
        finally:
            mark.close()
