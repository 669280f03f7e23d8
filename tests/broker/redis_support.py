"""What the Redis broker's tests share: brokers, a line that loses answers, ledgers."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

from logstream.broker.base import Consumer, Group, Message, Producer
from logstream.broker.redis import RedisBroker
from logstream.errors import BrokerFull, BrokerUnavailable
from logstream.testing.broker_contract import message

_MB = 1_000_000


def redis_broker(url: str, **changed: Any) -> RedisBroker:
    options: dict[str, Any] = {
        "capacity_bytes": 100 * _MB,
        "dedup_window_s": 3600.0,
        "dead_letter_bytes": _MB,
        "lease_s": 5.0,
        "timeout_s": 5.0,
    }
    return RedisBroker(url, **{**options, **changed})


class LossyLine:
    """A line to a server, which now and then is cut instead of bringing an answer.

    Attributes:
        share: Of all answers, those that are lost.
        lost: How many were.
    """

    def __init__(self, port: int, *, seed: int) -> None:
        self._port = port
        self._rng = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._served: set[asyncio.Task[None]] = set()
        self.share = 0.0
        self.lost = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def lead_to(self, port: int) -> None:
        """New connections go to another server; those that are there stay where they are."""
        self._port = port

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._served:
            task.cancel()
        await asyncio.gather(*self._served, return_exceptions=True)
        await self._server.wait_closed()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._served.add(task)
        task.add_done_callback(self._served.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        tasks = [
            asyncio.create_task(self._carry(reader, back, lossy=False)),
            asyncio.create_task(self._carry(there, writer, lossy=True)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for each in (writer, back):
                each.close()
            await asyncio.gather(*tasks, return_exceptions=True)
            for each in (writer, back):
                with contextlib.suppress(OSError):
                    await each.wait_closed()

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, lossy: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                if lossy and self._rng.random() < self.share:
                    self.lost += 1
                    return
                sink.write(data)
                await sink.drain()


@contextlib.asynccontextmanager
async def lossy_line(port: int, *, seed: int) -> AsyncIterator[LossyLine]:
    line = LossyLine(port, seed=seed)
    await line.open()
    try:
        yield line
    finally:
        await line.close()


async def patiently(call: Any, *arguments: Any, **named: Any) -> Any:
    """A call as the worker makes it: again, for as long as the broker is not available."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await call(*arguments, **named)
            except BrokerUnavailable:
                await asyncio.sleep(0.01)


async def drain(consumer: Consumer, count: int, *, max_bytes: int = 2000) -> list[Group]:
    """Read, fix and acknowledge until ``count`` entries were grouped."""
    groups: list[Group] = []
    grouped = 0
    while grouped < count:
        entries = await patiently(consumer.read, max_bytes=max_bytes, wait_s=5.0)
        assert entries, f"{grouped} of {count} entries came"
        group = await patiently(consumer.fix, entries)
        await patiently(consumer.ack, group)
        groups.append(group)
        grouped += len(entries)
    return groups


async def until(is_so: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110 – anything may make it so
            await asyncio.sleep(0.01)


async def read_on(consumer: Consumer) -> None:
    """Read for ever, until an error."""
    while True:
        await consumer.read(max_bytes=_MB, wait_s=0.02)


async def fill(producer: Producer, *, size: int) -> int:
    """Append until the broker is full; how many it took."""
    for n in range(10_000):
        try:
            await producer.append(message(n, size=size))
        except BrokerFull:
            return n
    raise AssertionError("never full")


def messages_in(groups: list[Group]) -> list[Message]:
    return [entry.message for group in groups for entry in group.entries]
