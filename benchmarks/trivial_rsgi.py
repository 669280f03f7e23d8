"""Reads a body and answers 202: what HTTP alone costs, and so what the load generator costs."""

from __future__ import annotations

from typing import Any

ANSWER = b'{"accepted":1,"rejected":0,"errors":[],"ack":"none"}'
HEADERS = [("content-type", "application/json")]


async def app(scope: Any, protocol: Any) -> None:
    """An RSGI application."""
    await protocol()
    status = 200 if scope.path == "/ready" else 202
    protocol.response_bytes(status, HEADERS, ANSWER)
