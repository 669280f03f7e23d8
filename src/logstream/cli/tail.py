"""``logstream tail``: follow what arrives, as it arrives."""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import click

from logstream.cli.api import raise_for
from logstream.cli.options import api_key_option, client_settings, dashboard
from logstream.cli.output import json_line, record_line
from logstream.cli.terminal import neutral
from logstream.client import Connection, ServerUnreachable
from logstream.errors import LogStreamError, RetryLater
from logstream.settings import Resolved
from logstream.timestamps import format_timestamp

__all__ = ["Event", "command", "events_of"]

_LONGEST_PAUSE_S = 15.0
_LONGEST_LINE_BYTES = 64 << 20
_LARGEST_BACKFILL = 1_000
_LONGEST_SETTLE_S, _SETTLE_LOOK_S = 30.0, 0.2


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
    type=click.IntRange(0, _LARGEST_BACKFILL),
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
    that could not be shown are counted and said so, on standard error.
    """
    connection = dashboard(url, api_key, resolved)
    colour = sys.stdout.isatty()

    def show(record: dict[str, Any]) -> None:
        line = record_line(record, colour=colour, attributes=attributes)
        click.echo(json_line(record) if output == "ndjson" else line)

    following = _Following(connection, " ".join(query), backfill, show)
    pause_s, trouble = 0.5, ""
    while True:
        seen, before = following.events, trouble
        try:
            following.run()
            trouble = f"{connection.url} ended the stream"
        except _Gap:
            continue
        except RetryLater as exc:
            if not following.events:
                raise
            trouble = neutral(exc.message)
        if following.events > seen:
            pause_s, before = 0.5, ""
        if trouble != before:
            click.echo(f"-- {trouble}; trying again", err=True)
        time.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 – jitter
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


class _Gap(Exception):
    """The server, started anew perhaps, does not know where we were."""


class _Following:
    """One tail over as many connections as it takes; ``events``: how many came so far."""

    def __init__(
        self, connection: Connection, query: str, backfill: int, show: Callable[[Any], None]
    ) -> None:
        self.events = 0
        self._connection, self._query, self._backfill, self._show = (
            connection, query, backfill, show,
        )  # fmt: skip
        self._resume = ""
        self._missing = 0
        self._began = format_timestamp(time.time_ns())
        self._shown: deque[str] = deque(maxlen=2 * _LARGEST_BACKFILL)
        self._gap: _GapFilter | None = None

    def run(self) -> None:
        """Follow until the stream ends.

        Raises:
            RetryLater: it broke off, or could not begin.
            _Gap: run again, to show what came meanwhile.
            LogStreamError: the server refuses.
        """
        self._missing, first = 0, True
        if self._gap:
            self._settle()
            self._gap = _GapFilter(self._shown, self._began)
        for event in _follow(self._connection, self._query, self._asked_backfill, self._resume):
            if first and self.events and not _is_gap(event):
                click.echo("-- connected again, going on behind the last record", err=True)
            self.events, first = self.events + 1, False
            self._take(event)

    def _settle(self) -> None:
        """Wait until what was in the queue when the server began is in the store.

        A tail never shows that live, and a backfill finds it only there.
        """
        self._connection.close()
        began_s = time.monotonic()
        while (waited_s := time.monotonic() - began_s) < _LONGEST_SETTLE_S:
            answer = self._connection.request("GET", "/api/v1/pipeline")
            raise_for(answer)
            queue = answer.json()["queue"]
            if queue is not None and (queue["oldest_age_s"] or 0.0) <= waited_s:
                return
            time.sleep(_SETTLE_LOOK_S)
        click.echo("-- the store is far behind: records may be missing", err=True)

    @property
    def _asked_backfill(self) -> int:
        return _LARGEST_BACKFILL if self._gap else self._backfill

    def _take(self, event: Event) -> None:
        try:
            found: Any = json.loads(event.data)
        except ValueError as exc:
            raise LogStreamError(f"the server sent an event that is no JSON: {exc}") from exc
        if event.name == "rows":
            self._rows(found)
        elif event.name == "status":
            self._status(found)
        elif event.name == "error":
            error = found.get("error", {})
            kind = RetryLater if "retry_after_s" in error else LogStreamError
            raise kind(str(error.get("message", "the tail broke off")))
        if self._gap is None:  # until then it is not known that nothing of the backfill lacks
            self._resume = str(found.get("resume") or self._resume)

    def _rows(self, found: dict[str, Any]) -> None:
        records = found["rows"]
        if self._gap:
            records = self._gap.pass_on(records, backfill=found["backfill"])
            if not found["backfill"]:
                self._gap = None
        for record in records:
            self._show(record)
            self._shown.append(_identity(record))

    def _status(self, status: dict[str, Any]) -> None:
        if status.get("gap") and self._resume:
            self._resume, self._gap = "", _GapFilter(self._shown, self._began)
            raise _Gap
        names = ("dropped", "sampled_out", "unexamined", "missed_entries")
        missing = sum(int(status.get(name) or 0) for name in names)
        if missing > self._missing:
            count = missing - self._missing
            click.echo(f"-- {count:,} matching records could not be shown in time", err=True)
        self._missing = missing


class _GapFilter:
    """Passes on of a backfill what came behind the last records shown; equal ones count one by one.

    Args:
        shown: Identities of the records shown last.
        began: When the tail began: of a tail that showed nothing nothing older is passed on.
    """

    def __init__(self, shown: Iterable[str], began: str) -> None:
        self._seen = Counter(shown)
        self._began = "" if self._seen else began
        self._reached = not self._seen
        self._held: list[Any] = []

    def pass_on(self, records: list[Any], *, backfill: bool) -> list[Any]:
        """What to show of the next records. Rows that are no backfill are all behind."""
        if not backfill:
            return self._unreached() + records
        behind = []
        for record in records:
            identity = _identity(record)
            if self._seen[identity] > 0:
                self._seen[identity] -= 1
                self._reached, self._held = True, []
            elif not self._reached:
                self._held.append(record)
            elif record["timestamp"] >= self._began:
                behind.append(record)
        return self._unreached() if len(self._held) >= _LARGEST_BACKFILL else behind

    def _unreached(self) -> list[Any]:
        held, self._held, self._reached = self._held, [], True
        if held:
            click.echo("-- records may be missing between the last one and the next", err=True)
        return held


def _is_gap(event: Event) -> bool:
    return event.name == "status" and '"gap":true' in event.data


def _identity(record: dict[str, Any]) -> str:
    """What stays of a record whichever way it comes: its key and id do not."""
    rest = {name: record[name] for name in record if name not in ("key", "id", "received")}
    return json.dumps(rest, sort_keys=True)


def _follow(connection: Connection, query: str, backfill: int, resume: str) -> Iterator[Event]:
    parameters: dict[str, str | int] = {"query": query}
    headers = {"Accept": "text/event-stream"}
    if resume:
        headers["Last-Event-ID"] = resume
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
