"""``python -m logstream.dashboard.describe > frontend/openapi.json``: what the types are made from.

The same document as ``/api/openapi.json``, laid out for reading, of an application that serves
nothing.
"""

from __future__ import annotations

import sys

import msgspec

from logstream.broker.memory import MemoryBroker
from logstream.clock import SYSTEM_CLOCK
from logstream.dashboard import openapi
from logstream.dashboard.app import create_app
from logstream.dashboard.services import Services
from logstream.live.hub import Hub
from logstream.settings import Settings
from logstream.store.memory import MemoryStore

__all__ = ["document"]


def document() -> bytes:
    """The OpenAPI document as JSON, two spaces deep, with a newline at its end."""
    settings, store = Settings(), MemoryStore()
    broker = MemoryBroker(
        capacity_bytes=1 << 20, dedup_window_s=1.0, dead_letter_bytes=1 << 20, clock=SYSTEM_CLOCK
    )
    hub = Hub(broker, store, settings, clock=SYSTEM_CLOCK)
    app = create_app(Services(store=store, broker=broker, hub=hub, settings=settings))
    return msgspec.json.format(openapi.description(**app.state[openapi.ROUTES]), indent=2) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(document())
