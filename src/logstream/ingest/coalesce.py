"""Many small requests → one entry in the broker.

While one append is on its way to the disk, the bodies that arrive meanwhile are collected; the
next append takes the records of them all. An idle platform appends at once, a busy one appends
batches that grow with the load, and nobody waits for a timer. Together they are also decoded much
faster than one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pyarrow as pa

from logstream.broker.base import Message, Position, Producer
from logstream.errors import LogStreamError
from logstream.record import encode_batch
from logstream.wire import NativeDecoder, Rejections
from logstream.wire.columns import build

__all__ = ["Coalescer", "Taken"]

_MAX_BYTES = 512 << 10


class Taken(msgspec.Struct, frozen=True):
    """What became of one body. ``position`` is ``None`` when no record was accepted."""

    position: Position | None
    accepted: int
    rejections: Rejections


Done = Callable[[Taken | LogStreamError], None]
"""Told once what became of a body. Must not raise."""

_NONE_REJECTED = Rejections()


class _Waiting(msgspec.Struct, eq=False, gc=False):
    body: bytes
    received_ns: int
    done: Done
    accepted: int = 1
    rejections: Rejections | None = None


class Coalescer:
    """Collects bodies, decodes and appends their records; one append at a time."""

    def __init__(self, producer: Producer, decoder: NativeDecoder) -> None:
        self._producer = producer
        self._decoder = decoder
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    def submit(self, body: bytes, received_ns: int, done: Done) -> None:
        """Hand over a body; ``done`` is told when its records are durable.

        Told `BrokerFull` or `BrokerUnavailable`, nothing of it was kept.
        """
        self._waiting.append(_Waiting(body, received_ns, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Append what is waiting and stop."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        taken: list[_Waiting] = []
        try:
            await asyncio.sleep(0)  # what the loop has already read comes along
            while self._waiting:
                taken = self._take()
                await self._append(taken)
        except BaseException as error:
            # Nobody may wait for an answer that will not come.
            broken = LogStreamError(f"the append was broken off: {error!r}")
            for waiting in taken + self._waiting:
                waiting.done(broken)
            self._waiting = []
            raise
        finally:
            self._task = None

    def _take(self) -> list[_Waiting]:
        size = n = 0
        for n, waiting in enumerate(self._waiting, 1):  # noqa: B007 - the last is the count
            size += len(waiting.body)
            if size >= _MAX_BYTES:
                break
        taken, self._waiting = self._waiting[:n], self._waiting[n:]
        return taken

    async def _append(self, taken: list[_Waiting]) -> None:
        batch = self._decode(taken)
        position = None
        if batch is not None:
            message = Message(
                payload=encode_batch(batch),
                rows=batch.num_rows,
                received_ns=taken[0].received_ns,
            )
            try:
                position = await self._producer.append(message)
            except LogStreamError as error:
                while taken:
                    taken.pop().done(error)
                return
        whole = Taken(position, 1, _NONE_REJECTED)
        while taken:
            waiting = taken.pop()
            rejections = waiting.rejections
            if rejections is None:
                waiting.done(whole)
            else:
                where = position if waiting.accepted else None
                waiting.done(Taken(where, waiting.accepted, rejections))

    def _decode(self, taken: list[_Waiting]) -> pa.RecordBatch | None:
        batch = self._decoder.singles(
            [waiting.body for waiting in taken], [waiting.received_ns for waiting in taken]
        )
        if batch is not None:
            return batch
        rows = []
        for waiting in taken:
            waiting.rejections = Rejections()
            more = self._decoder.rows(waiting.body, waiting.received_ns, waiting.rejections)
            waiting.accepted = len(more)
            rows += more
        return build(rows) if rows else None
