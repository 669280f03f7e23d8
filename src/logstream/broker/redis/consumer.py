"""A worker's end: reads, fixes groups, acknowledges them, takes over from workers that died."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Sequence

from logstream.broker.base import Consumer, DeadLetter, Entry, Group
from logstream.broker.redis.control_scripts import DONE, FIX
from logstream.broker.redis.entries import Item, Plan, parse_plan, runs_of, take
from logstream.broker.redis.keys import Control, Shard
from logstream.broker.redis.lease import Lease
from logstream.broker.redis.letters import Letters
from logstream.broker.redis.link import Link, NoGroup
from logstream.broker.redis.reader import ShardReader
from logstream.broker.redis.room import Room
from logstream.broker.redis.sweep import Sweep
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import BrokerUnavailable, LeaseLost

__all__ = ["RedisConsumer"]

_log = logging.getLogger(__name__)

_FIRST_PAUSE_S, _MAX_PAUSE_S = 0.01, 0.05
_TICK_S = 1.0
_NS_PER_MS = 1_000_000


class RedisConsumer(Consumer):
    """
    Args:
        lease_s: Silence after which others take over.
        dedup_window_s: How long a dedup id is remembered.
        clock: Dates dedup ids; the system's stands for Redis's own.
    """

    def __init__(
        self,
        link: Link,
        prefix: str,
        lease: Lease,
        letters: Letters,
        room: Room,
        *,
        lease_s: float,
        dedup_window_s: float,
        clock: Clock,
    ) -> None:
        self._link = link
        self._prefix = prefix
        self._control = Control(prefix)
        self._lease = lease
        self._letters = letters
        self._window_ms = int(dedup_window_s * 1000)
        self._clock = clock
        self._tick_s = min(_TICK_S, lease_s / 4)
        self._readers: list[ShardReader] = []
        self._buffer: deque[Item] = deque()
        self._unfixed: list[Item] = []
        self._fixing = ""
        self._last_number = 0
        self._groups: dict[int, list[Item]] = {}
        self._adopted: dict[int, Group] = {}
        self._found: tuple[int, Plan] | None = None
        self._failure: BaseException | None = None
        self._closed = False
        self._sweep = Sweep(
            link,
            self._control,
            lease,
            room,
            lease_s=lease_s,
            holds=self._holds,
            keep=self._buffer.extend,
            groups=self._own_groups,
        )
        self._keeper: asyncio.Task[None] | None = None

    async def open(self, shards: int) -> None:
        """Begin: what dead workers left is taken over at the first `read` or `unfinished`."""
        await self._add_readers(shards)
        await self._sweep.learn_old_plans()
        self._keeper = asyncio.create_task(self._keep())

    async def unfinished(self) -> Group | None:
        self._check()
        if not self._adopted:
            if self._found is None:
                await self._look_around()
            if self._found is not None:
                number, plan = self._found
                items = await self._fetched(number, plan)
                self._groups[number] = items
                self._adopted[number] = _group(number, plan, items, replayed=True)
                self._found = None
        return next(iter(self._adopted.values()), None)

    def has_unfinished(self) -> bool:
        return bool(self._adopted) or self._found is not None

    async def read(self, *, max_bytes: int, wait_s: float) -> list[Entry]:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + wait_s
        pause_s = _FIRST_PAUSE_S
        while True:
            self._check()
            if sum(len(i.entry.message.payload) for i in self._buffer) < max_bytes:
                await self._fill(max_bytes)
            if self._buffer:
                return self._taken(max_bytes)
            left_s = deadline_s - loop.time()
            if left_s <= 0:
                return []
            await asyncio.sleep(min(left_s, pause_s))
            pause_s = min(pause_s * 2, _MAX_PAUSE_S)

    async def fix(self, entries: Sequence[Entry]) -> Group:
        self._check()
        if not entries:
            raise ValueError("no entries to fix")
        if [e.position for e in entries] != [i.entry.position for i in self._unfixed]:
            raise ValueError("not the entries that were read and not yet fixed, in that order")
        items = self._unfixed
        async with self._lease.lock:
            number, blob = await self._fixed(items)
            plan = parse_plan(blob)
            self._fixing = ""
            self._last_number = number
            self._unfixed = []
            self._groups[number] = items
        return _group(number, plan, items, replayed=False)

    async def ack(self, group: Group) -> None:
        self._check()
        control = self._control
        keys = (control.meta, control.workers, control.groups, control.done)
        answer = await self._link.call(DONE, keys, (self._lease.worker, group.number))
        if answer == b"lost":
            raise self._lease.lose(f"group {group.number} was taken over by another worker")
        if answer == b"never" and group.number in self._groups:
            raise self._lease.lose(f"Redis has forgotten group {group.number}, as after a failover")
        if answer == b"never":
            raise ValueError(f"group {group.number} was never fixed")
        items = self._groups.get(group.number, [])
        try:
            await asyncio.gather(*(self._acked(reader, items) for reader in self._readers))
        except NoGroup:
            # The group is noted as done all the same; what follows from it comes at once.
            await self._lease.bump()
        self._groups.pop(group.number, None)
        self._adopted.pop(group.number, None)

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        self._check_open()
        await self._letters.add(letters)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        try:
            await self._lease.close()
        except BrokerUnavailable as exc:
            _log.warning("others take over only when the lease runs out: %s", exc)

    def _check_open(self) -> None:
        if self._closed:
            raise BrokerUnavailable("this consumer is closed")

    def _check(self) -> None:
        self._check_open()
        if self._failure is not None:
            raise self._failure
        self._lease.check()

    def _holds(self, shard: int) -> set[str]:
        """Ids of the shard's entries that are in our hands."""
        hands = (self._buffer, self._unfixed, *self._groups.values())
        return {item.id for items in hands for item in items if item.shard == shard}

    def _taken(self, max_bytes: int) -> list[Entry]:
        count = take(self._buffer, max_bytes)
        items = [self._buffer.popleft() for _ in range(count)]
        self._unfixed += items
        return [item.entry for item in items]

    async def _fill(self, max_bytes: int) -> None:
        outcomes = await asyncio.gather(
            *(self._fill_from(reader, max_bytes) for reader in self._readers),
            return_exceptions=True,
        )
        failures = [each for each in outcomes if each is not None]
        for failure in failures:
            if isinstance(failure, NoGroup):
                raise await self._lease.bump() from failure
            if not isinstance(failure, BrokerUnavailable):
                raise failure
        # A shard that is away must not keep the others' entries from being read.
        if failures and not self._buffer:
            raise failures[0]

    async def _fill_from(self, reader: ShardReader, max_bytes: int) -> None:
        async with reader.lock:
            if reader.doubtful:
                await self._sweep.recover(reader)
            more, size = not reader.doubtful, 0
            while more and size < max_bytes:
                items, more = await reader.read(max_bytes - size)
                reader.doubtful = True
                self._buffer.extend(await self._sweep.without_old(reader, items))
                reader.doubtful = False
                size += sum(len(item.entry.message.payload) for item in items)

    async def _fixed(self, items: list[Item]) -> tuple[int, bytes]:
        control = self._control
        # Kept until it succeeded: should only the answer be lost, the next try gets it.
        self._fixing = self._fixing or secrets.token_hex(8)
        now_ms = "" if self._clock is SYSTEM_CLOCK else str(self._clock.time_ns() // _NS_PER_MS)
        arguments: list[str | int | bytes] = [
            self._lease.worker, self._fixing, now_ms, self._window_ms, self._last_number + 1,
            Plan(self._lease.epoch, runs_of(items)).encode(),
        ]  # fmt: skip
        for item in items:
            if item.entry.message.dedup_id:
                arguments += (item.entry.message.dedup_id, f"{item.shard}/{item.id}")
        keys = (control.meta, control.workers, control.groups, control.seen, control.last_fix)
        # With its replicas, if so many are asked for: what is stored under a number that a failover
        # takes back would be stored again under another.
        answer = await self._link.write(FIX, keys, arguments)
        if not answer:
            raise self._lease.lose(f"worker {self._lease.worker} was silent too long")
        return int(answer[0]), answer[1]

    async def _fetched(self, number: int, plan: Plan) -> list[Item]:
        items: list[Item] = []
        for run in plan.runs:
            await self._add_readers(run.shard + 1)
            found = await self._readers[run.shard].fetch(run)
            if len(found) < run.count:
                _log.error(
                    "Redis lost %d of %d entries of group %d, shard %d",
                    run.count - len(found), run.count, number, run.shard,
                )  # fmt: skip
            items += found
        return items

    async def _acked(self, reader: ShardReader, items: Sequence[Item]) -> None:
        own = [item for item in items if item.shard == reader.number]
        if own:
            await reader.ack(own)
            await self._sweep.tidy(reader)

    async def _add_readers(self, shards: int) -> None:
        for number in range(len(self._readers), shards):
            reader = ShardReader(
                self._link,
                Shard(self._prefix, number),
                group=f"workers-{self._lease.epoch}",
                worker=self._lease.worker,
            )
            try:
                is_ours = await reader.open()
            except NoGroup as exc:
                raise await self._lease.bump() from exc
            if not is_ours:
                raise self._lease.lose("another worker found a consumer group lost")
            self._readers.append(reader)

    def _own_groups(self) -> list[int] | None:
        if self._fixing or self._found is not None or self._adopted:
            return None
        return list(self._groups)

    async def _look_around(self) -> None:
        try:
            number, plan = await self._sweep.run(self._readers)
        except NoGroup as exc:
            raise await self._lease.bump() from exc
        if plan is not None:
            _log.warning("taking over group %d of a worker that is gone", number)
            self._found = number, plan

    async def _keep(self) -> None:
        """Renew the lease and look around, until closed or the lease is lost."""
        while True:
            await asyncio.sleep(self._tick_s)
            try:
                await self._add_readers(await self._lease.renew())
                await self._look_around()
            except LeaseLost:
                return
            except BrokerUnavailable:
                # Whoever calls next is told; others too had no chance to renew their leases.
                self._sweep.contact_lost()
            except Exception as exc:
                self._failure = exc
                raise


def _group(number: int, plan: Plan, items: Sequence[Item], *, replayed: bool) -> Group:
    kept = [i.entry for i in items if f"{i.shard}/{i.id}" not in plan.dropped]
    return Group(
        number=number, entries=tuple(kept), duplicates=len(plan.dropped), replayed=replayed
    )
