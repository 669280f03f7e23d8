"""What the dashboard works with, as one value that is passed on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from logstream.broker.base import Broker
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.dashboard.history import History
from logstream.dashboard.peers import Peers
from logstream.dashboard.sse import HEARTBEAT_S
from logstream.live.hub import Hub
from logstream.settings import Settings
from logstream.store.base import QueryLimits, Store

__all__ = ["Services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of a running platform that the dashboard shows.

    All of them are started already, unless ``begun`` says that they wait for a server that is away,
    and are closed by whoever made them. ``draining`` is set when
    no more requests are wanted, ``stopping`` when the dashboard is to end its open streams;
    ``history`` is filled while the server runs, also with what ``peers`` say of themselves.
    ``heartbeat_s`` is the longest silence on an open stream.
    """

    store: Store
    broker: Broker
    hub: Hub
    settings: Settings
    clock: Clock = SYSTEM_CLOCK
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    history: History = field(default_factory=History)
    peers: Peers = field(default_factory=Peers)
    heartbeat_s: float = HEARTBEAT_S
    begun: Callable[[], bool] = lambda: True

    @property
    def limits(self) -> QueryLimits:
        """What one query may cost."""
        return QueryLimits(
            timeout_s=self.settings.query_timeout_s, memory_bytes=self.settings.query_memory_bytes
        )
