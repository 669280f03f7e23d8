"""Parts to make a dashboard of, and what its tests share."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from logstream.broker.memory import MemoryBroker
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.dashboard.app import create_app
from logstream.dashboard.services import Services
from logstream.dashboard.sse import HEARTBEAT_S
from logstream.live.hub import Hub
from logstream.record import Record, batch_of
from logstream.settings import Settings
from logstream.store.base import Store
from logstream.store.memory import MemoryStore

NOW_NS = 1_700_000_000_000_000_000
S = 10**9

logging.getLogger("logstream.dashboard").setLevel(logging.CRITICAL)


@asynccontextmanager
async def make_services(
    *,
    settings: Settings | None = None,
    clock: Clock = SYSTEM_CLOCK,
    store: Store | None = None,
    heartbeat_s: float = HEARTBEAT_S,
) -> AsyncIterator[Services]:
    """Services over a memory store and broker, closed at the end."""
    settings = settings or Settings()
    store = store or MemoryStore()
    broker = MemoryBroker(
        capacity_bytes=1 << 20, dedup_window_s=60.0, dead_letter_bytes=1 << 20, clock=clock
    )
    hub = Hub(broker, store, settings, clock=clock)
    await store.start()
    await hub.start()
    async with broker:
        try:
            yield Services(
                store=store, broker=broker, hub=hub, settings=settings, clock=clock,
                heartbeat_s=heartbeat_s,
            )  # fmt: skip
        finally:
            await hub.close()
            await store.close()


@asynccontextmanager
async def open_client(
    services: Services, base_url: str = "http://localhost"
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application itself, without a socket."""
    transport = httpx.ASGITransport(create_app(services))  # type: ignore[arg-type] # its ASGI types are looser
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
        yield client


async def store_records(store: Store, records: Sequence[Record], *, group: int = 1) -> None:
    """Put records into the store in this order."""
    if records:
        await store.insert(batch_of(records), group=group)


def sample_records() -> list[Record]:
    """Six records of the last ten minutes, oldest first."""
    rows: tuple[tuple[int, str, int, str, str, dict[str, str]], ...] = (
        (600, "info", 9, "api", "GET /health 200", {"status": "200"}),
        (420, "info", 9, "web", "page shown", {"status": "200"}),
        (300, "error", 17, "api", "connection refused", {"status": "502", "a/b c": "x,y"}),
        (120, "warn", 13, "db", "slow query", {"duration_ms": "912"}),
        (60, "fatal", 21, "db", "out of memory", {}),
        (5, "info", 9, "api", "GET /items 200", {"status": "200"}),
    )
    return [
        Record(
            timestamp_ns=NOW_NS - ago_s * S + 123_456_789,
            level=level,
            severity_number=number,
            service=service,
            message=message,
            trace_id="4bf92f3577b34da6a3ce929d0e0e4736" if service == "api" else "",
            attributes=attributes,
            resource={"host.name": f"{service}-1"},
        )
        for ago_s, level, number, service, message, attributes in rows
    ]


def assert_error(
    response: httpx.Response, status: int, code: str, text: str = ""
) -> dict[str, Any]:
    """The answer is an error in the one shape; returns what is inside ``error``."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert error["code"] == code, error
    assert isinstance(error["message"], str)
    assert error["message"]
    assert not error["message"].endswith(".")
    assert error["request_id"] == response.headers["x-request-id"]
    assert text in error["message"], error
    optional = {"hint", "line", "column", "expected", "retry_after_s"}
    assert set(error) <= {"code", "message", "request_id"} | optional
    assert "Traceback" not in response.text
    return error


async def pages(
    client: httpx.AsyncClient, limit: int, **params: str
) -> AsyncIterator[list[dict[str, Any]]]:
    """The pages of a search, from the first to the last."""
    cursor: str | None = ""
    while cursor is not None:
        response = await client.get(
            "/api/v1/search", params={**params, "limit": limit, "cursor": cursor}
        )
        assert response.status_code == 200, response.text
        answer = response.json()
        yield answer["records"]
        cursor = answer["next_cursor"]
