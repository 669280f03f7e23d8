"""A broker in the memory of one process: for tests, for trying things, and as the reference.

It keeps every law of the contract but durability: what was acknowledged is gone with the process.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from logstream.broker.base import (
    Broker,
    BrokerStatus,
    Consumer,
    DeadLetter,
    Entry,
    Follower,
    Group,
    Message,
    Position,
    Producer,
)
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import BrokerFull, BrokerUnavailable

__all__ = ["MemoryBroker"]

_FOLLOWER_BYTES = 64 << 20


class MemoryBroker(Broker):
    """Bounded by ``capacity_bytes`` of payload; the arguments are those of `open_broker`."""

    def __init__(
        self,
        *,
        capacity_bytes: int,
        dedup_window_s: float,
        dead_letter_bytes: int,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.clock = clock
        self.changed = asyncio.Condition()
        self.waiting: deque[Entry] = deque()  # not acknowledged, in order of arrival
        self.fixed: dict[int, tuple[Group, int]] = {}  # number → group, entries it took
        self.acked_early: set[int] = set()  # acknowledged before a group that stands before them
        self.followers: set[_MemoryFollower] = set()
        self.stored: dict[str, int] = {}
        self.consumer_open = False
        self._capacity_bytes = capacity_bytes
        self._dedup_window_s = dedup_window_s
        self._dead_letter_bytes = dead_letter_bytes
        self._bytes = 0
        self._writers = itertools.count()
        self._next_number = max(clock.time_ns() // 1_000_000, 1)
        self._seen: dict[bytes, float] = {}
        self._letters: deque[DeadLetter] = deque()
        self._letter_ids = itertools.count(1)
        self._letters_dropped = 0

    async def producer(self) -> Producer:
        return _MemoryProducer(self, f"{next(self._writers):04d}")

    async def consumer(self) -> Consumer:
        if self.consumer_open:
            raise BrokerUnavailable("this process is the consumer of this broker already")
        self.consumer_open = True
        return _MemoryConsumer(self)

    async def follower(self) -> Follower:
        follower = _MemoryFollower(self)
        self.followers.add(follower)
        return follower

    async def status(self) -> BrokerStatus:
        warnings: tuple[str, ...] = ()
        if self._letters_dropped:
            warnings = (f"{self._letters_dropped} dead letters dropped: raise dead_letter_bytes",)
        return BrokerStatus(
            entries=len(self.waiting),
            rows=sum(entry.message.rows for entry in self.waiting),
            bytes=self._bytes,
            capacity_bytes=self._capacity_bytes,
            oldest_received_ns=min(
                (entry.message.received_ns for entry in self.waiting), default=None
            ),
            dead_letters=len(self._letters),
            quarantined=0,
            durability="memory: gone when the process ends",
            warnings=warnings,
        )

    async def dead_letters(self, *, limit: int) -> list[DeadLetter]:
        return list(itertools.islice(reversed(self._letters), limit))

    async def remove_dead_letters(self, ids: Sequence[str]) -> int:
        before = len(self._letters)
        self._letters = deque(letter for letter in self._letters if letter.id not in set(ids))
        return before - len(self._letters)

    async def close(self) -> None:
        """Nothing to do: an end that is still open goes on working."""

    def check_room(self) -> None:
        """Refuse everything from the high-water mark on."""
        if self._bytes >= self._capacity_bytes:
            raise BrokerFull(
                f"the broker is full: {self._bytes} bytes wait to be stored, "
                f"{self._capacity_bytes} may",
                hint="see whether the worker and the store are up, or raise broker_capacity_bytes",
            )

    async def add(self, entry: Entry) -> None:
        self.waiting.append(entry)
        self._bytes += len(entry.message.payload)
        for follower in self.followers:
            follower.offer(entry)
        async with self.changed:
            self.changed.notify_all()

    def decide(self, entries: Sequence[Entry]) -> Group:
        now_s = self.clock.monotonic_s()
        self._seen = {k: at for k, at in self._seen.items() if at >= now_s - self._dedup_window_s}
        kept = []
        for entry in entries:
            dedup_id = entry.message.dedup_id
            if dedup_id and dedup_id in self._seen:
                continue
            if dedup_id:
                self._seen[dedup_id] = now_s
            kept.append(entry)
        group = Group(
            number=self._next_number,
            entries=tuple(kept),
            duplicates=len(entries) - len(kept),
        )
        self._next_number += 1
        self.fixed[group.number] = (group, len(entries))
        return group

    async def forget(self, number: int) -> int:
        """Acknowledge a group; how many entries went. They go only with all those before them."""
        if number not in self.fixed:
            if number >= self._next_number:
                raise ValueError(f"group {number} was never fixed")
            return 0
        self.acked_early.add(number)
        gone = 0
        for each, (_, count) in list(self.fixed.items()):
            if each not in self.acked_early:
                break
            for _ in range(count):
                entry = self.waiting.popleft()
                self._bytes -= len(entry.message.payload)
                self.stored[entry.position.writer] = entry.position.sequence + 1
            gone += count
            del self.fixed[each]
            self.acked_early.discard(each)
        async with self.changed:
            self.changed.notify_all()
        return gone

    def keep_letters(self, letters: Sequence[DeadLetter]) -> None:
        for letter in letters:
            self._letters.append(
                DeadLetter(
                    payload=letter.payload,
                    rows=letter.rows,
                    reason=letter.reason,
                    at_ns=letter.at_ns,
                    id=str(next(self._letter_ids)),
                )
            )
        size = sum(len(x.payload) + len(x.reason) for x in self._letters)
        while size > self._dead_letter_bytes:
            oldest = self._letters.popleft()
            size -= len(oldest.payload) + len(oldest.reason)
            self._letters_dropped += 1


class _MemoryProducer(Producer):
    def __init__(self, broker: MemoryBroker, writer: str) -> None:
        self._broker = broker
        self._writer = writer
        self._sequences = itertools.count()
        self._closed = False

    async def append(self, message: Message) -> Position:
        self._check_open()
        self._broker.check_room()
        position = Position(self._writer, next(self._sequences))
        await self._broker.add(Entry(position=position, message=message))
        return position

    def check_room(self) -> None:
        self._check_open()
        self._broker.check_room()

    async def wait_stored(self, position: Position, *, timeout_s: float) -> bool:
        def is_stored() -> bool:
            return self._broker.stored.get(position.writer, 0) > position.sequence

        return await _wait_until(self._broker.changed, is_stored, timeout_s)

    async def close(self) -> None:
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise BrokerUnavailable("this producer is closed")


class _MemoryConsumer(Consumer):
    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._read = sum(count for _, count in broker.fixed.values())
        self._unfixed: list[Entry] = []
        self._unfinished = {
            number: Group(
                number=number,
                entries=group.entries,
                duplicates=group.duplicates,
                replayed=True,
            )
            for number, (group, _) in broker.fixed.items()
            if number not in broker.acked_early
        }
        self._closed = False

    async def unfinished(self) -> Group | None:
        return next(iter(self._unfinished.values()), None)

    async def read(self, *, max_bytes: int, wait_s: float) -> list[Entry]:
        self._check_open()
        waiting = self._broker.waiting

        def is_more() -> bool:
            return len(waiting) > self._read

        await _wait_until(self._broker.changed, is_more, wait_s)
        entries = _take(itertools.islice(waiting, self._read, None), max_bytes)
        self._read += len(entries)
        self._unfixed += entries
        return entries

    async def fix(self, entries: Sequence[Entry]) -> Group:
        self._check_open()
        if not entries:
            raise ValueError("no entries to fix")
        if [e.position for e in entries] != [e.position for e in self._unfixed]:
            raise ValueError("not the entries that were read and not yet fixed, in that order")
        self._unfixed = []
        return self._broker.decide(entries)

    async def ack(self, group: Group) -> None:
        self._check_open()
        self._unfinished.pop(group.number, None)
        self._read -= await self._broker.forget(group.number)

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        self._check_open()
        self._broker.keep_letters(letters)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._broker.consumer_open = False

    def _check_open(self) -> None:
        if self._closed:
            raise BrokerUnavailable("this consumer is closed")


class _MemoryFollower(Follower):
    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._offered: deque[Entry] = deque()
        self._bytes = 0
        self._missed = 0
        self._closed = False

    def offer(self, entry: Entry) -> None:
        self._offered.append(entry)
        self._bytes += len(entry.message.payload)
        while self._bytes > _FOLLOWER_BYTES and len(self._offered) > 1:
            self._bytes -= len(self._offered.popleft().message.payload)
            self._missed += 1

    @property
    def missed(self) -> int:
        return self._missed

    async def read(self, *, max_bytes: int, wait_s: float) -> list[Entry]:
        if self._closed:
            raise BrokerUnavailable("this follower is closed")
        await _wait_until(self._broker.changed, lambda: bool(self._offered), wait_s)
        entries = _take(iter(self._offered), max_bytes)
        for entry in entries:
            self._offered.popleft()
            self._bytes -= len(entry.message.payload)
        return entries

    async def close(self) -> None:
        self._closed = True
        self._broker.followers.discard(self)


def _take(entries: Iterator[Entry], max_bytes: int) -> list[Entry]:
    taken: list[Entry] = []
    for entry in entries:
        max_bytes -= len(entry.message.payload)
        if taken and max_bytes < 0:
            break
        taken.append(entry)
    return taken


async def _wait_until(
    changed: asyncio.Condition, is_so: Callable[[], bool], timeout_s: float
) -> bool:
    try:
        async with asyncio.timeout(timeout_s), changed:
            await changed.wait_for(is_so)
    except TimeoutError:
        return is_so()
    return True
