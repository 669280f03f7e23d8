"""``logstream migrate``: copy stored records to another store."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from logstream.cli import exits
from logstream.cli.options import settings_options
from logstream.cli.terminal import neutral
from logstream.errors import SettingError
from logstream.settings import Resolved

if TYPE_CHECKING:
    from logstream.migrate.copy import Totals
    from logstream.migrate.source import Source
    from logstream.store.base import TimeRange

__all__ = ["command"]

_SAY_EVERY_S = 10.0


class _Options(NamedTuple):
    source_url: str
    destination_url: str
    collection: str
    since: str
    until: str
    state: Path
    batch: int
    retry_s: float


@click.command(short_help="Copy stored records to another store.")
@click.option(
    "--from",
    "source_url",
    required=True,
    metavar="URL",
    envvar="LOGSTREAM_MIGRATE_FROM",
    help="Store to read: chdb:, clickhouse:, mongodb:. Also LOGSTREAM_MIGRATE_FROM.",
)
@click.option(
    "--to",
    "destination_url",
    required=True,
    metavar="URL",
    envvar="LOGSTREAM_MIGRATE_TO",
    help="Store to write. Also LOGSTREAM_MIGRATE_TO, which no process list shows.",
)
@click.option(
    "--collection",
    default="",
    metavar="NAME",
    help="MongoDB collection of logs that LogStream did not write.  [default: found by its shape]",
)
@click.option("--since", default="", metavar="TIME", help="Only records from then on (RFC 3339).")
@click.option("--until", default="", metavar="TIME", help="Only records before then.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that remembers how far a copy came.  [default: migrate in data_dir]",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 1_000_000),
    default=100_000,
    show_default=True,
    help="Records inserted at once.",
)
@click.option(
    "--retry",
    type=click.FloatRange(0),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a store that is away is waited for.",
)
@settings_options("data_dir")
def command(
    *,
    source_url: str,
    destination_url: str,
    collection: str,
    since: str,
    until: str,
    state: Path | None,
    batch: int,
    retry: float,
    resolved: Resolved,
    given: dict[str, str],
) -> int:
    """Copy stored records from one store to another, each exactly once.

    Interrupted, killed or failed, the same command goes on where it was; when it was done, with
    what is newer. Nobody may write to the source records that are older than those copied.
    """
    options = _Options(
        source_url, destination_url, collection, since, until,
        state or resolved.settings.data_dir / "migrate", batch, retry,
    )  # fmt: skip
    began_s = time.monotonic()
    totals, before, kept = asyncio.run(_migrate(options))
    took_s = time.monotonic() - began_s
    new = totals.copied - before
    click.echo(
        f"{new:,} records copied in {took_s:.1f} s ({new / max(took_s, 1e-9):,.0f}/s), "
        f"{totals.copied:,} in all; {totals.refused:,} refused"
    )
    if totals.refused:
        click.echo(f"  what was refused, and why, is in {kept}")
    return exits.NEGATIVE if totals.refused else exits.OK


async def _migrate(options: _Options) -> tuple[Totals, int, Path]:
    """The totals, how many of them were copied by earlier runs, the file of what was refused."""
    from logstream.migrate import places
    from logstream.migrate.copy import Copy
    from logstream.migrate.journal import Journal
    from logstream.store import open_store

    between = _between(options.since, options.until)
    async with AsyncExitStack() as stack:
        destination_place = places.place_of(options.destination_url)
        source, source_place = await stack.enter_async_context(
            _source(options, between, destination_place)
        )
        name = places.name_of(source_place, destination_place, between)
        journal = Journal(options.state, places.file_name(name))
        stack.callback(journal.close)
        destination = open_store(options.destination_url)
        stack.push_async_callback(destination.close)
        await destination.start()
        begun = journal.read()
        position, before = (begun[0].position, begun[0].copied) if begun else (b"", 0)
        total = await source.total(position)
        with _shown(None if total is None else total + before, before) as moved:
            copy = Copy(
                name, source, destination, journal,
                batch_rows=options.batch, retry_s=options.retry_s, moved=moved,
            )  # fmt: skip
            return await copy.run(), before, journal.refused_path


def _between(since: str, until: str) -> TimeRange:
    from logstream.store.base import TimeRange
    from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS

    start_ns = _moment("--since", since, MIN_TIMESTAMP_NS)
    end_ns = _moment("--until", until, MAX_TIMESTAMP_NS + 1)
    if start_ns >= end_ns:
        raise SettingError("--since is not before --until")
    return TimeRange(start_ns, end_ns)


def _moment(option: str, text: str, default_ns: int) -> int:
    # Not "now-1d": a copy that is taken up again must mean the same records.
    from logstream.timestamps import parse_timestamp

    found = parse_timestamp(text) if text else default_ns
    if found is None:
        raise SettingError(
            f"{option} {text!r} is no point in time", hint="write 2026-11-23T14:00:00Z"
        )
    return found


@asynccontextmanager
async def _source(
    options: _Options, between: TimeRange, destination: str
) -> AsyncIterator[tuple[Source, str]]:
    """The source, opened, and its place."""
    from logstream.migrate import places
    from logstream.migrate.child import ChildSource
    from logstream.migrate.source import StoreSource
    from logstream.store import open_store

    url = options.source_url
    collection = ""
    place = places.place_of(url)
    if url.startswith("mongodb"):
        from logstream.migrate.documents import find_documents

        collection = await find_documents(url, options.collection)
        place = places.place_of(url, collection)
    elif options.collection:
        raise SettingError("--collection is for a source in MongoDB")
    places.check(url, place, destination)
    if collection:
        from logstream.migrate.documents import DocumentsSource, opened

        click.echo(f"importing the documents of {neutral(collection)}", err=True)
        async with opened(url, collection) as connection:
            yield DocumentsSource(connection, between), place
    elif place.startswith("chdb ") and destination.startswith("chdb "):
        yield ChildSource(url, between), place
    else:
        store = open_store(url)
        try:
            await store.start()
            yield StoreSource(store, between), place
        finally:
            await store.close()


@contextlib.contextmanager
def _shown(total: int | None, before: int) -> Iterator[Callable[[Totals], None]]:
    """A bar on a terminal, else a line now and then; gives what moves it."""
    if not sys.stderr.isatty():
        yield _lines(total)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("records"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("records", total=total, completed=before)
        yield lambda totals: progress.update(task, completed=totals.copied)


def _lines(total: int | None) -> Callable[[Totals], None]:
    said_s = time.monotonic()

    def moved(totals: Totals) -> None:
        nonlocal said_s
        if time.monotonic() - said_s >= _SAY_EVERY_S:
            said_s = time.monotonic()
            of = "" if total is None else f" of about {total:,}"
            click.echo(f"{totals.copied:,}{of} records copied", err=True)

    return moved
