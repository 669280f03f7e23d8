"""The Redis broker: opens the ends and says how full it is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from logstream.broker.base import Broker, BrokerStatus, DeadLetter
from logstream.broker.redis.consumer import RedisConsumer
from logstream.broker.redis.control_scripts import SHARDS, WRITER
from logstream.broker.redis.follower import RedisFollower
from logstream.broker.redis.keys import Control, Shard
from logstream.broker.redis.lease import Lease
from logstream.broker.redis.letters import Letters
from logstream.broker.redis.link import Link
from logstream.broker.redis.persistence import Persistence
from logstream.broker.redis.producer import RedisProducer
from logstream.broker.redis.room import Room
from logstream.broker.redis.shard_scripts import STATUS
from logstream.broker.redis.url import parse
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import BrokerUnavailable, LeaseLost

__all__ = ["RedisBroker"]

_PERSISTENCE_EVERY_S = 10.0
_GIVE_UP_S = 5.0
_SHARDS_PER_MASTER = 2
_JOINS = 4
"""Tries of a consumer to join an epoch that others are ending."""


class RedisBroker(Broker):
    """A broker on one Redis or a Redis Cluster, for many producers and many workers.

    Args:
        url: ``redis://user:password@host:port/0``, ``rediss://…``, ``redis+cluster://host,host``.
        capacity_bytes: What may wait to be stored before producers are refused.
        dedup_window_s: How long a dedup id is remembered.
        dead_letter_bytes: What the dead letters may hold before the oldest go.
        prefix: What the names of all keys begin with: brokers with different ones share a Redis.
        shards: Streams that entries are spread over; 0: one, in a cluster two for each master.
            There are never fewer than there were.
        lease_s: Silence of a worker after which others take over from it.
        timeout_s: How long one call may take.
        give_up_s: How long appends are tried again before they are refused.
        wait_replicas: Replicas that must have an entry before it is acknowledged.
        clock: Dates dedup ids; the system's stands for Redis's own.

    Raises:
        SettingError: the URL cannot be one.
    """

    def __init__(
        self,
        url: str,
        *,
        capacity_bytes: int,
        dedup_window_s: float,
        dead_letter_bytes: int,
        prefix: str = "logstream",
        shards: int = 0,
        lease_s: float = 10.0,
        timeout_s: float = 5.0,
        give_up_s: float = _GIVE_UP_S,
        wait_replicas: int = 0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._link = Link(parse(url), timeout_s=timeout_s, wait_replicas=wait_replicas)
        self._prefix = prefix
        self._control = Control(prefix)
        self._wanted_shards = shards
        self._lease_s = lease_s
        self._give_up_s = give_up_s
        self._dedup_window_s = dedup_window_s
        self._clock = clock
        self._room = Room(self._link, capacity_bytes=capacity_bytes)
        self._letters = Letters(self._link, self._control, capacity_bytes=dead_letter_bytes)
        self._persistence = Persistence(self._link, wait_replicas=wait_replicas)
        self._persistence_at_s: float | None = None
        self._closed = False

    async def producer(self) -> RedisProducer:
        self._check_open()
        shards = await self._shards()
        nth, known = await self._link.call(WRITER, (self._control.meta,), (shards,))
        # Those beyond our own setting may be left over from a larger one.
        own = Shard(self._prefix, nth % shards)
        every = [Shard(self._prefix, number) for number in range(known)]
        await self._room.refresh(every)
        return RedisProducer(self._link, every, own, self._room, give_up_s=self._give_up_s)

    async def consumer(self) -> RedisConsumer:
        for _ in range(_JOINS - 1):
            # A consumer group was lost: with the epoch that comes after it all is well.
            with contextlib.suppress(LeaseLost):
                return await self._joined()
        return await self._joined()

    async def _joined(self) -> RedisConsumer:
        self._check_open()
        lease = Lease(self._link, self._control, lease_s=self._lease_s)
        shards = await lease.join(await self._shards())
        consumer = RedisConsumer(
            self._link,
            self._prefix,
            lease,
            self._letters,
            self._room,
            lease_s=self._lease_s,
            dedup_window_s=self._dedup_window_s,
            clock=self._clock,
        )
        try:
            await consumer.open(shards)
        except BaseException:
            await consumer.close()
            raise
        return consumer

    async def follower(self) -> RedisFollower:
        self._check_open()
        follower = RedisFollower(self._link, self._prefix)
        await follower.open()
        return follower

    async def status(self) -> BrokerStatus:
        self._check_open()
        every = [Shard(self._prefix, n) for n in range(await self._known_shards())]
        letters, *sums = await asyncio.gather(
            self._letters.counts(),
            *(self._link.call(STATUS, (shard.log, shard.meta)) for shard in every),
            *((self._room.refresh(every),) if every else ()),
        )
        sums = [each for each in sums if each is not None]
        await self._refresh_persistence()
        there, dropped = letters
        oldest = [int(each[3]) for each in sums if each[3]]
        return BrokerStatus(
            entries=sum(each[0] for each in sums),
            rows=sum(each[1] for each in sums),
            bytes=sum(each[2] for each in sums),
            capacity_bytes=self._room.capacity_bytes,
            oldest_received_ns=min(oldest, default=None),
            dead_letters=there,
            quarantined=0,
            durability=self._persistence.durability,
            warnings=self._warnings(dropped),
        )

    async def dead_letters(self, *, limit: int) -> list[DeadLetter]:
        self._check_open()
        return await self._letters.newest(limit)

    async def remove_dead_letters(self, ids: Sequence[str]) -> int:
        self._check_open()
        return await self._letters.remove(ids)

    async def close(self) -> None:
        self._closed = True
        await self._link.close()

    def _warnings(self, letters_dropped: int) -> tuple[str, ...]:
        warnings = list(self._persistence.warnings)
        if letters_dropped:
            warnings.append(f"{letters_dropped} dead letters were dropped: raise dead_letter_bytes")
        if self._room.memory_is_short:
            warnings.append(
                f"Redis uses {self._room.used_share:.0%} of its maxmemory: requests are refused"
            )
        return tuple(warnings)

    async def _refresh_persistence(self) -> None:
        now_s = asyncio.get_running_loop().time()
        at_s = self._persistence_at_s
        if at_s is None or now_s - at_s >= _PERSISTENCE_EVERY_S:
            await self._persistence.refresh()
            self._persistence_at_s = now_s

    async def _shards(self) -> int:
        """How many shards new entries are spread over."""
        if self._wanted_shards:
            return self._wanted_shards
        masters = await self._link.masters()
        return 1 if masters == 1 else masters * _SHARDS_PER_MASTER

    async def _known_shards(self) -> int:
        shards: int = await self._link.call(SHARDS, (self._control.meta,))
        return shards

    def _check_open(self) -> None:
        if self._closed:
            raise BrokerUnavailable("this broker is closed")
