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
from logstream.patience import at_first, unless, until_there
from logstream.settings import Settings

if TYPE_CHECKING:
    from logstream.broker.base import Broker
    from logstream.live.hub import Hub
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

    async with _made(settings) as (broker, store):
        # Where there may be other workers, the hub does not hear of all that reaches the store.
        hub = Hub(broker, store, settings, told=not settings.broker_url.startswith("redis"))
        # Each has its own event: it is also how the end of one ends the other.
        stop_worker, stop_dashboard = asyncio.Event(), asyncio.Event()
        async with _begun(settings, store, hub, stop) as begun:
            services = Services(
                store=store, broker=broker, hub=hub, settings=settings, begun=begun.done
            )

            async def worker() -> None:
                await unless(stop_worker, _done(begun))
                if not stop_worker.is_set():
                    await work(broker, store, settings, stop=stop_worker, listeners=[hub])

            await _both(
                stop, (worker(), stop_worker), (serve(services, stop_dashboard), stop_dashboard)
            )


async def run_worker(
    settings: Settings, stop: asyncio.Event, *, sock: socket.socket | None = None
) -> None:
    """The batch worker alone. Raises as `run_ingest`.

    ``sock``: a listening socket for its ``/health``, ``/ready`` and ``/metrics``; closed here.
    """
    from logstream.cli.worker_port import worker_port
    from logstream.worker.service import run_worker as work

    async with _made(settings) as (broker, store):
        begun = asyncio.Event()
        port = (
            worker_port(settings, broker, store, sock, begun=begun, stop=stop)
            if sock
            else nullcontext()
        )
        async with port:
            await unless(stop, until_there("store", settings.store_url, store.start))
            if not stop.is_set():
                begun.set()
                await work(broker, store, settings, stop=stop)


async def run_dashboard(
    settings: Settings, stop: asyncio.Event, *, on_listening: Callable[[str, int], None]
) -> None:
    """The dashboard alone; nobody tells its live tail what is in the store. Raises as `run_ingest`.

    ``on_listening`` is given host and port once requests are answered.
    """
    from logstream.dashboard.peers import Peers
    from logstream.dashboard.server import serve
    from logstream.dashboard.services import Services
    from logstream.live.hub import Hub

    try:
        async with _made(settings) as (broker, store):
            hub = Hub(broker, store, settings, told=False)
            async with _begun(settings, store, hub, stop) as begun:
                key = next(iter(settings.api_keys), "")
                peers = Peers(settings.metrics_urls, api_key=key)
                services = Services(
                    store=store, broker=broker, hub=hub, settings=settings, peers=peers,
                    begun=begun.done,
                )  # fmt: skip
                stop_waiting, stop_dashboard = asyncio.Event(), asyncio.Event()

                async def beginning() -> None:
                    await unless(stop_waiting, _done(begun))
                    await stop_waiting.wait()

                await _both(
                    stop,
                    (beginning(), stop_waiting),
                    (serve(services, stop_dashboard, on_listening=on_listening), stop_dashboard),
                )
    except StoreUnavailable as exc:
        if not settings.store_url.startswith("chdb:"):
            raise
        raise LogStreamError(
            exc.message,
            hint="the embedded store allows one process: use logstream up, "
            "which runs the dashboard beside the worker",
        ) from exc


@asynccontextmanager
async def _made(settings: Settings) -> AsyncIterator[tuple[Broker, Store]]:
    """Broker and store, not begun."""
    from logstream.broker import open_broker_of
    from logstream.store import open_store

    async with open_broker_of(settings) as broker:
        store = open_store(settings.store_url, query_concurrency=settings.query_concurrency)
        try:
            yield broker, store
        finally:
            await store.close()


@asynccontextmanager
async def _begun(
    settings: Settings, store: Store, hub: Hub, stop: asyncio.Event
) -> AsyncIterator[asyncio.Task[None]]:
    """The task that begins store and hub: done before the block is entered, unless a server is
    away. Then it goes on, and what is asked of them meanwhile says what is wrong."""

    async def begin() -> None:
        each = [
            asyncio.ensure_future(until_there("store", settings.store_url, store.start)),
            asyncio.ensure_future(until_there("broker", settings.broker_url, hub.start)),
        ]
        try:
            await asyncio.wait(each, return_when=asyncio.FIRST_EXCEPTION)
            for task in each:
                if task.done():
                    task.result()
        finally:
            for task in each:
                task.cancel()
            await asyncio.gather(*each, return_exceptions=True)

    begun = asyncio.create_task(begin())
    try:
        await at_first(begun, settings.store_url, settings.broker_url, stop=stop)
        yield begun
    finally:
        begun.cancel()
        await asyncio.gather(begun, return_exceptions=True)
        await hub.close()


async def _done(task: asyncio.Task[None]) -> None:
    await asyncio.shield(task)


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
