"""Server-sent events: how one is written, and waiting that ends when the server stops."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec

__all__ = ["HEARTBEAT", "HEARTBEAT_S", "RETRY", "described", "event", "stops_within"]

MEDIA_TYPE = "text/event-stream"

# Shorter than the idle timeout of any usual proxy.
HEARTBEAT_S = 15.0
HEARTBEAT = b":\n\n"
RETRY = b"retry: 2000\n\n"
"""How soon a browser connects again by itself, in ms: the first line of a stream."""


def event(name: str, data: Any, id: str = "") -> bytes:
    """One event. JSON escapes newlines, so no value can end an event or begin another."""
    head = f"id: {id}\nevent: {name}\ndata: " if id else f"event: {name}\ndata: "
    return head.encode() + msgspec.json.encode(data) + b"\n\n"


def described(events: type[msgspec.Struct]) -> ResponseSpec:
    """The answer for OpenAPI: ``events`` has one member for each event's data, by its name."""
    return ResponseSpec(
        events,
        description="Server-sent events; the schema gives the data of each by its name.",
        media_type=MEDIA_TYPE,
        generate_examples=False,
    )


async def stops_within(stopping: asyncio.Event, seconds: float) -> bool:
    """Wait; true as soon as the server stops."""
    try:
        async with asyncio.timeout(seconds):
            return await stopping.wait()
    except TimeoutError:
        return False
