"""The producer: what arrives while one script call is under way goes with the next."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Sequence
from functools import partial

from logstream.broker.base import Done, Message, Position, Producer, told
from logstream.broker.redis.keys import Shard
from logstream.broker.redis.link import Link, Unknown
from logstream.broker.redis.room import Room
from logstream.broker.redis.shard_scripts import APPEND, ENTRY_BYTES
from logstream.broker.redis.stored import Stored
from logstream.errors import BrokerFull, BrokerUnavailable, LogStreamError, RetryLater
from logstream.metrics import BROKER_COMMIT_SECONDS, BROKER_COMMITS

__all__ = ["RedisProducer"]

_log = logging.getLogger(__name__)

_MAX_PAYLOAD_BYTES = 256 << 20
_MAX_DEDUP_BYTES = 32
_QUEUE_BYTES = 64 << 20
_CALL_BYTES = 4 << 20
_CALL_MESSAGES = 256
_LOOK_S = 1.0
_LOOK_IN_TROUBLE_S = 0.05
_WRITER_TTL_MS = 7 * 86_400_000
"""How long Redis remembers how far a silent writer came."""
_FIRST_PAUSE_S, _MAX_PAUSE_S = 0.02, 0.5

_Waiting = tuple[Message, Done]


class RedisProducer(Producer):
    """
    Args:
        give_up_s: How long a call is tried again while Redis does not answer, before those who
            wait are told.
    """

    def __init__(
        self,
        link: Link,
        shards: list[Shard],
        own: Shard,
        room: Room,
        *,
        give_up_s: float,
    ) -> None:
        self._link = link
        self._shards = shards
        self._own = own
        self._room = room
        self._give_up_s = give_up_s
        self._stored = Stored(link, own)
        self._waiting: list[_Waiting] = []
        self._queued_bytes = 0
        self._trouble: RetryLater | None = None
        self._closed = False
        self._committer: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._last_append_s = 0.0
        self._name()
        self._looker = asyncio.create_task(self._look())

    async def append(self, message: Message) -> Position:
        return await told(partial(self._queue, message))

    def submit(self, message: Message, done: Done) -> None:
        try:
            self._queue(message, done)
        except (BrokerFull, BrokerUnavailable) as error:
            asyncio.get_running_loop().call_soon(done, error)

    def _queue(self, message: Message, done: Done) -> None:
        if len(message.payload) > _MAX_PAYLOAD_BYTES or len(message.dedup_id) > _MAX_DEDUP_BYTES:
            raise ValueError("a payload of over 256 MiB or a dedup id of over 32 bytes")
        self._check_open()
        self._room.check_memory()
        size = len(message.payload) + ENTRY_BYTES
        if self._queued_bytes and self._queued_bytes + size > _QUEUE_BYTES:
            raise BrokerFull("Redis is slower than what arrives")
        self._waiting.append((message, done))
        self._queued_bytes += size
        if self._committer is None:
            self._committer = asyncio.create_task(self._commit_waiting())

    def check_room(self) -> None:
        self._check_open()
        if self._trouble is not None:
            raise type(self._trouble)(
                self._trouble.message,
                hint=self._trouble.hint,
                retry_after_s=self._trouble.retry_after_s,
            )
        try:
            self._room.check()
        except BrokerFull:
            self._wake.set()
            raise

    async def wait_stored(self, position: Position, *, timeout_s: float) -> bool:
        return await self._stored.wait(position, timeout_s=timeout_s)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._committer is not None:
            await asyncio.shield(self._committer)
        self._looker.cancel()
        await asyncio.gather(self._looker, return_exceptions=True)
        await self._stored.close()

    def _check_open(self) -> None:
        if self._closed:
            raise BrokerUnavailable("this producer is closed")

    def _name(self) -> None:
        """Begin as a new writer."""
        self._writer = f"{self._own.number:02d}-{secrets.token_hex(6)}"
        self._next = 0

    async def _commit_waiting(self) -> None:
        try:
            await asyncio.sleep(0)  # what is appended in the same turn comes along
            while self._waiting:
                await self._commit(self._take())
        finally:
            self._committer = None

    def _take(self) -> list[_Waiting]:
        size = count = 0
        for message, _ in self._waiting[:_CALL_MESSAGES]:
            size += len(message.payload)
            if count and size > _CALL_BYTES:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._last_append_s > _WRITER_TTL_MS / 2e3:
            self._name()  # Redis may have forgotten the old one, and that is no loss
        self._last_append_s = now_s
        started_s = time.perf_counter()
        try:
            ids = await self._kept([message for message, _ in batch])
        except LogStreamError as error:
            self._answer(batch, [], error)
            return
        except BaseException as error:
            # Nobody may wait for an answer that will not come.
            broken = BrokerUnavailable(f"the append was broken off: {error!r}", maybe_kept=True)
            self._answer(batch + self._waiting, [], broken)
            self._waiting = []
            raise
        BROKER_COMMIT_SECONDS.observe(time.perf_counter() - started_s)
        BROKER_COMMITS.inc()
        self._answer(batch, ids, None)

    async def _kept(self, messages: Sequence[Message]) -> list[str]:
        """What Redis kept: the ids of that."""
        lost, size, ids = await self._called(messages)
        if lost:
            _log.error(
                "%s lost %d entries that it had acknowledged to this process, by a failover or "
                "because its memory was not on disk",
                self._link.where, lost,
            )  # fmt: skip
            self._name()  # the old one's numbers are left as they are, to tell what was lost
            _, size, ids = await self._called(messages)
        self._room.note(self._own.number, size)
        return [id_.decode() for id_ in ids]

    async def _called(self, messages: Sequence[Message]) -> tuple[int, int, list[bytes]]:
        """Call `APPEND` until Redis answers.

        The script knows by the writer's numbers what it has, so that it can be called again
        without keeping anything twice.
        """
        own = self._own
        keys = (own.log, own.meta, own.writer(self._writer))
        arguments: list[bytes | str | int] = [
            self._next, self._room.capacity_of(own.number), _WRITER_TTL_MS, self._writer,
        ]  # fmt: skip
        for message in messages:
            arguments += (message.payload, message.rows, message.received_ns, message.dedup_id)
        give_up_at = asyncio.get_running_loop().time() + self._give_up_s
        pause_s = _FIRST_PAUSE_S
        doubtful = False
        while True:
            try:
                answer: tuple[int, int, list[bytes]] = await self._link.write(
                    APPEND, keys, arguments
                )
                break
            except BrokerFull as exc:
                # Redis did nothing, this time; an earlier try may have got through.
                if doubtful:
                    self._name()
                self._trouble = exc
                self._wake.set()
                raise BrokerFull(exc.message, hint=exc.hint, maybe_kept=doubtful) from exc
            except BrokerUnavailable as exc:
                doubtful = doubtful or isinstance(exc, Unknown)
                self._in_trouble(exc)
                now = asyncio.get_running_loop().time()
                if now >= give_up_at:
                    # What was sent may yet arrive, under the numbers it has: under a new name
                    # nothing can be taken for it.
                    if doubtful:
                        self._name()
                    raise BrokerUnavailable(
                        exc.message,
                        hint=exc.hint,
                        retry_after_s=exc.retry_after_s,
                        maybe_kept=doubtful,
                    ) from exc
                await asyncio.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311 – jitter
                pause_s = min(pause_s * 2, _MAX_PAUSE_S)
        if self._trouble is not None:
            _log.warning("%s takes appends again", self._link.where)
            self._trouble = None
        return answer

    def _in_trouble(self, exc: BrokerUnavailable) -> None:
        if self._trouble is None:
            _log.error("%s", exc.message)
        self._trouble = exc
        self._wake.set()

    def _answer(self, batch: list[_Waiting], ids: list[str], error: LogStreamError | None) -> None:
        first = self._next
        self._next += len(ids)
        for number, (message, done) in enumerate(batch):
            self._queued_bytes -= len(message.payload) + ENTRY_BYTES
            if number < len(ids):
                position = Position(self._writer, first + number)
                self._stored.appended(position, ids[number])
                done(position)
            else:
                done(error or self._room.refusal())

    async def _look(self) -> None:
        """See how full Redis is, often while it is full or away, so that `check_room` can say."""
        while True:
            try:
                await self._room.refresh(self._shards)
                if self._trouble is not None and self._committer is None:
                    self._trouble = None
                self._room.check()
                pause_s = _LOOK_S
            except BrokerFull:
                pause_s = _LOOK_IN_TROUBLE_S
            except BrokerUnavailable as exc:
                self._in_trouble(exc)
                pause_s = _LOOK_IN_TROUBLE_S * 4
            except LogStreamError as exc:
                self._in_trouble(BrokerUnavailable(exc.message, hint=exc.hint))
                pause_s = _LOOK_S
            self._wake.clear()
            if pause_s < _LOOK_S:
                await asyncio.sleep(pause_s)
                continue
            try:
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                continue
