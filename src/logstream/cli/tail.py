"""``logstream tail``: follow what arrives, as it arrives."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import click

from logstream.cli.api import raise_for
from logstream.cli.options import api_key_option, client_settings, dashboard
from logstream.cli.output import json_line, record_line
from logstream.cli.terminal import neutral
from logstream.client import Connection, ServerUnreachable
from logstream.errors import LogStreamError
from logstream.settings import Resolved

__all__ = ["Event", "command", "events_of"]

_LONGEST_PAUSE_S = 15.0
_LONGEST_LINE_BYTES = 64 << 20


class Event(NamedTuple):
    """One server-sent event; ``id`` is the last one seen, ``name`` is "message" by default."""

    name: str
    data: str
    id: str


def events_of(pieces: Iterable[bytes]) -> Iterator[Event]:
    """The events in a ``text/event-stream``; an unfinished one at its end is not an event.

    Raises:
        ServerUnreachable: a line is longer than anything a server would send.
    """
    rest = b""
    data: list[str] = []
    name = last_id = ""
    for piece in pieces:
        *lines, rest = (rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        if len(rest) > _LONGEST_LINE_BYTES:
            raise ServerUnreachable("the stream has a line without an end")
        for raw in lines:
            line = raw.decode("utf-8", "replace")
            if not line:
                if data:
                    yield Event(name or "message", "\n".join(data), last_id)
                name, data = "", []
                continue
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                last_id = value


@click.command(short_help="Follow records as they arrive.")
@click.argument("query", nargs=-1)
@click.option(
    "--backfill",
    type=click.IntRange(0, 1000),
    default=10,
    show_default=True,
    help="Begin with so many records that are there already.",
)
@click.option(
    "--output", type=click.Choice(["table", "ndjson"]), default="table", show_default=True
)
@click.option("--attributes", is_flag=True, help="Show attributes too.")
@click.option("--url", default="", help="The dashboard's URL.")
@api_key_option
@client_settings()
def command(
    *,
    query: tuple[str, ...],
    backfill: int,
    output: str,
    attributes: bool,
    url: str,
    api_key: str,
    resolved: Resolved,
    given: dict[str, str],
) -> None:
    """Follow records that match as they arrive, until Ctrl-C.

    When the connection breaks it is made again and goes on behind the last record shown. Records
    that could not be sent fast enough are counted and said so, on standard error.
    """
    connection = dashboard(url, api_key, resolved)
    colour = sys.stdout.isatty()
    last_id, pause_s = "", 0.5
    connected_once = False
    while True:
        dropped = 0
        try:
            for event in _follow(connection, " ".join(query), backfill, last_id):
                connected_once, pause_s = True, 0.5
                last_id = event.id or last_id
                dropped = _show(
                    event, output, colour=colour, attributes=attributes, dropped=dropped
                )
        except ServerUnreachable as exc:
            if not connected_once:
                raise
            click.echo(f"-- {neutral(exc.message)}; trying again", err=True)
        time.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 – jitter
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _follow(connection: Connection, query: str, backfill: int, last_id: str) -> Iterator[Event]:
    parameters: dict[str, str | int] = {"query": query}
    headers = {"Accept": "text/event-stream"}
    if last_id:
        headers["Last-Event-ID"] = last_id
    else:
        parameters["backfill"] = backfill
    answer, pieces = connection.stream(
        "GET", f"/api/v1/tail?{urlencode(parameters)}", headers=headers
    )
    raise_for(answer)
    try:
        yield from events_of(pieces)
    finally:
        connection.close()


def _show(event: Event, output: str, *, colour: bool, attributes: bool, dropped: int) -> int:
    """Print one event; how many records are known to have been dropped by now."""
    try:
        found: Any = json.loads(event.data)
    except ValueError as exc:
        raise LogStreamError(f"the server sent an event that is no JSON: {exc}") from exc
    if event.name == "rows":
        for record in found["rows"]:
            if output == "ndjson":
                click.echo(json_line(record))
            else:
                click.echo(record_line(record, colour=colour, attributes=attributes))
    elif event.name == "status":
        return _show_status(found, dropped)
    elif event.name == "error":
        raise LogStreamError(str(found.get("error", {}).get("message", "the tail broke off")))
    return dropped


def _show_status(status: dict[str, Any], before: int) -> int:
    names = ("dropped", "sampled_out", "unexamined", "missed_entries")
    missing = sum(int(status.get(name) or 0) for name in names)
    if missing > before:
        click.echo(f"-- {missing - before:,} matching records could not be shown in time", err=True)
    if status.get("gap"):
        click.echo("-- records may be missing between the last one and the next", err=True)
    return missing
