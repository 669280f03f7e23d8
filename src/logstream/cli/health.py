"""``logstream health``: are the parts that run here alive? For container and service managers."""

from __future__ import annotations

import click

from logstream.cli import exits
from logstream.cli.options import api_key_of, api_key_option, settings_options, url_of
from logstream.cli.terminal import neutral
from logstream.client import Connection, ServerUnreachable
from logstream.errors import SettingError
from logstream.settings import Resolved, Settings

__all__ = ["command"]

PARTS = ("ingest", "dashboard", "worker")


@click.command(short_help="Ask whether the parts that run here are alive.")
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--ready", is_flag=True, help="Also ask whether they can work: /ready, not /health.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long each is waited for.",
)
@api_key_option
@settings_options(
    "ingest_host", "ingest_port", "dashboard_host", "dashboard_port", "worker_host", "worker_port"
)
def command(
    *,
    parts: tuple[str, ...],
    ready: bool,
    timeout: float,
    api_key: str,
    resolved: Resolved,
    given: dict[str, str],
) -> int:
    """Ask the parts that run on this machine whether they are alive; the answer is yes if all are.

    Without a name: ingest and dashboard, which is what `logstream up` runs. Where they listen
    comes from the settings. Exit code 0: yes; 1: one says no; 3: one does not answer.
    """
    key = api_key_of(api_key, resolved.settings)
    code = exits.OK
    for part in parts or ("ingest", "dashboard"):
        connection = Connection(_url(part, resolved.settings), api_key=key, timeout_s=timeout)
        code = max(code, _ask(part, connection, "/ready" if ready else "/health"))
        connection.close()
    return code


def _ask(part: str, connection: Connection, path: str) -> int:
    try:
        answer = connection.request("GET", path)
    except ServerUnreachable as exc:
        click.echo(neutral(f"{part}: {exc.message}"), err=True)
        return exits.UNREACHABLE
    if answer.status != 200:
        click.echo(neutral(f"{part}: {answer.error()}"), err=True)
        return exits.NEGATIVE
    click.echo(f"{part}: {'ready' if path == '/ready' else 'alive'}")
    return exits.OK


def _url(part: str, settings: Settings) -> str:
    port: int = getattr(settings, f"{part}_port")
    if not port:
        raise SettingError(
            f"{part}_port is 0, so nobody can be asked there", hint=f"set {part}_port to a number"
        )
    return url_of(getattr(settings, f"{part}_host"), port)
