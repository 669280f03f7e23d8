"""``logstream dashboard``: the dashboard alone."""

from __future__ import annotations

import click

from logstream.access import check_exposure
from logstream.cli.options import settings_options, url_of
from logstream.cli.parts import refuse_memory_broker, refuse_memory_store, run_dashboard
from logstream.cli.process import check_port, leave, run_until_stopped, start_process
from logstream.settings import Resolved

__all__ = ["command"]


@click.command(short_help="Run the dashboard alone.")
@settings_options()
def command(*, resolved: Resolved, given: dict[str, str]) -> None:
    """Run the dashboard and its API alone, until Ctrl-C.

    With the embedded store this works only while no worker runs: it allows one process at a time.
    """
    settings = resolved.settings
    refuse_memory_broker(settings)
    refuse_memory_store(settings)
    check_exposure(settings, host=settings.dashboard_host, setting="dashboard_host")
    check_port("dashboard", settings.dashboard_host, settings.dashboard_port)
    start_process(settings)
    run_until_stopped(lambda stop: run_dashboard(settings, stop, on_listening=_say))
    leave()


def _say(host: str, port: int) -> None:
    click.echo(f"dashboard  {url_of(host, port)}")
