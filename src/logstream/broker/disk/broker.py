"""The disk broker: opens the ends and says how full it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from logstream.broker.base import Broker, BrokerStatus, DeadLetter
from logstream.broker.disk.consumer import DiskConsumer
from logstream.broker.disk.files import Disk, Lock
from logstream.broker.disk.follower import DiskFollower
from logstream.broker.disk.letters import DeadLetters
from logstream.broker.disk.producer import DiskProducer
from logstream.broker.disk.room import Room, reserve_bytes
from logstream.broker.disk.slots import Folder
from logstream.broker.disk.state import ConsumerState
from logstream.broker.disk.stored import StoredWaiter
from logstream.broker.disk.survey import Survey
from logstream.broker.disk.writer import SlotWriter
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import BrokerUnavailable

__all__ = ["DiskBroker"]

_Result = TypeVar("_Result")
_MB = 1_000_000


class DiskBroker(Broker):
    """A broker in a folder of a local disk, shared by the processes of one machine.

    Args:
        folder: Absolute; made when the first end is opened. Not on a network file system.
        capacity_bytes: What may wait to be stored before producers are refused.
        segment_bytes: Size at which a segment is closed.
        fsync: Whether an append waits for the disk. Without, a power cut may lose what was
            acknowledged, a crash of the process does not.
        dedup_window_s: How long a dedup id is remembered, while a consumer is open.
        dead_letter_bytes: What the dead letters may hold before the oldest go.
        disk: Stands for the operating system; a test's own refuses.
    """

    def __init__(
        self,
        folder: Path,
        *,
        capacity_bytes: int,
        segment_bytes: int,
        fsync: bool,
        dedup_window_s: float,
        dead_letter_bytes: int,
        clock: Clock = SYSTEM_CLOCK,
        disk: Disk | None = None,
    ) -> None:
        self._disk = disk or Disk()
        self._folder = Folder(folder, self._disk)
        self._capacity_bytes = capacity_bytes
        self._segment_bytes = segment_bytes
        self._fsync = fsync
        self._dedup_window_s = dedup_window_s
        self._dead_letter_bytes = dead_letter_bytes
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "broker")
        self._survey = Survey(self._folder)
        self._letters = self._open_letters()
        self._closed = False

    async def producer(self) -> DiskProducer:
        return await self._run(self._open_producer)

    async def consumer(self) -> DiskConsumer:
        thread = ThreadPoolExecutor(1, "broker-consumer")
        try:
            return await self._run(self._open_consumer, thread, thread=thread)
        except BaseException:
            thread.shutdown(wait=False)
            raise

    async def follower(self) -> DiskFollower:
        thread = ThreadPoolExecutor(1, "broker-follower")
        try:
            return await self._run(DiskFollower, self._folder, thread, thread=thread)
        except BaseException:
            thread.shutdown(wait=False)
            raise

    async def status(self) -> BrokerStatus:
        return await self._run(self._status)

    async def dead_letters(self, *, limit: int) -> list[DeadLetter]:
        return await self._run(self._letters.newest, limit)

    async def remove_dead_letters(self, ids: Sequence[str]) -> int:
        return await self._run(self._letters.remove, ids)

    async def close(self) -> None:
        if self._closed:
            return
        await self._run(self._release)
        self._closed = True
        self._thread.shutdown()

    async def _run(
        self,
        call: Callable[..., _Result],
        *arguments: object,
        thread: ThreadPoolExecutor | None = None,
    ) -> _Result:
        if self._closed:
            raise BrokerUnavailable("this broker is closed")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(thread or self._thread, call, *arguments)
        except OSError as exc:
            raise BrokerUnavailable(
                f"the broker's folder {self._folder.root} cannot be used: {exc}",
                hint="see that the folder can be written and its disk has space",
            ) from exc

    # From here on: on a thread

    def _release(self) -> None:
        self._survey.close()
        self._letters.close()

    def _open_letters(self) -> DeadLetters:
        return DeadLetters(
            self._folder.dead_letters, capacity_bytes=self._dead_letter_bytes, fsync=self._fsync
        )

    def _open_producer(self) -> DiskProducer:
        self._folder.make()
        slot, lock, at = self._folder.take_slot()
        try:
            room = Room(
                self._folder, slot.name, capacity_bytes=self._capacity_bytes, disk=self._disk
            )
            room.refresh()
            writer = SlotWriter(
                slot, at, segment_bytes=self._segment_bytes, fsync=self._fsync, disk=self._disk
            )
        except BaseException:
            lock.release()
            raise
        stored = StoredWaiter(self._folder.writers)
        return DiskProducer(writer, lock, room, stored, slot=slot.name, clock=self._clock)

    def _open_consumer(self, thread: ThreadPoolExecutor) -> DiskConsumer:
        self._folder.make()
        lock = Lock(self._folder.consumer_lock)
        if not lock.take():
            raise BrokerUnavailable(
                f"process {lock.holder()} is the consumer of {self._folder.root} already",
                hint="only one worker may run on a folder: stop the other one",
            )
        state = None
        try:
            self._folder.recover_orphans()
            state = ConsumerState(
                self._folder.consumer_state,
                fsync=self._fsync,
                dedup_window_s=self._dedup_window_s,
                clock=self._clock,
            )
            return DiskConsumer(self._folder, state, self._open_letters(), lock, thread)
        except BaseException:
            if state is not None:
                state.close()
            lock.release()
            raise

    def _status(self) -> BrokerStatus:
        backlog = self._survey.backlog()
        quarantined = self._folder.quarantine.count()
        letters, dropped = self._letters.counts()
        warnings = []
        if quarantined:
            warnings.append(
                f"{quarantined} damaged or missing stretches of broker files: see "
                f"{self._folder.quarantine.folder}"
            )
        if dropped:
            warnings.append(f"{dropped} dead letters were dropped: raise dead_letter_bytes")
        if self._folder.root.is_dir():
            free, total = self._disk.free_bytes(self._folder.root)
            if free < 2 * reserve_bytes(total):
                warnings.append(f"the broker's disk is nearly full: {free / _MB:.0f} MB are free")
        return BrokerStatus(
            entries=backlog.entries,
            rows=backlog.rows,
            bytes=backlog.bytes,
            capacity_bytes=self._capacity_bytes,
            oldest_received_ns=backlog.oldest_received_ns,
            dead_letters=letters,
            quarantined=quarantined,
            durability="disk: fsynced before it is acknowledged"
            if self._fsync
            else "page cache: safe when a process crashes, not when the power fails",
            warnings=tuple(warnings),
        )
