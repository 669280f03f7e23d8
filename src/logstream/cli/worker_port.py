"""The port of a worker that runs alone: is it alive, can it work, and its numbers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from logstream import __version__, metrics
from logstream.access import AccessKeys, bearer
from logstream.broker.base import Broker
from logstream.clock import SYSTEM_CLOCK
from logstream.errors import LogStreamError, MethodNotAllowed, NotFound, Unavailable
from logstream.ingest.listener import Listener
from logstream.ingest.request import JSON, Handler, Headers, Pending, Request, Work
from logstream.ingest.surroundings import Bounds
from logstream.ingest.tally import Tally
from logstream.settings import Settings
from logstream.store.base import Store

__all__ = ["worker_port"]

_BACKLOG = 64
_MAX_BODY_BYTES = 1 << 10
_READY_TIMEOUT_S = 5.0
_STOP_TIMEOUT_S = 1.0
_TEXT: Headers = (("content-type", "text/plain; version=0.0.4; charset=utf-8"),)

_encode = msgspec.json.Encoder().encode

_Answer = tuple[Headers, bytes]


@asynccontextmanager
async def worker_port(
    settings: Settings,
    broker: Broker,
    store: Store,
    sock: socket.socket,
    *,
    begun: asyncio.Event,
    stop: asyncio.Event,
) -> AsyncIterator[None]:
    """Answer ``/health``, ``/ready`` and ``/metrics`` on a listening socket inside the block.

    ``/ready`` says no until ``begun`` is set, once ``stop`` is, and while broker or store cannot
    be asked.
    """
    app = _WorkerApp(settings, broker, store, begun, stop)
    bounds = Bounds(
        max_body_bytes=_MAX_BODY_BYTES,
        timeout_s=settings.request_timeout_s,
        pending=Pending(_BACKLOG * _MAX_BODY_BYTES),
    )
    listener = Listener(app, bounds, _Uncounted(), clock=SYSTEM_CLOCK, backlog=_BACKLOG)
    await listener.start(sock)
    try:
        yield
    finally:
        await listener.stop(_STOP_TIMEOUT_S)
        sock.close()


class _Uncounted(Tally):
    """The metrics of requests are those of the ingestion API; these are not among them."""

    def request(self, status: int, seconds: float) -> None:
        """Let it pass."""


class _WorkerApp(Handler):
    def __init__(
        self,
        settings: Settings,
        broker: Broker,
        store: Store,
        begun: asyncio.Event,
        stop: asyncio.Event,
    ) -> None:
        self._broker = broker
        self._store = store
        self._begun = begun
        self._stop = stop
        self._keys = AccessKeys(settings.api_keys)
        self._tasks: set[asyncio.Task[None]] = set()
        self._routes: dict[bytes, Callable[[], Awaitable[_Answer]]] = {
            b"/health": self._health,
            b"/ready": self._ready,
            b"/metrics": self._metrics,
        }

    def admit(self, request: Request) -> Work:
        if request.path != b"/health":
            key = bearer(request.header(b"authorization"), request.header(b"x-api-key"))
            self._keys.check(key)
        answer = self._routes.get(request.path)
        if answer is None:
            raise NotFound("there is nothing at this path", hint="ask for /health")
        if request.method not in (b"GET", b"HEAD"):
            raise MethodNotAllowed("this path takes GET, HEAD", allowed="GET, HEAD")

        async def run(request: Request) -> None:
            try:
                headers, body = await answer()
            except LogStreamError as error:
                request.fail(error)
            else:
                request.answer(200, headers, body)

        def start(request: Request) -> None:
            task = asyncio.create_task(run(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return start

    async def _health(self) -> _Answer:
        return JSON, _encode({"status": "ok", "version": __version__})

    async def _ready(self) -> _Answer:
        if self._stop.is_set():
            raise Unavailable("shutting down")
        try:
            async with asyncio.timeout(_READY_TIMEOUT_S):
                await self._store.ping()
                await self._broker.status()
        except TimeoutError as exc:
            raise Unavailable("the store or the broker does not answer") from exc
        except LogStreamError as exc:
            raise Unavailable(exc.message, hint=exc.hint) from exc
        if not self._begun.is_set():
            raise Unavailable("just starting")
        return JSON, _encode({"ready": True})

    async def _metrics(self) -> _Answer:
        return _TEXT, await asyncio.to_thread(metrics.render)
