"""``logstream up``: the whole platform, with one command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Mapping

import click

from logstream.access import check_exposure
from logstream.cli import lock
from logstream.cli.options import settings_options, url_of
from logstream.cli.parts import refuse_memory_broker
from logstream.cli.process import (
    check_port,
    free_port,
    listen,
    prepare,
    start_logging,
)
from logstream.cli.pulse import Pulse, read
from logstream.cli.supervised import Screen, environment_of, programs_of, supervise
from logstream.cli.supervisor import Supervisor
from logstream.client import Connection, ServerUnreachable
from logstream.errors import LogStreamError
from logstream.settings import Resolved, Settings

__all__ = ["command"]

_POLL_S = 0.1
_START_TIMEOUT_S = 120.0
_REDRAW_S, _LINE_EVERY_S = 1.0, 10.0
_LOCK_PATIENCE_S = 15.0


@click.command(short_help="Start the whole platform.")
@click.option(
    "--simulate", "simulate_rate", is_flag=False, flag_value="200", default=None, metavar="[RATE]",
    help="Send simulated traffic too, RATE records a second (200 if not said).",
)  # fmt: skip
@settings_options()
def command(*, simulate_rate: str | None, resolved: Resolved, given: dict[str, str]) -> int:
    """Start the whole platform: ingestion API, broker, batch worker, store and dashboard.

    Processes that die are started again. Ctrl-C stops everything cleanly, a second one at once.
    """
    if simulate_rate is not None and not _is_rate(simulate_rate):
        raise click.UsageError(f"--simulate takes a rate above 0, not {simulate_rate!r}")
    settings = resolved.settings
    refuse_memory_broker(settings)
    check_exposure(settings, host=settings.ingest_host, setting="ingest_host")
    check_exposure(settings, host=settings.dashboard_host, setting="dashboard_host")
    run = prepare(settings)
    held = lock.take(run / "up.pid", patience_s=_LOCK_PATIENCE_S)
    sock = listen("ingest", settings.ingest_host, settings.ingest_port)
    check_port("dashboard", settings.dashboard_host, settings.dashboard_port)
    ports = {
        "ingest": sock.getsockname()[1],
        "dashboard": settings.dashboard_port or free_port(settings.dashboard_host),
    }
    start_logging(settings)
    environment = environment_of(given, resolved, ports)
    stands = asyncio.Event()
    programs = programs_of(settings, environment, sock, simulate_rate, after=stands)
    urls = {
        "dashboard": url_of(settings.dashboard_host, ports["dashboard"]),
        "ingestion API": url_of(settings.ingest_host, ports["ingest"]),
    }
    try:
        return asyncio.run(
            supervise(
                programs,
                lambda supervisor, screen: _show(supervisor, screen, urls, settings, stands),
                settings,
                hold=(held, sock.fileno()),
            )
        )
    finally:
        sock.close()
        os.close(held)


def _is_rate(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


async def _show(
    supervisor: Supervisor,
    screen: Screen,
    urls: Mapping[str, str],
    settings: Settings,
    stands: asyncio.Event,
) -> None:
    key = next(iter(settings.api_keys), "")
    # Alive is enough: a server that is away is waited for, and the log says so.
    dashboard = asyncio.ensure_future(_answers("dashboard", urls["dashboard"], key))
    dashboard.add_done_callback(lambda _: stands.set())
    try:
        await _answers("ingestion API", urls["ingestion API"], key)
        await dashboard
    finally:
        dashboard.cancel()
    supervisor.ready()
    screen.say(f"dashboard      {urls['dashboard']}")
    screen.say(f"ingestion API  {urls['ingestion API']}  (POST /logs)")
    from logstream import metrics

    pulse = Pulse()
    while True:
        reading = await asyncio.to_thread(lambda: read(metrics.samples(), time.monotonic()))
        line = pulse.line(reading)
        screen.redraw(line if screen.live else f"{time.strftime('%H:%M:%S')} {line}")
        await asyncio.sleep(_REDRAW_S if screen.live else _LINE_EVERY_S)


async def _answers(name: str, url: str, key: str) -> None:
    connection = Connection(url, api_key=key, timeout_s=2.0)
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while True:
        with contextlib.suppress(ServerUnreachable):
            answer = await asyncio.to_thread(connection.request, "GET", "/health")
            if answer.status == 200:
                connection.close()
                return
        if time.monotonic() > deadline_s:
            raise LogStreamError(f"the {name} did not start within {_START_TIMEOUT_S:.0f} s")
        await asyncio.sleep(_POLL_S)
