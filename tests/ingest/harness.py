"""A running ingestion API on a free port, and a client that sends exactly the bytes it is given."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from logstream.broker import open_broker
from logstream.broker.base import Broker
from logstream.ingest.server import open_socket, serve
from logstream.record import Record, decode_batch, records_of
from logstream.settings import Settings


class Answer(msgspec.Struct):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        """The members of the one JSON error shape."""
        assert self.headers["content-type"] == "application/json"
        assert list(self.json) == ["error"]
        return self.json["error"]


class Service:
    """The running API: requests to it, and what its broker holds."""

    def __init__(self, port: int, broker: Broker, stop: asyncio.Event) -> None:
        self.port = port
        self.broker = broker
        self.stop = stop
        self._consumer: Any = None
        self.stored: list[Record] = []

    async def raw(self, *parts: bytes, end: bool = False, head: bool = False) -> Answer | None:
        """Send the bytes; ``end`` closes our side after them. ``None``: cut without an answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
            if end:
                writer.write_eof()
            return await read_answer(reader, head=head)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def request(
        self,
        method: str,
        target: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        data = body.encode() if isinstance(body, str) else body
        lines = [f"{method} {target} HTTP/1.1", "host: x", "connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if data is not None:
            lines.append(f"content-length: {len(data)}")
        raw = "\r\n".join([*lines, "", ""]).encode() + (data or b"")
        answer = await self.raw(raw, head=method == "HEAD")
        assert answer is not None
        return answer

    async def post(self, body: bytes | str, target: str = "/logs", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.request("POST", target, body, named)

    async def records(self) -> list[Record]:
        """Everything the worker would store so far."""
        if self._consumer is None:
            self._consumer = await self.broker.consumer()
        while entries := await self._consumer.read(max_bytes=1 << 30, wait_s=0):
            group = await self._consumer.fix(entries)
            for entry in group.entries:
                self.stored += records_of(decode_batch(entry.message.payload))
            await self._consumer.ack(group)
        return self.stored

    async def messages(self) -> list[str]:
        return [record.message for record in await self.records()]

    async def close(self) -> None:
        if self._consumer is not None:
            await self._consumer.close()


async def read_answer(reader: asyncio.StreamReader, *, head: bool = False) -> Answer | None:
    """The next answer on a connection (to ``HEAD`` if ``head``); ``None`` if it was closed."""
    try:
        top = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    status, *lines = top.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if line)
    length = 0 if head else int(headers.get("content-length", 0))
    body = await reader.readexactly(length)
    return Answer(int(status.split()[1]), headers, body)


Start = Callable[..., contextlib.AbstractAsyncContextManager[Service]]


@contextlib.asynccontextmanager
async def running(
    broker: Broker | None = None, *, send_buffer_bytes: int = 0, **changed: Any
) -> AsyncIterator[Service]:
    settings = Settings(ingest_port=0, broker="memory:", **changed)
    broker = broker or open_broker(
        settings.broker_url,
        capacity_bytes=settings.broker_capacity_bytes,
        segment_bytes=settings.broker_segment_bytes,
        dedup_window_s=settings.idempotency_window_s,
        dead_letter_bytes=settings.dead_letter_bytes,
    )
    stop, ready = asyncio.Event(), asyncio.Event()
    sock = open_socket(settings)
    if send_buffer_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
    service = Service(sock.getsockname()[1], broker, stop)
    serving = asyncio.create_task(serve(settings, stop=stop, sock=sock, broker=broker, ready=ready))
    try:
        await asyncio.wait(
            (serving, asyncio.create_task(ready.wait())), return_when=asyncio.FIRST_COMPLETED
        )
        yield service
    finally:
        stop.set()
        await serving
        await service.close()
        await broker.close()
