"""What the connections of one listener share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from logstream.clock import Clock
from logstream.errors import PayloadTooLarge
from logstream.ingest.request import Handler, Pending
from logstream.ingest.tally import Tally

if TYPE_CHECKING:
    from logstream.ingest.connection import Connection

__all__ = ["Bounds", "Surroundings"]


class Bounds:
    """What one request may take: ``max_body_bytes`` as sent, ``timeout_s`` to arrive whole."""

    __slots__ = ("max_body_bytes", "pending", "timeout_s")

    def __init__(self, *, max_body_bytes: int, timeout_s: float, pending: Pending) -> None:
        self.max_body_bytes = max_body_bytes
        self.timeout_s = timeout_s
        self.pending = pending

    def check_size(self, size: int) -> None:
        """Raises `PayloadTooLarge` for a body that has more bytes than one may have."""
        if size > self.max_body_bytes:
            raise PayloadTooLarge(
                f"the body is more than {self.max_body_bytes} bytes",
                hint="send smaller bodies, or raise max_body",
            )


class Surroundings:
    """What all connections of a listener share. ``open`` is those that
    are, ``empty`` is set when the last of them has gone."""

    __slots__ = ("bounds", "clock", "draining", "empty", "handler", "open", "tally")

    def __init__(self, handler: Handler, bounds: Bounds, tally: Tally, clock: Clock) -> None:
        self.handler = handler
        self.bounds = bounds
        self.tally = tally
        self.clock = clock
        self.open: set[Connection] = set()
        self.empty = asyncio.Event()
        self.draining = False
