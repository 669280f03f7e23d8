"""How full Redis is, as of about a second ago: own bytes by shard, and its memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from logstream.broker.redis.keys import Shard
from logstream.broker.redis.link import Link
from logstream.errors import BrokerFull

__all__ = ["MEMORY_SHARE", "Room"]

MEMORY_SHARE = 0.9
"""Share of ``maxmemory`` from which appends are refused: the rest is for what makes room again."""


class Room:
    """Refreshed by whoever asks about once a second; `check` never waits."""

    def __init__(self, link: Link, *, capacity_bytes: int) -> None:
        self._link = link
        self._capacity_bytes = capacity_bytes
        self._bytes: dict[int, int] = {}
        self.used_share = 0.0
        self.max_memory: int | None = None

    @property
    def capacity_bytes(self) -> int:
        """The high-water mark: the setting, or what Redis's memory allows if that is less."""
        if self.max_memory:
            return min(self._capacity_bytes, int(self.max_memory * MEMORY_SHARE))
        return self._capacity_bytes

    @property
    def memory_is_short(self) -> bool:
        return self.used_share >= MEMORY_SHARE

    async def refresh(self, shards: Sequence[Shard]) -> None:
        """Ask Redis.

        Raises:
            BrokerUnavailable: it does not answer.
        """
        memory, *sizes = await asyncio.gather(
            self._link.on_masters("INFO", "memory"),
            *(self._link.command("HGET", shard.meta, "bytes") for shard in shards),
        )
        limits = [_memory(info) for info in memory]
        bounded = [(used, limit) for used, limit in limits if limit]
        self.used_share = max((used / limit for used, limit in bounded), default=0.0)
        self.max_memory = sum(limit for _, limit in bounded) if bounded else None
        self._bytes = {
            shard.number: int(size or 0) for shard, size in zip(shards, sizes, strict=True)
        }

    def note(self, shard: int, size: int) -> None:
        """A shard said how many bytes wait on it."""
        self._bytes[shard] = size

    def capacity_of(self, shard: int) -> int:
        """What may wait on this shard, given what waits on the others."""
        others = sum(size for number, size in self._bytes.items() if number != shard)
        return max(0, self.capacity_bytes - others)

    def check(self) -> None:
        """Refuse from the high-water mark on.

        Raises:
            BrokerFull: there is no room.
        """
        self.check_memory()
        if sum(self._bytes.values()) >= self.capacity_bytes:
            raise self.refusal()

    def check_memory(self) -> None:
        if self.memory_is_short:
            raise BrokerFull(
                f"the broker is full: Redis uses {self.used_share:.0%} of its maxmemory",
                hint="see whether the worker and the store are up, raise maxmemory, or lower "
                "broker_capacity",
            )

    def refusal(self) -> BrokerFull:
        return BrokerFull(
            f"the broker is full: {sum(self._bytes.values())} bytes wait to be stored, "
            f"{self.capacity_bytes} may",
            hint="see whether the worker and the store are up, or raise broker_capacity",
        )


def _memory(info: object) -> tuple[int, int]:
    """(used, limit or 0), from what the driver made of INFO or did not."""
    if isinstance(info, bytes):
        lines = (line.partition(":") for line in info.decode().splitlines())
        info = {name: value for name, _, value in lines}
    if not isinstance(info, dict):
        return 0, 0
    return int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
