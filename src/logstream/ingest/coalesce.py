"""Many small requests → one entry in the broker.

While one append is on its way to the disk, the bodies that arrive meanwhile are collected; the
next append takes the records of them all. An idle platform appends at once, a busy one appends
batches that grow with the load, and nobody waits for a timer. Together they are also decoded much
faster than one by one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

import msgspec
import pyarrow as pa

from logstream.broker.base import Message, Position, Producer
from logstream.errors import LogStreamError
from logstream.record import encode_batch
from logstream.wire import NativeDecoder, Rejections
from logstream.wire.columns import build

__all__ = ["Coalescer", "Taken"]

_log = logging.getLogger(__name__)

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
        self._busy = False
        self._idle = asyncio.Event()
        self._idle.set()

    def submit(self, body: bytes, received_ns: int, done: Done) -> None:
        """Hand over a body; ``done`` is told when its records are durable.

        Told `BrokerFull` or `BrokerUnavailable`, nothing of it was acknowledged.
        """
        self._waiting.append(_Waiting(body, received_ns, done))
        if not self._busy:
            self._busy = True
            self._idle.clear()
            # Not at once: what the loop has already read comes along.
            asyncio.get_running_loop().call_soon(self._next)

    async def close(self) -> None:
        """Wait until everything that was handed over is answered."""
        await self._idle.wait()

    def _next(self) -> None:
        """Append what waits, if anything does."""
        while self._waiting:
            taken = self._take()
            try:
                batch = self._decode(taken)
                if batch is None:
                    _tell(taken, None)
                    continue
                message = Message(
                    payload=encode_batch(batch),
                    rows=batch.num_rows,
                    received_ns=taken[0].received_ns,
                )
                self._producer.submit(message, partial(self._appended, taken))
            except Exception as error:  # noqa: BLE001 - nobody may wait for an answer that will not come
                _log.exception("%d bodies could not be taken", len(taken))
                _tell(taken, LogStreamError(f"the append was broken off: {error!r}"))
                continue
            return
        self._busy = False
        self._idle.set()

    def _appended(self, taken: list[_Waiting], result: Position | LogStreamError) -> None:
        try:
            _tell(taken, result)
        finally:
            # What is sent upon these answers, or was on its way, comes along.
            asyncio.get_running_loop().call_soon(self._next)

    def _take(self) -> list[_Waiting]:
        size = n = 0
        for n, waiting in enumerate(self._waiting, 1):  # noqa: B007 - the last is the count
            size += len(waiting.body)
            if size >= _MAX_BYTES:
                break
        taken, self._waiting = self._waiting[:n], self._waiting[n:]
        return taken

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


def _tell(taken: list[_Waiting], result: Position | LogStreamError | None) -> None:
    """Each its own: where its records are, or why they are not."""
    if isinstance(result, LogStreamError):
        for waiting in taken:
            waiting.done(result)
        return
    whole = Taken(result, 1, _NONE_REJECTED)
    for waiting in taken:
        rejections = waiting.rejections
        if rejections is None:
            waiting.done(whole)
        else:
            where = result if waiting.accepted else None
            waiting.done(Taken(where, waiting.accepted, rejections))
