"""``logstream config``: every setting, its value, and where the value came from."""

from __future__ import annotations

import json

import click

from logstream import settings
from logstream.cli.options import settings_options
from logstream.settings import Resolved, Row, show

__all__ = ["command"]


@click.command(short_help="Show every setting, its value and where it came from.")
@settings_options()
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def command(*, resolved: Resolved, given: dict[str, str], output: str) -> None:
    """Show every setting, its value and where the value came from.

    A setting called NAME is --NAME on the command line, LOGSTREAM_NAME in the environment and
    NAME in the file of settings; the first that gives a value wins. Secrets are not shown.
    """
    lines = [
        (row.name, _value(row, resolved), resolved.sources[row.name]) for row in settings.rows()
    ]
    if output == "json":
        members = [dict(zip(("name", "value", "source"), line, strict=True)) for line in lines]
        click.echo(json.dumps(members, indent=2, ensure_ascii=False))
        return
    wide = [max(len(line[i]) for line in lines) for i in (0, 1)]
    for name, value, source in lines:
        click.echo(f"{name:<{wide[0]}}  {value:<{wide[1]}}  {source}")


def _value(row: Row, resolved: Resolved) -> str:
    value = getattr(resolved.settings, row.field)
    if row.secret:
        return "(set)" if value else "(not set)"
    if not value and row.name in ("broker", "store"):
        return f"{getattr(resolved.settings, f'{row.name}_url')} (in data_dir)"
    return show(row.field, value)
