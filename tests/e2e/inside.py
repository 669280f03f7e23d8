"""A dashboard in a thread of this process, over a store whose faults the test decides."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from logstream.dashboard.server import serve
from logstream.record import Record
from logstream.settings import Settings
from logstream.store.base import Store
from tests.dashboard.support import make_services, store_records

__all__ = ["dashboard_over"]

START_S = 30.0


@contextmanager
def dashboard_over(store: Store, records: Sequence[Record] = ()) -> Iterator[str]:
    """The URL of a dashboard that shows this store, with these records, while the block runs."""
    folder = TemporaryDirectory()
    settings = Settings(dashboard_port=0, data_dir=Path(folder.name))
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    listening = threading.Event()
    urls: list[str] = []

    def heard(host: str, port: int) -> None:
        urls.append(f"http://{host}:{port}")
        listening.set()

    async def run() -> None:
        async with make_services(settings=settings, store=store) as services:
            await store_records(store, records)
            await serve(services, stop, on_listening=heard)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        assert listening.wait(START_S), "the dashboard never listened"
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(START_S)
        loop.close()
        folder.cleanup()
