"""``logstream ingest``: the ingestion API alone."""

from __future__ import annotations

import asyncio
import os
import socket

import click

from logstream.access import check_exposure
from logstream.cli.options import settings_options, url_of
from logstream.cli.parts import refuse_memory_broker, run_ingest
from logstream.cli.process import (
    SOCKET,
    listen,
    run_until_stopped,
    start_process,
)
from logstream.cli.supervised import Screen, environment_of, ingest_programs, supervise
from logstream.cli.supervisor import Supervisor
from logstream.ingest.lean import leave_out_pandas
from logstream.settings import Resolved

__all__ = ["command"]


@click.command(short_help="Run the ingestion API alone.")
@settings_options()
def command(*, resolved: Resolved, given: dict[str, str]) -> int | None:
    """Run the ingestion API alone, until Ctrl-C. What it accepts waits in the broker until a
    worker writes it.
    """
    settings = resolved.settings
    refuse_memory_broker(settings)
    check_exposure(settings, host=settings.ingest_host, setting="ingest_host")
    leave_out_pandas()
    given_socket = os.environ.pop(SOCKET, "")
    start_process(settings)
    if given_socket:
        sock = socket.socket(fileno=int(given_socket))
        run_until_stopped(lambda stop: run_ingest(settings, stop, sock=sock))
        return None
    sock = listen("ingest", settings.ingest_host, settings.ingest_port)
    port: int = sock.getsockname()[1]
    click.echo(f"ingestion API  {url_of(settings.ingest_host, port)}  (POST /logs)")
    if settings.ingest_processes == 1:
        run_until_stopped(lambda stop: run_ingest(settings, stop, sock=sock))
        return None
    environment = environment_of(given, resolved, {"ingest": port})
    programs = ingest_programs(settings, environment, sock)
    hold = (sock.fileno(),)
    return asyncio.run(supervise(programs, _show_nothing, settings, hold=hold))


async def _show_nothing(supervisor: Supervisor, screen: Screen) -> None:
    """The processes say in their own logs what there is to say."""
