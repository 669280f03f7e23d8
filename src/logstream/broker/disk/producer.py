"""The producer: collects what arrives while one commit runs and makes it the next commit."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from logstream.broker.base import Message, Position, Producer
from logstream.broker.disk.files import Lock
from logstream.broker.disk.format import FRAME_BYTES, MAX_DEDUP_BYTES, MAX_PAYLOAD_BYTES
from logstream.broker.disk.room import Room
from logstream.broker.disk.stored import StoredWaiter
from logstream.broker.disk.writer import SlotWriter
from logstream.clock import Clock
from logstream.errors import BrokerFull, BrokerUnavailable
from logstream.metrics import BROKER_COMMIT_SECONDS, BROKER_COMMITS

__all__ = ["DiskProducer"]

_log = logging.getLogger(__name__)

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_QUEUE_BYTES = 64 << 20
_REFRESH_S = 0.05
_REFUSE_AFTER_ERROR_S = 1.0

_Waiting = tuple[Message, "asyncio.Future[Position]"]


class DiskProducer(Producer):
    def __init__(
        self,
        writer: SlotWriter,
        lock: Lock,
        room: Room,
        stored: StoredWaiter,
        *,
        slot: str,
        clock: Clock,
    ) -> None:
        self._slot = slot
        self._writer = writer
        self._lock = lock
        self._room = room
        self._stored = stored
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, f"broker-{slot}")
        self._waiting: list[_Waiting] = []
        self._queued_bytes = 0
        self._committer: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._refreshed_s = clock.monotonic_s()
        self._trouble: BrokerUnavailable | None = None
        self._trouble_since_s = 0.0
        self._closed = False

    async def append(self, message: Message) -> Position:
        size = _frame_bytes(message)
        if len(message.payload) > MAX_PAYLOAD_BYTES or len(message.dedup_id) > MAX_DEDUP_BYTES:
            raise ValueError("a payload of over 1 GiB or a dedup id of over 32 bytes")
        self._check_open()
        try:
            self._check(size)
        except (BrokerFull, BrokerUnavailable):
            await self._refresh()
            self._check(size)
        future: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, future))
        self._queued_bytes += size
        if self._committer is None:
            self._committer = asyncio.create_task(self._commit_waiting())
        return await future

    def check_room(self) -> None:
        self._check_open()
        trouble = self._trouble
        if trouble is not None:
            if self._clock.monotonic_s() - self._trouble_since_s < _REFUSE_AFTER_ERROR_S:
                raise BrokerUnavailable(
                    trouble.message, hint=trouble.hint, retry_after_s=trouble.retry_after_s
                )
            return
        try:
            self._check(0)
        except (BrokerFull, BrokerUnavailable):
            if self._watcher is None:
                self._watcher = asyncio.get_running_loop().create_task(self._watch())
            raise

    async def wait_stored(self, position: Position, *, timeout_s: float) -> bool:
        return await self._stored.wait(position, timeout_s=timeout_s)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._committer is not None:
            await asyncio.shield(self._committer)
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        await self._stored.close()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._release)
        self._thread.shutdown()

    def _release(self) -> None:
        self._writer.close()
        self._room.close()
        self._lock.release()

    def _check_open(self) -> None:
        if self._closed:
            raise BrokerUnavailable("this producer is closed")

    def _check(self, size: int) -> None:
        if self._queued_bytes and self._queued_bytes + size > _QUEUE_BYTES:
            raise BrokerFull("the broker's disk is slower than what arrives")
        self._room.check(self._writer.at.size + self._queued_bytes, size)

    async def _commit_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                first = self._writer.at.sequence
                try:
                    error = await loop.run_in_executor(self._thread, self._commit, batch)
                except Exception as exc:
                    self._answer(batch, first, BrokerUnavailable(f"the commit failed: {exc!r}"))
                    raise
                self._answer(batch, first, _unavailable(error) if error else None)
        finally:
            self._committer = None

    def _commit(self, batch: list[_Waiting]) -> OSError | None:
        """On our thread: one group commit."""
        started_s = time.perf_counter()
        error = self._writer.commit([message for message, _ in batch])
        BROKER_COMMIT_SECONDS.observe(time.perf_counter() - started_s)
        BROKER_COMMITS.inc()
        if self._clock.monotonic_s() - self._refreshed_s >= _REFRESH_S:
            try:
                self._refresh_room()
            except OSError as exc:
                # What is written is written; the next that ask are told of the trouble.
                _log.warning("the broker's folder cannot be looked at: %s", exc)
        return error

    def _answer(self, batch: list[_Waiting], first: int, error: BrokerUnavailable | None) -> None:
        safe = self._writer.at.sequence - first
        for number, (message, future) in enumerate(batch):
            self._queued_bytes -= _frame_bytes(message)
            if future.done():
                continue
            if number < safe:
                future.set_result(Position(self._slot, first + number))
            elif error is not None:
                future.set_exception(error)
        if error is not None:
            if self._trouble is None:
                _log.error("%s", error.message)
            self._trouble_since_s = self._clock.monotonic_s()
        self._trouble = error

    async def _refresh(self) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._refresh_room)
        except OSError as exc:
            raise _unavailable(exc) from exc

    def _refresh_room(self) -> None:
        self._room.refresh()
        self._refreshed_s = self._clock.monotonic_s()

    async def _watch(self) -> None:
        """While there is no room, look for it, so that `check_room` need not."""
        try:
            while True:
                await self._refresh()
                try:
                    self._check(0)
                except (BrokerFull, BrokerUnavailable):
                    await asyncio.sleep(_REFRESH_S)
                else:
                    return
        finally:
            self._watcher = None


def _frame_bytes(message: Message) -> int:
    return FRAME_BYTES + len(message.dedup_id) + len(message.payload)


def _unavailable(error: OSError) -> BrokerUnavailable:
    hint = "look at the disk's health in the system log"
    if error.errno in _NO_SPACE:
        hint = "free space on the broker's disk"
    elif error.errno == errno.EROFS:
        hint = "the broker's disk is mounted read-only: mend it and mount it again"
    return BrokerUnavailable(f"the broker's disk refuses writes: {error}", hint=hint)
