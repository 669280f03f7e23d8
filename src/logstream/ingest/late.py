"""A producer for the time before its broker is there."""

from __future__ import annotations

import asyncio

from logstream.broker.base import Done, Message, Position, Producer
from logstream.errors import BrokerUnavailable, LogStreamError

__all__ = ["LateProducer"]


class LateProducer(Producer):
    """Refuses everything, saying why, until it is given the producer that it stands for."""

    def __init__(self) -> None:
        self._real: Producer | None = None
        self._why: LogStreamError = BrokerUnavailable("the broker has not answered yet")

    def away(self, why: LogStreamError) -> None:
        """Why there is none yet."""
        self._why = why

    def come(self, producer: Producer) -> None:
        """There is one; it is closed with this."""
        self._real = producer

    async def append(self, message: Message) -> Position:
        return await self._there().append(message)

    def submit(self, message: Message, done: Done) -> None:
        if self._real is None:
            asyncio.get_running_loop().call_soon(done, self._refusal())
        else:
            self._real.submit(message, done)

    def check_room(self) -> None:
        self._there().check_room()

    async def wait_stored(self, position: Position, *, timeout_s: float) -> bool:
        return await self._there().wait_stored(position, timeout_s=timeout_s)

    async def close(self) -> None:
        if self._real is not None:
            await self._real.close()

    def _there(self) -> Producer:
        if self._real is None:
            raise self._refusal()
        return self._real

    def _refusal(self) -> BrokerUnavailable:
        # A new one each time: an error carries the traceback of whoever raised it.
        return BrokerUnavailable(self._why.message, hint=self._why.hint)
