"""``logstream worker``: the batch worker alone."""

from __future__ import annotations

import click

from logstream.access import check_exposure
from logstream.cli.options import settings_options, url_of
from logstream.cli.parts import refuse_memory_broker, refuse_memory_store, run_worker
from logstream.cli.process import leave, listen, run_until_stopped, start_process
from logstream.settings import Resolved

__all__ = ["command"]


@click.command(short_help="Run the batch worker alone.")
@settings_options()
def command(*, resolved: Resolved, given: dict[str, str]) -> None:
    """Run the batch worker alone: from the broker into the store, until Ctrl-C.

    On Redis any number of them share the work; on a disk broker there is one. With the embedded
    store no dashboard can run beside it; `logstream up` runs both in one process.
    """
    settings = resolved.settings
    refuse_memory_broker(settings)
    refuse_memory_store(settings)
    sock = None
    if settings.worker_port:
        check_exposure(settings, host=settings.worker_host, setting="worker_host")
        sock = listen("worker", settings.worker_host, settings.worker_port)
        click.echo(f"worker  {url_of(settings.worker_host, settings.worker_port)}/health")
    start_process(settings)
    run_until_stopped(lambda stop: run_worker(settings, stop, sock=sock))
    leave()
