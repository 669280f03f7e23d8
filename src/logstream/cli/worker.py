"""``logstream worker``: the batch worker alone."""

from __future__ import annotations

import click

from logstream.cli.options import settings_options
from logstream.cli.parts import refuse_memory_broker, run_worker
from logstream.cli.process import run_until_stopped, start_process
from logstream.settings import Resolved

__all__ = ["command"]


@click.command(short_help="Run the batch worker alone.")
@settings_options()
def command(*, resolved: Resolved, given: dict[str, str]) -> None:
    """Run the batch worker alone: from the broker into the store, until Ctrl-C.

    With the embedded store no dashboard can run beside it; `logstream up` runs both in one
    process.
    """
    settings = resolved.settings
    refuse_memory_broker(settings)
    start_process(settings)
    run_until_stopped(lambda stop: run_worker(settings, stop))
