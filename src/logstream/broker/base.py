"""The broker's contract: a durable buffer between ingestion and the store.

Many *producers* append *messages*; one *consumer* (group) takes them as *entries*, fixes which of
them form a *group*, inserts that group into the store and acknowledges it; any number of
*followers* see every entry as it arrives, for live tail.

Laws, which `logstream.testing.broker_contract` runs on every backend:

* **no loss** – an entry whose `Producer.append` returned is read by the consumer, crashes or not;
* **order within a writer** – entries of one producer are read in the order of their appends;
* **redelivery** – a group that was fixed and not acknowledged comes back from
  `Consumer.unfinished`, with the same number and the same entries, before anything else;
* **no double** – an acknowledged entry is never read again; of entries with one ``dedup_id``
  only the first ever becomes part of a group;
* **backpressure** – when the broker is full `Producer.append` refuses, it never drops;
* **follow sees all** – a follower that keeps up reads every entry exactly once; one that does not
  is told how many it missed.

Everything here is called on one event loop. A method that waits for a disk or a server is
``async`` and never blocks the loop; a plain method returns at once.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import msgspec

from logstream.errors import LogStreamError

__all__ = [
    "Broker",
    "BrokerStatus",
    "Consumer",
    "DeadLetter",
    "Done",
    "Entry",
    "Follower",
    "Group",
    "Message",
    "Position",
    "Producer",
    "told",
]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a producer hands over.

    ``payload`` is one batch as `record.encode_batch` made it, ``rows`` its number of records,
    ``received_ns`` the wall-clock time at which its first byte was received. ``dedup_id`` is
    empty, or up to 32 bytes that a repetition of the same request would carry again.
    """

    payload: bytes
    rows: int
    received_ns: int
    dedup_id: bytes = b""


class Position(msgspec.Struct, frozen=True, order=True):
    """Where an entry stands: its writer's name and its number (from 0, without gaps) there."""

    writer: str
    sequence: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the broker has made safe."""

    position: Position
    message: Message


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What one insert writes: fixed before the insert, the same after any crash.

    ``number`` is unique for ever among this broker's groups and grows with time (42 bits);
    the store derives record ids and its dedup token from it. ``entries`` are in reading order and
    free of repeated ``dedup_id``s; ``duplicates`` counts the entries left out for that reason.
    ``replayed`` is true when the group may already be in the store, wholly or in part.
    """

    number: int
    entries: tuple[Entry, ...]
    duplicates: int = 0
    replayed: bool = False


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """Records that the store will not take, kept until somebody looks.

    ``id`` is the broker's own (empty before it is stored). ``payload`` is a batch as
    `record.encode_batch` made it.
    """

    payload: bytes
    rows: int
    reason: str
    at_ns: int
    id: str = ""


class BrokerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How full the broker is, for ``/health``, ``/metrics`` and the pipeline page.

    ``bytes`` and ``entries`` count what is not yet acknowledged, ``capacity_bytes`` is the
    high-water mark, ``oldest_received_ns`` the age of the oldest unacknowledged entry (``None``:
    empty), ``quarantined`` the corrupt stretches set aside since the broker's folder was made,
    ``durability`` says in words what an acknowledgement rests on, ``warnings`` what a person
    should mend.
    """

    entries: int
    rows: int
    bytes: int
    capacity_bytes: int
    oldest_received_ns: int | None
    dead_letters: int
    quarantined: int
    durability: str
    warnings: tuple[str, ...] = ()


Done = Callable[["Position | LogStreamError"], None]
"""Told once what came of a message."""

_running: set[asyncio.Task[None]] = set()  # the loop itself keeps no task alive


def told(hand_over: Callable[[Done], None]) -> asyncio.Future[Position]:
    """What ``hand_over`` will tell the call-back that it is given, to be awaited."""
    future: asyncio.Future[Position] = asyncio.get_running_loop().create_future()

    def done(result: Position | LogStreamError) -> None:
        if future.done():
            return  # the caller gave up
        if isinstance(result, LogStreamError):
            future.set_exception(result)
        else:
            future.set_result(result)

    hand_over(done)
    return future


class _AsyncCloseable(ABC):
    @abstractmethod
    async def close(self) -> None:
        """Stop, finishing what was promised. Idempotent; nothing else may be called after it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class Producer(_AsyncCloseable):
    """One writer's end. A process holds one and shares it between requests."""

    @abstractmethod
    async def append(self, message: Message) -> Position:
        """Make the message safe and say where it stands.

        Returns only when it is as durable as `BrokerStatus.durability` says. Concurrent calls
        share one commit and are kept in the order in which they were made. If the caller is
        cancelled, the message may or may not be kept.

        Raises:
            BrokerFull: over the high-water mark.
            BrokerUnavailable: the write failed.

            Nothing was kept, unless the error says ``maybe_kept``.
        """

    def submit(self, message: Message, done: Done) -> None:
        """`append` without a task: begins now, and tells ``done`` once what came of it.

        For callers that append thousands of times a second; those calls keep their order among
        themselves. ``done`` is called on the event
        loop, never before this returns; it is told what `append` would return or raise, and must
        not raise itself.
        """

        async def run() -> None:
            try:
                done(await self.append(message))
            except LogStreamError as error:
                done(error)

        task = asyncio.get_running_loop().create_task(run())
        _running.add(task)
        task.add_done_callback(_running.discard)

    @abstractmethod
    def check_room(self) -> None:
        """Refuse early: called before a request's body is parsed. Never blocks.

        Raises:
            BrokerFull: `append` would refuse now.
            BrokerUnavailable: the disk or server refuses writes now.
        """

    @abstractmethod
    async def wait_stored(self, position: Position, *, timeout_s: float) -> bool:
        """Wait until the group of the entry at ``position`` is acknowledged: it is searchable.

        Returns false when the time is over; the entry is safe all the same.

        Raises:
            BrokerUnavailable: the broker has lost the entry, in a failover say.
        """


