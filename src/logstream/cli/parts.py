"""The parts of the platform, put together from the settings: each function runs one until told.

Imports are made inside: the metrics' folder must be set before any part is imported, and a
command that only asks a server should not load an engine.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from logstream.errors import LogStreamError, SettingError, StoreUnavailable
from logstream.settings import Settings

if TYPE_CHECKING:
    from logstream.broker.base import Broker
    from logstream.store.base import Store

# A thread whose fsync is done waits this long for the interpreter, and everybody's answer with
# it; Python's own 5 ms are longer than most requests.
_SWITCH_INTERVAL_S = 0.0005

__all__ = [
    "refuse_memory_broker",
    "refuse_memory_store",
    "run_dashboard",
    "run_ingest",
    "run_store",
    "run_worker",
]


def refuse_memory_broker(settings: Settings) -> None:
    """Say at once that processes cannot share memory.

    Raises:
        SettingError: the broker is ``memory:``.
    """
    if settings.broker_url.startswith("memory:"):
        raise SettingError(
            "broker memory: lives inside one process and cannot connect several",
            hint="leave the setting broker empty to use a folder in data_dir",
        )


def refuse_memory_store(settings: Settings) -> None:
    """Say at once that a part which runs alone would keep what nobody else can see.

    Raises:
        SettingError: the store is ``memory:``.
    """
    if settings.store_url.startswith("memory:"):
        raise SettingError(
            "store memory: lives inside one process and is lost with it",
            hint="give --store clickhouse://… or mongodb://…, or use logstream up",
        )


async def run_ingest(
    settings: Settings, stop: asyncio.Event, *, sock: socket.socket | None = None
) -> None:
    """One ingestion process, on a listening socket that it was given or opens itself.

    Raises:
        LogStreamError: it cannot start or go on.
    """
    from logstream.ingest.server import serve

    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    await serve(settings, stop=stop, sock=sock)


async def run_store(settings: Settings, stop: asyncio.Event) -> None:
    """Batch worker, live hub and dashboard on one loop, until ``stop``; then the worker first
    writes what it has read, and the dashboard ends last. Raises as `run_ingest`.
    """
    from logstream.dashboard.server import serve
    from logstream.dashboard.services import Services
    from logstream.live.hub import Hub
    from logstream.worker.service import run_worker as work

    async with _open(settings) as (broker, store):
        # Where there may be other workers, the hub does not hear of all that reaches the store.
        alone = not settings.broker_url.startswith("redis")
        hub = Hub(broker, store if alone else None, settings)
        await hub.start()
        try:
            services = Services(store=store, broker=broker, hub=hub, settings=settings)
            # Each has its own event: it is also how the end of one ends the other.
            stop_worker, stop_dashboard = asyncio.Event(), asyncio.Event()
            await _both(
                stop,
                (work(broker, store, settings, stop=stop_worker, listeners=[hub]), stop_worker),
                (serve(services, stop_dashboard), stop_dashboard),
            )
        finally:
            await hub.close()


async def run_worker(
    settings: Settings, stop: asyncio.Event, *, sock: socket.socket | None = None
) -> None:
    """The batch worker alone. Raises as `run_ingest`.

    ``sock``: a listening socket for its ``/health``, ``/ready`` and ``/metrics``; closed here.
    """
    from logstream.cli.worker_port import worker_port
    from logstream.worker.service import run_worker as work

    async with _open(settings) as (broker, store):
        port = worker_port(settings, broker, store, sock, stop) if sock else nullcontext()
        async with port:
            await work(broker, store, settings, stop=stop)


async def run_dashboard(
    settings: Settings, stop: asyncio.Event, *, on_listening: Callable[[str, int], None]
) -> None:
    """The dashboard alone; its live tail knows nothing of the store. Raises as `run_ingest`.

    ``on_listening`` is given host and port once requests are answered.
    """
    from logstream.dashboard.peers import Peers
    from logstream.dashboard.server import serve
    from logstream.dashboard.services import Services
    from logstream.live.hub import Hub

    try:
        async with _open(settings) as (broker, store):
            hub = Hub(broker, None, settings)
            await hub.start()
            try:
                key = next(iter(settings.api_keys), "")
                peers = Peers(settings.metrics_urls, api_key=key)
                services = Services(
                    store=store, broker=broker, hub=hub, settings=settings, peers=peers
                )
                await serve(services, stop, on_listening=on_listening)
            finally:
                await hub.close()
    except StoreUnavailable as exc:
        if not settings.store_url.startswith("chdb:"):
            raise
        raise LogStreamError(
            exc.message,
            hint="the embedded store allows one process: use logstream up, "
            "which runs the dashboard beside the worker",
        ) from exc


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[tuple[Broker, Store]]:
    from logstream.broker import open_broker_of
    from logstream.store import open_store

    broker = open_broker_of(settings)
    async with broker:
        store = open_store(settings.store_url, query_concurrency=settings.query_concurrency)
        try:
            await store.start()
            yield broker, store
        finally:
            await store.close()


async def _both(
    stop: asyncio.Event, *parts: tuple[Coroutine[Any, Any, None], asyncio.Event]
) -> None:
    """Run parts until ``stop``, or until one ends by itself; then end them in order."""
    tasks = [asyncio.create_task(part) for part, _ in parts]
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((*tasks, stopped), return_when=asyncio.FIRST_COMPLETED)
        for part_task, (_, stop_part) in zip(tasks, parts, strict=True):
            stop_part.set()
            await asyncio.wait((part_task,))
        for part_task in tasks:
            part_task.result()
    finally:
        for task in (*tasks, stopped):
            task.cancel()
        await asyncio.gather(*tasks, stopped, return_exceptions=True)
