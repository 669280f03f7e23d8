"""Takes connections on a socket, watches over their time, and ends them in order."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from logstream.clock import Clock
from logstream.ingest.connection import Connection
from logstream.ingest.request import Handler
from logstream.ingest.surroundings import Bounds, Surroundings
from logstream.ingest.tally import Tally

__all__ = ["Listener"]

MAX_CONNECTIONS = 8_192
_LOOK_S = 1.0


class Listener:
    """The HTTP server of one ingestion process.

    One timer looks after the time limits of all connections: one for each request would cost
    more than reading it.
    """

    def __init__(
        self, handler: Handler, bounds: Bounds, tally: Tally, *, clock: Clock, backlog: int
    ) -> None:
        self._around = Surroundings(handler, bounds, tally, clock)
        self._clock = clock
        self._backlog = backlog
        self._look_s = min(_LOOK_S, bounds.timeout_s / 4)
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, sock: socket.socket) -> None:
        """Take connections from now on. The socket stays the caller's; it is not closed here."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._connection, sock=sock.dup(), backlog=self._backlog
        )
        self._plan()

    def _connection(self) -> asyncio.Protocol:
        if len(self._around.open) >= MAX_CONNECTIONS:
            return _TooMany()
        return Connection(self._around)

    def _plan(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._look_s, self._look)

    def _look(self) -> None:
        self._plan()  # first: nothing that goes wrong below may end it
        now_s = self._clock.monotonic_s()
        for connection in tuple(self._around.open):
            connection.look(now_s)

    async def stop(self, timeout_s: float) -> int:
        """Take no more; answer what is in work, for at most so long; how many were cut."""
        self._around.draining = True
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._around.open):
            connection.drain()
        if self._around.open:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._around.empty.wait(), timeout_s)
        left = tuple(self._around.open)
        for connection in left:
            connection.cut()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.sleep(0)  # the transports tell their connections
        return len(left)


class _TooMany(asyncio.Protocol):
    """Ends a connection over the limit at once; its sender may come again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
