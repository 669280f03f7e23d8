"""What every format of log file is: a name and a pure function from a line to a parsed line."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from logstream.clock import NS_PER_S
from logstream.severity import severity_of_text
from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS

__all__ = ["MONTHS", "Context", "Format", "Parsed", "Parser", "is_level", "moment_ns"]

MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY = dt.timedelta(days=1)


class Context(NamedTuple):
    """What a line does not say itself.

    ``zone`` is the zone of times without one; ``reference_ns`` a moment not long after the last
    line was written (the file's modification time): it gives the year to formats without one.
    """

    zone: dt.tzinfo
    reference_ns: int


class Parsed(NamedTuple):
    """One line understood.

    ``fields`` are the members of the JSON record to send, without the timestamp unless
    ``timestamp_key`` names it there; ``timestamp_ns`` is ``None`` when the line carries no time.
    """

    fields: dict[str, Any]
    timestamp_ns: int | None = None
    timestamp_key: str = ""


Parser = Callable[[str, Context], Parsed | None]
"""A line without its line break → what it says, or ``None``: not a line of this format."""


class Format(NamedTuple):
    """``name`` is what ``--format`` takes. ``open_ended``: any line that does not parse belongs
    to the record before it, as in formats whose every record starts with a time. ``documents``:
    records are JSON objects, not lines."""

    name: str
    summary: str
    parse: Parser
    open_ended: bool
    documents: bool = False


def is_level(text: str) -> bool:
    """Whether the text names a log level."""
    return not text.isdigit() and severity_of_text(text) is not None


def moment_ns(
    context: Context,
    year: int | None,
    month: int,
    day: int,
    clock: tuple[int, int, int],
    *,
    fraction: str | None = None,
    offset: str | None = None,
) -> int | None:
    """Nanoseconds since 1970 of a written date and time.

    Args:
        context: Zone, and the moment that tells a missing year.
        year: ``None``: the latest year in which the date is not after the reference.
        month, day: From 1.
        clock: Hour, minute, second.
        fraction: Digits behind the second's point.
        offset: ``+HHMM``, ``+HH:MM``, ``Z`` or ``None``: the context's zone.

    Returns:
        ``None`` when there is no such moment, or it cannot be stored.
    """
    seconds = _seconds(context, (year, month, day), clock, offset)
    if seconds is None:
        return None
    ns = seconds * NS_PER_S + int((fraction or "0")[:9].ljust(9, "0"))
    return ns if MIN_TIMESTAMP_NS <= ns <= MAX_TIMESTAMP_NS else None


# Neighbouring lines mostly share their second.
@functools.lru_cache(maxsize=256)
def _seconds(
    context: Context,
    date: tuple[int | None, int, int],
    clock: tuple[int, int, int],
    offset: str | None,
) -> int | None:
    year, month, day = date
    zone = _offset_zone(offset) if offset else context.zone
    try:
        if year is None:
            moment = _latest(context, month, day, clock, zone)
        else:
            moment = dt.datetime(year, month, day, *clock, tzinfo=zone)
        return round((moment - _EPOCH).total_seconds())
    except (ValueError, OverflowError):
        return None


def _latest(
    context: Context, month: int, day: int, clock: tuple[int, int, int], zone: dt.tzinfo
) -> dt.datetime:
    reference = _EPOCH + dt.timedelta(seconds=context.reference_ns // NS_PER_S)
    # 29 February is at most eight years back (1896–1904 and 2096–2104 have a gap).
    for year in range(reference.year + 1, reference.year - 9, -1):
        try:
            moment = dt.datetime(year, month, day, *clock, tzinfo=zone)
        except ValueError:
            continue
        if moment <= reference + _DAY:
            return moment
    raise ValueError("no such day")


def _offset_zone(offset: str) -> dt.tzinfo:
    if offset in ("Z", "z", "UTC", "GMT"):
        return dt.UTC
    digits = offset[1:].replace(":", "").ljust(4, "0")
    delta = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
    return dt.timezone(-delta if offset[0] == "-" else delta)
