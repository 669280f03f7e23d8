"""``logstream query``: search from the command line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import click

from logstream.cli.api import ask
from logstream.cli.options import api_key_option, client_settings, dashboard
from logstream.cli.output import OUTPUTS, lines_of
from logstream.cli.terminal import neutral
from logstream.client import Connection
from logstream.settings import Resolved

__all__ = ["command"]

_PAGE = 1_000
# What fields are asked with elsewhere: in this language it is text.
_LIKE_A_FIELD = re.compile(r"(?:^|[\s(])([A-Za-z_@][\w.@-]*)(==|>=|<=|=|>|<)([^\s()|\"]+)")


@click.command(short_help="Search, newest first.")
@click.argument("query", nargs=-1)
@click.option(
    "--from",
    "from_",
    default="now-1h",
    show_default=True,
    help="Start: RFC 3339, epoch, or now-15m.",
)
@click.option("--to", default="now", show_default=True, help="End, not included.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="Most records."
)
@click.option("--all", "everything", is_flag=True, help="Every record that matches.")
@click.option("--output", type=click.Choice(OUTPUTS), default="table", show_default=True)
@click.option("--attributes", is_flag=True, help="Show attributes in the table too.")
@click.option("--url", default="", help="The dashboard's URL.")
@api_key_option
@client_settings()
def command(
    *,
    query: tuple[str, ...],
    from_: str,
    to: str,
    limit: int,
    everything: bool,
    output: str,
    attributes: bool,
    url: str,
    api_key: str,
    resolved: Resolved,
    given: dict[str, str],
) -> None:
    """Search, newest first; a query with pipes answers a table.

    \b
    logstream query 'level:>=warn service:checkout timeout'
    logstream query --from now-1d '* | stats count() by service'

    Words of the query may be given as one argument or as several.
    """
    connection = dashboard(url, api_key, resolved)
    rows = _rows(connection, " ".join(query), from_, to, None if everything else limit)
    shown = False
    for line in lines_of(rows, output, colour=sys.stdout.isatty(), attributes=attributes):
        click.echo(line)
        shown = True
    if not shown and output == "table":
        _say_nothing_found(" ".join(query), from_, to)


def _say_nothing_found(query: str, from_: str, to: str) -> None:
    """For people: an empty answer and no answer look alike."""
    click.echo(f"nothing found from {neutral(from_)} to {neutral(to)}", err=True)
    field = _LIKE_A_FIELD.search(query)
    if field is not None:
        name, sign, value = field.groups()
        asked = f"{name}:{value}" if sign in ("=", "==") else f"{name}:{sign}{value}"
        text = f"{name}{sign}{value} is looked for in messages; of a field ask {asked}"
        click.echo(f"  hint: {neutral(text)}", err=True)


def _rows(
    connection: Connection, query: str, from_: str, to: str, limit: int | None
) -> Iterator[dict[str, Any]]:
    cursor = ""
    left = limit
    while left is None or left > 0:
        parameters: dict[str, str | int] = {"query": query, "from": from_, "to": to}
        parameters["limit"] = _PAGE if left is None else min(left, _PAGE)
        parameters["count"] = "false"
        if cursor:
            parameters["cursor"] = cursor
        page = ask(connection, "search", **parameters)
        records = page["records"]
        yield from records
        cursor = page.get("next_cursor") or ""
        if not cursor:
            return
        if left is not None:
            left -= len(records)
