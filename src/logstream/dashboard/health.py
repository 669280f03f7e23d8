"""``/health``, ``/ready``, ``/metrics`` on this port, and ``/api/v1/info`` for the front end."""

from __future__ import annotations

import asyncio
from typing import Literal

import msgspec
from litestar import Response, get

import logstream
from logstream import metrics
from logstream.dashboard.errors import ERRORS
from logstream.dashboard.params import DEFAULT_FROM, MAX_LIMIT, ServicesDependency
from logstream.errors import LogStreamError, Unavailable
from logstream.timestamps import format_timestamp

__all__ = ["health", "info", "metrics_text", "ready"]

READY_TIMEOUT_S = 5.0


class HealthAnswer(msgspec.Struct):
    """The process is alive."""

    status: Literal["ok"]
    version: str


class ReadyAnswer(msgspec.Struct):
    """The store and the broker answer."""

    status: Literal["ready"]
    store: Literal["ok"]
    broker: Literal["ok"]
    durability: str


class InfoAnswer(msgspec.Struct):
    """What the front end needs to know about this installation; no secrets."""

    version: str
    now: str
    ingest_host: str
    ingest_port: int
    dashboard_port: int
    keys_required: bool
    retention_s: float
    retention_size_bytes: int
    query_timeout_s: float
    query_memory_bytes: int
    max_limit: int
    default_from: str
    max_body_bytes: int
    max_message_bytes: int
    tail_buffer_records: int
    tail_clients: int
    flush_interval_s: float
    broker: str
    store: str


@get("/health", responses=ERRORS, summary="Is it alive?")
async def health() -> HealthAnswer:
    """Answers while the process runs; asks nobody for a key."""
    return HealthAnswer("ok", logstream.__version__)


@get("/ready", responses=ERRORS, summary="Would it answer a query?")
async def ready(services: ServicesDependency) -> ReadyAnswer:
    """Whether the store and the broker can be asked now, and it is not about to end."""
    if services.draining.is_set():
        raise Unavailable("shutting down")
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            await services.store.ping()
            status = await services.broker.status()
    except TimeoutError as exc:
        raise Unavailable("the store or the broker does not answer") from exc
    except LogStreamError as exc:
        raise Unavailable(exc.message, hint=exc.hint) from exc
    if not services.begun():
        raise Unavailable("just starting")
    return ReadyAnswer("ready", "ok", "ok", status.durability)


@get(
    "/metrics", responses=ERRORS, summary="Prometheus metrics",
    media_type="text/plain; version=0.0.4; charset=utf-8",
)  # fmt: skip
async def metrics_text() -> Response[bytes]:
    """The numbers of all processes of this platform, for Prometheus."""
    return Response(
        await asyncio.to_thread(metrics.render),
        media_type="text/plain; version=0.0.4; charset=utf-8",
    )


@get("/info", responses=ERRORS, summary="Version and limits")
async def info(services: ServicesDependency) -> InfoAnswer:
    """Version, limits and retention of this installation."""
    settings = services.settings
    return InfoAnswer(
        version=logstream.__version__,
        now=format_timestamp(services.clock.time_ns()),
        ingest_host=settings.ingest_host,
        ingest_port=settings.ingest_port,
        dashboard_port=settings.dashboard_port,
        keys_required=bool(settings.api_keys),
        retention_s=settings.retention_s,
        retention_size_bytes=settings.retention_size_bytes,
        query_timeout_s=settings.query_timeout_s,
        query_memory_bytes=settings.query_memory_bytes,
        max_limit=MAX_LIMIT,
        default_from=DEFAULT_FROM,
        max_body_bytes=settings.max_body_bytes,
        max_message_bytes=settings.max_message_bytes,
        tail_buffer_records=settings.tail_buffer_records,
        tail_clients=settings.tail_clients,
        flush_interval_s=settings.flush_interval_s,
        # Only the kind: a URL may carry a password.
        broker=settings.broker_url.partition(":")[0],
        store=settings.store_url.partition(":")[0],
    )
