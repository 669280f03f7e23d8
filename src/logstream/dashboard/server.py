"""The dashboard's port, served inside the caller's event loop.

The store lives in this process (an embedded one allows no second process), the live hub and the
batch worker share its loop, so the server must too: Granian's embedded one does.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from granian.constants import Interfaces
from granian.server.embed import Server

from logstream.access import check_exposure
from logstream.dashboard import web
from logstream.dashboard.app import create_app
from logstream.dashboard.history import record_history
from logstream.dashboard.services import Services
from logstream.dashboard.shell import Shell
from logstream.errors import SettingError

__all__ = ["serve"]

CONNECT_TRIES = 100


async def serve(
    services: Services,
    stop: asyncio.Event,
    *,
    on_listening: Callable[[str, int], None] | None = None,
) -> None:
    """Serve the dashboard until ``stop`` is set, then end gracefully.

    ``/ready`` says no for ``drain_delay`` first. Then no connection is taken any more, open
    streams are told to end at once; other requests have ``shutdown_timeout`` to finish and are
    cancelled after that.

    Args:
        services: What is shown; started by the caller and closed by the caller afterwards.
        stop: Set by the caller to end.
        on_listening: Called with host and port once requests are answered.

    Raises:
        SettingError: the port is taken, or listening there needs access keys.
    """
    settings = services.settings
    host = settings.dashboard_host
    check_exposure(settings, host=host, setting="dashboard_host")
    port = _claim_port(host, settings.dashboard_port)
    app = create_app(services, web.built())
    shell = cast("Shell", app.asgi_handler)
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
    )
    history = asyncio.create_task(
        record_history(services.history, services.clock, services.stopping, services.peers)
    )
    running = asyncio.create_task(server.serve())
    stopped = asyncio.create_task(stop.wait())
    try:
        if on_listening is not None:
            await _listening(host, port, running)
            on_listening(host, port)
        await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
        services.draining.set()
        await asyncio.wait((running,), timeout=settings.drain_delay_s)
        if running.done():
            running.result()
    finally:
        services.stopping.set()
        server.stop()  # type: ignore[no-untyped-call] # granian leaves it untyped
        await asyncio.wait((running,), timeout=settings.shutdown_timeout_s)
        shell.cancel_all()
        stopped.cancel()
        await asyncio.gather(running, stopped, history, return_exceptions=True)


def _claim_port(host: str, port: int) -> int:
    # Granian lets several servers share a port, so a second platform would start and silently
    # take half of the requests: see first that nobody is there, and find a free one for 0.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise SettingError(
                f"the dashboard cannot listen on {host}:{port}: {exc.strerror}",
                hint="stop what listens there, or set LOGSTREAM_DASHBOARD_PORT",
            ) from exc
        return int(probe.getsockname()[1])


async def _listening(host: str, port: int, running: asyncio.Task[None]) -> None:
    for _ in range(CONNECT_TRIES):
        if running.done():
            return
        with suppress(OSError):
            _, writer = await asyncio.open_connection(_reachable(host), port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(0.02)


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
