"""The producer: collects what arrives while one commit runs and makes it the next commit."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from logstream.broker.base import Done, Message, Position, Producer, told
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

_Waiting = tuple[Message, Done]


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
        self._commits: asyncio.Future[None] | None = None  # done when the last of a row is
        self._late: deque[_Waiting] = deque()  # refused as of the last look
        self._looking: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._refreshed_s = clock.monotonic_s()
        self._trouble: BrokerUnavailable | None = None
        self._trouble_since_s = 0.0
        self._closed = False

    async def append(self, message: Message) -> Position:
        self._check_open()
        return await told(partial(self.submit, message))

    def submit(self, message: Message, done: Done) -> None:
        size = _frame_bytes(message)
        if len(message.payload) > MAX_PAYLOAD_BYTES or len(message.dedup_id) > MAX_DEDUP_BYTES:
            raise ValueError("a payload of over 1 GiB or a dedup id of over 32 bytes")
        if self._looking is None:
            try:
                self._check_open()
                self._check(size)
            except (BrokerFull, BrokerUnavailable):
                # As of the last look. Before anybody is refused, it is looked again.
                self._looking = asyncio.get_running_loop().create_task(self._look_again())
            else:
                self._queue(message, done, size)
                return
        self._late.append((message, done))  # whoever comes later does not overtake

    async def _look_again(self) -> None:
        """Look, and decide on all that waited for it, in their order."""
        try:
            trouble = await self._try_refresh()
            while self._late:
                self._submit_late(*self._late.popleft(), trouble)
        finally:
            self._looking = None

    async def _try_refresh(self) -> BrokerUnavailable | None:
        try:
            self._check_open()
            await self._refresh()
        except BrokerUnavailable as error:
            return error
        return None

    def _submit_late(self, message: Message, done: Done, trouble: BrokerUnavailable | None) -> None:
        if trouble is not None:
            done(trouble)
            return
        size = _frame_bytes(message)
        try:
            self._check(size)
        except (BrokerFull, BrokerUnavailable) as error:
            done(error)
        else:
            self._queue(message, done, size)

    def _queue(self, message: Message, done: Done, size: int) -> None:
        self._waiting.append((message, done))
        self._queued_bytes += size
        if self._commits is None:
            self._commits = asyncio.get_running_loop().create_future()
            self._begin_commit()

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
        while running := [*filter(None, (self._looking, self._commits))]:
            await asyncio.wait(running)
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

    def _begin_commit(self) -> None:
        """All that waits becomes one commit."""
        loop = asyncio.get_running_loop()
        batch, self._waiting = self._waiting, []
        first = self._writer.at.sequence

        def ended(work: Future[OSError | None]) -> None:
            loop.call_soon_threadsafe(self._committed, batch, first, work)

        self._thread.submit(self._commit, batch).add_done_callback(ended)

    def _committed(self, batch: list[_Waiting], first: int, work: Future[OSError | None]) -> None:
        # The next commit begins before the answers to this one are told: telling takes a while,
        # and the disk need not wait for it.
        failure = work.exception()
        safe = self._writer.at.sequence - first
        if self._waiting:
            self._begin_commit()
        elif self._commits is not None:
            self._commits.set_result(None)
            self._commits = None
        if failure is not None:
            broken = BrokerUnavailable(f"the commit failed: {failure!r}", maybe_kept=True)
            self._answer(batch, first, 0, broken)
            raise failure
        error = work.result()
        # What was cut off again may come back with the power.
        self._answer(batch, first, safe, _unavailable(error, maybe_kept=True) if error else None)

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

    def _answer(
        self, batch: list[_Waiting], first: int, safe: int, error: BrokerUnavailable | None
    ) -> None:
        for number, (message, done) in enumerate(batch):
            self._queued_bytes -= _frame_bytes(message)
            if number < safe:
                done(Position(self._slot, first + number))
            elif error is not None:
                done(error)
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
                try:
                    await self._refresh()
                    self._check(0)
                except (BrokerFull, BrokerUnavailable):
                    await asyncio.sleep(_REFRESH_S)
                else:
                    return
        finally:
            self._watcher = None


def _frame_bytes(message: Message) -> int:
    return FRAME_BYTES + len(message.dedup_id) + len(message.payload)


def _unavailable(error: OSError, *, maybe_kept: bool = False) -> BrokerUnavailable:
    hint = "look at the disk's health in the system log"
    if error.errno in _NO_SPACE:
        hint = "free space on the broker's disk"
    elif error.errno == errno.EROFS:
        hint = "the broker's disk is mounted read-only: mend it and mount it again"
    return BrokerUnavailable(
        f"the broker's disk refuses writes: {error}", hint=hint, maybe_kept=maybe_kept
    )