class Consumer(_AsyncCloseable):
    """The worker's end. Exactly one is open on a single-machine broker at a time; a broker of
    several machines gives every entry to one of many, and what one held that died to another.

    Where there are many, any method may raise `LeaseLost`: this one was taken for dead, or the
    broker had to begin anew. Order within a writer then holds for what one consumer reads, and
    `unfinished` may have something at any time, which `has_unfinished` says.
    """

    @abstractmethod
    async def unfinished(self) -> Group | None:
        """The group fixed but not acknowledged before the last stop, ``replayed`` set.

        Called first, until it answers ``None``; its group must be inserted and acknowledged
        before anything new is read.
        """

    def has_unfinished(self) -> bool:
        """Whether a group of a consumer that died is waiting in `unfinished` now, to be written
        before the next one is fixed. Never blocks."""
        return False

    @abstractmethod
    async def read(self, *, max_bytes: int, wait_s: float) -> list[Entry]:
        """The next entries, each once, of all writers; at most ``max_bytes`` of payload.

        At least one entry is returned if there is any, however large. Waits up to ``wait_s`` for
        the first one, then returns what there is; an empty list means none came.

        Raises:
            BrokerUnavailable: cannot be read now; try again.
        """

    @abstractmethod
    async def fix(self, entries: Sequence[Entry]) -> Group:
        """Decide durably that these entries, all of those read and not yet fixed, are one group.

        Raises:
            BrokerUnavailable: not decided; call again with the same entries.
        """

    @abstractmethod
    async def ack(self, group: Group) -> None:
        """The group is in the store: its entries may be deleted. Durable when it returns.

        Raises:
            BrokerUnavailable: not noted; call again.
        """

    @abstractmethod
    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        """Keep these for a person, durably, before their group is acknowledged.

        A crash may make it keep a letter twice, never lose one. Bounded by a setting: the oldest
        are dropped with a warning in the log and a count in ``/metrics`` when it is full.
        """


class Follower(_AsyncCloseable):
    """Live tail's end: sees new entries from the moment it was opened; holds nobody back."""

    @property
    @abstractmethod
    def missed(self) -> int:
        """Entries deleted before this follower came to read them; only grows."""

    @abstractmethod
    async def read(self, *, max_bytes: int, wait_s: float) -> list[Entry]:
        """Like `Consumer.read`, without taking anything away."""


class Broker(_AsyncCloseable):
    """Opens the ends. Opening is cheap; a process opens only the ends it needs."""

    @abstractmethod
    async def producer(self) -> Producer:
        """Take a writer slot of its own and recover what its last holder left.

        Raises:
            BrokerUnavailable: the folder or server cannot be written.
        """

    @abstractmethod
    async def consumer(self) -> Consumer:
        """Become the consumer.

        Raises:
            BrokerUnavailable: somebody else is; the message says who.
        """

    @abstractmethod
    async def follower(self) -> Follower:
        """Follow all writers from now on, writers that appear later included."""

    @abstractmethod
    async def status(self) -> BrokerStatus:
        """How full it is. Cheap enough to be asked every second."""

    @abstractmethod
    async def dead_letters(self, *, limit: int) -> list[DeadLetter]:
        """The newest dead letters, newest first."""

    @abstractmethod
    async def remove_dead_letters(self, ids: Sequence[str]) -> int:
        """Forget these (they were replayed, or somebody said so); how many there were."""
