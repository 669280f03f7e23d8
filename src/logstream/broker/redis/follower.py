"""The follower: asks every shard for what is new, and knows from counts what it missed."""

from __future__ import annotations

import asyncio
from collections import deque

from logstream.broker.base import Entry, Follower
from logstream.broker.redis.control_scripts import SHARDS
from logstream.broker.redis.entries import Item, item_of, take
from logstream.broker.redis.keys import Control, Shard
from logstream.broker.redis.link import Link
from logstream.broker.redis.shard_scripts import FOLLOW, LAST
from logstream.errors import BrokerUnavailable, CorruptData

__all__ = ["RedisFollower"]

_CALL_BYTES = 512 << 10
_FIRST_PAUSE_S, _MAX_PAUSE_S = 0.01, 0.05
_SHARDS_EVERY_S = 1.0


class _Followed:
    """One shard: the last entry seen, and the how-manyth of the shard it was."""

    def __init__(self, shard: Shard, last: str, count: int) -> None:
        self.shard = shard
        self.last = last
        self.count = count


class RedisFollower(Follower):
    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self._prefix = prefix
        self._control = Control(prefix)
        self._followed: list[_Followed] = []
        self._buffer: deque[Item] = deque()
        self._missed = 0
        self._looked_s = 0.0
        self._closed = False

    async def open(self) -> None:
        """Take note of where the shards are."""
        for number in range(await self._shards()):
            shard = Shard(self._prefix, number)
            last, count = await self._link.call(LAST, (shard.log, shard.meta))
            self._followed.append(_Followed(shard, last.decode(), count))

    @property
    def missed(self) -> int:
        return self._missed

    async def read(self, *, max_bytes: int, wait_s: float) -> list[Entry]:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + wait_s
        pause_s = _FIRST_PAUSE_S
        while True:
            if self._closed:
                raise BrokerUnavailable("this follower is closed")
            if not self._buffer:
                await self._fill(min(max_bytes, _CALL_BYTES))
            if self._buffer:
                count = take(self._buffer, max_bytes)
                return [self._buffer.popleft().entry for _ in range(count)]
            left_s = deadline_s - loop.time()
            if left_s <= 0:
                return []
            await asyncio.sleep(min(left_s, pause_s))
            pause_s = min(pause_s * 2, _MAX_PAUSE_S)

    async def close(self) -> None:
        self._closed = True

    async def _fill(self, max_bytes: int) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._looked_s >= _SHARDS_EVERY_S:
            # All of a shard that appears later is new.
            for number in range(len(self._followed), await self._shards()):
                self._followed.append(_Followed(Shard(self._prefix, number), "0-0", 0))
            self._looked_s = now_s
        outcomes = await asyncio.gather(
            *(self._follow(each, max_bytes) for each in self._followed), return_exceptions=True
        )
        failures = [each for each in outcomes if each is not None]
        if failures and (not self._buffer or not isinstance(failures[0], BrokerUnavailable)):
            raise failures[0]

    async def _follow(self, followed: _Followed, max_bytes: int) -> None:
        shard = followed.shard
        added, trimmed, raw = await self._link.call(
            FOLLOW, (shard.log, shard.meta), (followed.last, max_bytes)
        )
        if added < followed.count:
            # Redis lost what we saw, and counts anew.
            followed.last, followed.count = "0-0", 0
            return
        if trimmed > followed.count:
            self._missed += trimmed - followed.count
            followed.count = trimmed
        for each in raw:
            followed.last = each[0].decode()
            followed.count += 1
            try:
                self._buffer.append(item_of(each, shard=shard.number, batch=0))
            except CorruptData:
                self._missed += 1

    async def _shards(self) -> int:
        shards: int = await self._link.call(SHARDS, (self._control.meta,))
        return shards
