"""Settings as options of commands, made from the rows of `settings`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from logstream import settings
from logstream.client import Connection
from logstream.settings import Resolved, Settings

__all__ = [
    "api_key_of",
    "api_key_option",
    "dashboard_url",
    "ingest_url",
    "settings_options",
    "url_of",
]

F = TypeVar("F", bound=Callable[..., Any])

_CLIENT = ("ingest_host", "ingest_port", "dashboard_host", "dashboard_port")
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 – what they mean to a client


def settings_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command ``--config`` and an option for each of the settings (no names: all).

    The command's function gets the outcome as ``resolved``, and the text of every option that was
    given as ``given``.
    """
    table = [row for row in settings.rows() if not names or row.name in names]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, config_file: Path | None, **kwargs: Any) -> Any:
            given = {}
            for row in table:
                value = kwargs.pop(row.name)
                if value is not None:
                    given[row.name] = value
            resolved = settings.load(given, file=config_file)
            for warning in resolved.warnings:
                click.echo(f"logstream: {warning}", err=True)
            return function(*args, resolved=resolved, given=given, **kwargs)

        for row in reversed(table):
            call = _option(row)(call)
        return click.option(
            "--config", "config_file", type=click.Path(dir_okay=False, path_type=Path),
            help="File of settings (TOML). Also LOGSTREAM_CONFIG.",
        )(call)  # fmt: skip

    return decorate


def client_settings() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The settings that tell a client where the server is."""
    return settings_options(*_CLIENT)


def _option(row: settings.Row) -> Callable[[F], F]:
    flag = f"--{row.name.replace('_', '-')}"
    default = row.default or "empty"
    text = f"{row.help}  [default: {default}]"
    if row.default in ("true", "false"):
        return click.option(
            flag, row.name, is_flag=False, flag_value="true", default=None,
            metavar="[true|false]", help=text,
        )  # fmt: skip
    return click.option(flag, row.name, default=None, metavar="TEXT", help=text)


def api_key_option(function: F) -> F:
    """``--api-key``, for commands that ask a server."""
    return click.option(
        "--api-key", default="", metavar="KEY",
        help="Access key. Better: the first of LOGSTREAM_API_KEYS, which no process list shows.",
    )(function)  # fmt: skip


def api_key_of(given: str, settings: Settings) -> str:
    """The key to send: the one given, else the first of those set, else none."""
    return given or next(iter(settings.api_keys), "")


def url_of(host: str, port: int) -> str:
    """The URL under which this machine reaches what listens on an address."""
    host = _ANYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def ingest_url(url: str, resolved: Resolved) -> str:
    """``url`` when given, else where the settings say that the ingestion API listens."""
    return url or url_of(resolved.settings.ingest_host, resolved.settings.ingest_port)


def dashboard_url(url: str, resolved: Resolved) -> str:
    """``url`` when given, else where the settings say that the dashboard listens."""
    return url or url_of(resolved.settings.dashboard_host, resolved.settings.dashboard_port)


def dashboard(url: str, api_key: str, resolved: Resolved, *, timeout_s: float = 60.0) -> Connection:
    """A connection to the dashboard of these options, closed when the command ends."""
    key = api_key_of(api_key, resolved.settings)
    connection = Connection(dashboard_url(url, resolved), api_key=key, timeout_s=timeout_s)
    click.get_current_context().call_on_close(connection.close)
    return connection
