"""``logstream send``: bring log files in."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from logstream.cli import exits
from logstream.cli.formats import FORMATS, Format
from logstream.cli.importing.job import Job, Options, Totals, newest_ns, sample_format
from logstream.cli.importing.source import STDIN, Source, open_source
from logstream.cli.importing.state import FileState, State
from logstream.cli.importing.upload import Uploader
from logstream.cli.options import api_key_of, api_key_option, client_settings, ingest_url
from logstream.cli.terminal import neutral
from logstream.client import Connection
from logstream.errors import SettingError
from logstream.settings import Resolved

__all__ = ["command"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NAME_COLUMNS = 36
_OLD, _NEW = "older than accepted", "further ahead than accepted"


@click.command(short_help="Bring log files in.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...|-")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["auto", *FORMATS]),
    default="auto",
    show_default=True,
    help="The files' format.",
)
@click.option(
    "--service", default="", help="Service of records that name none.  [default: the file's name]"
)
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Add to every record; may be repeated.",
)
@click.option(
    "--timezone",
    default="UTC",
    show_default=True,
    metavar="ZONE",
    help="Zone of times without one, such as Europe/Berlin.",
)
@click.option(
    "--shift-to-now", is_flag=True, help="Move all times so that the newest record is from now."
)
@click.option(
    "--resume",
    "state_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Remember in this file how far we are, and go on there.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 50_000),
    default=2_000,
    show_default=True,
    help="Most records in one request.",
)
@click.option("--connections", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option(
    "--retry",
    type=click.FloatRange(0),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a batch is tried when the server is away.",
)
@click.option("--url", default="", help="The ingestion API's URL.")
@api_key_option
@client_settings()
def command(
    *,
    files: tuple[str, ...],
    format_name: str,
    service: str,
    attributes: tuple[str, ...],
    timezone: str,
    shift_to_now: bool,
    state_path: Path | None,
    batch: int,
    connections: int,
    retry: float,
    url: str,
    api_key: str,
    resolved: Resolved,
    given: dict[str, str],
) -> int:
    """Bring log files in; - reads standard input. Files may be compressed with gzip or zstd.

    The format is detected: JSON lines, JSON over several lines or in an array, access logs,
    Apache's error log, syslog, logfmt, lines that start with a time, plain text. The lines of a
    stack trace stay one record.
    """
    if STDIN in files and (shift_to_now or state_path):
        raise click.UsageError(
            "standard input can be read only once: no --shift-to-now or --resume"
        )
    zone = _zone(timezone)
    target = ingest_url(url, resolved)
    key = api_key_of(api_key, resolved.settings)
    Connection(target).close()  # a URL that is none is said before anything is read
    state = State(state_path)
    uploader = Uploader(
        lambda: Connection(target, api_key=key, timeout_s=60.0),
        threads=connections, retry_s=retry,
        compress=urlsplit(target).hostname not in _LOOPBACK,
    )  # fmt: skip
    totals = Totals()
    began_s = time.monotonic()
    with contextlib.ExitStack() as opened:
        sources = []
        for name in files:
            sources.append(open_source(name))
            opened.callback(sources[-1].close)
        opened.callback(uploader.close)
        opened.callback(lambda: _summarise(totals, time.monotonic() - began_s, target))
        states = _file_states(sources, format_name, zone, state, shift_to_now=shift_to_now)
        with _bar(sources) as moved:
            for source, file_state in zip(sources, states, strict=True):
                options = Options(
                    zone, service or _service(source.name), _attributes(attributes, source.name),
                    batch, file_state.shift_ns,
                )  # fmt: skip
                Job(
                    source, file_state, options,
                    state=state, uploader=uploader, totals=totals, moved=moved(source),
                ).run()  # fmt: skip
    return exits.NEGATIVE if totals.rejected else exits.OK


def _file_states(
    sources: list[Source], format_name: str, zone: dt.tzinfo, state: State, *, shift_to_now: bool
) -> list[FileState]:
    known = [_known(source, state) for source in sources]
    formats = [
        FORMATS[before.format] if before else _format(source, format_name, zone)
        for source, before in zip(sources, known, strict=True)
    ]
    shift_ns = next((before.shift_ns for before in known if before), 0)
    if shift_to_now and not shift_ns:
        newest = [newest_ns(*pair, zone) for pair in zip(sources, formats, strict=True)]
        latest = max((ns for ns in newest if ns is not None), default=None)
        shift_ns = time.time_ns() - latest if latest is not None else 0
    states = []
    for source, before, chosen in zip(sources, known, formats, strict=True):
        current = before or FileState(source.identity, chosen.name, shift_ns)
        if before is None:
            state.begin_file(str(Path(source.name).absolute()), current)
        states.append(current)
        click.echo(f"{neutral(source.name)}: {chosen.summary}", err=True)
    return states


def _known(source: Source, state: State) -> FileState | None:
    before = state.of(str(Path(source.name).absolute()), source.identity)
    if before is not None and not source.reaches(before.offset):
        click.echo(f"{neutral(source.name)}: cut since it was read, beginning anew", err=True)
        return None
    return before


def _format(source: Source, name: str, zone: dt.tzinfo) -> Format:
    if name != "auto":
        return FORMATS[name]
    return sample_format(source, zone)


def _zone(name: str) -> dt.tzinfo:
    if name.upper() == "UTC":
        return dt.UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise SettingError(
            f"there is no time zone {name!r}", hint="for example Europe/Berlin"
        ) from exc


def _service(name: str) -> str:
    if name == STDIN:
        return ""
    return Path(name).name.split(".")[0]


def _attributes(given: tuple[str, ...], name: str) -> dict[str, str]:
    found = {} if name == STDIN else {"log.file.name": Path(name).name}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.UsageError(f"--attribute {text!r} is not KEY=VALUE")
        found[key] = value
    return found


@contextlib.contextmanager
def _bar(sources: list[Source]) -> Iterator[Callable[[Source], Callable[[int], None]]]:
    """Shows a bar for each file when somebody is looking; gives what moves it."""
    if not sys.stderr.isatty():
        yield lambda _: lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def moved(source: Source) -> Callable[[int], None]:
            task = progress.add_task(
                escape(_short(neutral(source.name))), total=source.size or None
            )
            return lambda position: progress.update(task, completed=position)

        yield moved


def _short(name: str) -> str:
    """The end of a long name, so that what is beside it stays on the line."""
    return name if len(name) <= _NAME_COLUMNS else f"…{name[1 - _NAME_COLUMNS :]}"


def _summarise(totals: Totals, took_s: float, target: str) -> None:
    rate = totals.records / took_s if took_s > 0 else 0.0
    click.echo(
        f"{totals.records:,} records sent to {target} in {took_s:.1f} s ({rate:,.0f}/s): "
        f"{totals.accepted:,} accepted, {totals.rejected:,} refused"
    )
    described = sum(totals.reasons.values())
    for reason, count in totals.reasons.most_common():
        click.echo(f"  {count:,} × {neutral(reason)}")
    if any(_OLD in reason for reason in totals.reasons):
        click.echo(
            "  hint: where the platform runs, widen the settings retention (or accept_past) to take"
            " older records, for example --retention 20y; or send with --shift-to-now"
        )
    if any(_NEW in reason for reason in totals.reasons):
        click.echo("  hint: look at --timezone, or widen the platform's setting accept_future")
    if described < totals.rejected:
        click.echo(f"  {totals.rejected - described:,} more without a reason of their own")
