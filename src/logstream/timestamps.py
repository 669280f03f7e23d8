"""Points in time as nanoseconds since 1970, and the many ways in which people write them.

A timestamp is an ``int`` of nanoseconds (UTC) of a day that ClickHouse's ``Date`` holds, because
the store is partitioned by day: 1970-01-01 to 2149-06-06. In JSON it is a string (RFC 3339),
because a JavaScript number loses nanoseconds.
"""

from __future__ import annotations

import datetime as dt
import re

from logstream.clock import NS_PER_S

__all__ = [
    "MAX_TIMESTAMP_NS",
    "MIN_TIMESTAMP_NS",
    "duration_ns",
    "epoch_ns",
    "format_timestamp",
    "parse_time",
    "parse_timestamp",
]

MIN_TIMESTAMP_NS = 0
"""1970-01-01, day 0 of ClickHouse's ``Date``."""
MAX_TIMESTAMP_NS = 65_536 * 86_400 * NS_PER_S - 1
"""The end of 2149-06-06, day 65 535: later days would share its partition and be pruned away."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

# Our own pattern, linear in its input; user patterns never reach Python's engine.
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)?)?"
    r"\s?([Zz]|[+-]\d\d(?::?\d\d)?|UTC|GMT)?)?"
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w|M|y)")
_BEYOND = 1e19
_EPOCH_UNITS = ((1e11, NS_PER_S), (1e14, 1_000_000), (1e17, 1_000))
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": NS_PER_S,
    "m": 60 * NS_PER_S,
    "h": 3_600 * NS_PER_S,
    "d": 86_400 * NS_PER_S,
    "w": 7 * 86_400 * NS_PER_S,
    "M": 30 * 86_400 * NS_PER_S,
    "y": 365 * 86_400 * NS_PER_S,
}


def format_timestamp(timestamp_ns: int) -> str:
    """RFC 3339 in UTC with as many fractional digits as carry something: 0, 3, 6 or 9."""
    seconds, ns = divmod(timestamp_ns, NS_PER_S)
    text = (_EPOCH + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    if not ns:
        return f"{text}Z"
    if ns % 1_000_000 == 0:
        return f"{text}.{ns // 1_000_000:03d}Z"
    if ns % 1_000 == 0:
        return f"{text}.{ns // 1_000:06d}Z"
    return f"{text}.{ns:09d}Z"


def epoch_ns(value: float) -> int | None:
    """Nanoseconds of an epoch time in s, ms, µs or ns, told apart by magnitude.

    Seconds reach to the year 5138 before they would be read as milliseconds. Integers keep every
    digit; a float is exact to what a float holds. ``None``: not a finite, storable time.
    """
    if not -_BEYOND < value < _BEYOND:  # NaN too: it compares with nothing
        return None
    unit_ns = next((unit for limit, unit in _EPOCH_UNITS if abs(value) < limit), 1)
    ns = value * unit_ns if isinstance(value, int) else round(value * unit_ns)
    return ns if MIN_TIMESTAMP_NS <= ns <= MAX_TIMESTAMP_NS else None


def parse_timestamp(text: str) -> int | None:
    """Nanoseconds of RFC 3339 with any offset (none: UTC), or of an epoch number as text.

    ``2026-11-23T14:34:18.123456789+01:00``, ``2026-11-23 14:34:18,123``, ``2026-11-23``,
    ``±HHMM`` offsets and ``1700000000.25`` are all understood. ``None``: not a time.
    """
    text = text.strip()
    match = _RFC3339.fullmatch(text)
    if match is None:
        return _parse_epoch_text(text)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    leap = second == "60"  # a leap second has no number of its own on Unix clocks
    try:
        moment = dt.datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0),
            59 if leap else int(second or 0), tzinfo=dt.UTC,
        )  # fmt: skip
    except ValueError:
        return None
    seconds = round((moment - _EPOCH).total_seconds()) + leap
    offset_s = _offset_s(zone)
    if offset_s is None:
        return None
    ns = (seconds - offset_s) * NS_PER_S + int((fraction or "0")[:9].ljust(9, "0"))
    return ns if MIN_TIMESTAMP_NS <= ns <= MAX_TIMESTAMP_NS else None


def _offset_s(zone: str | None) -> int | None:
    if not zone or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        return None
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)


def _parse_epoch_text(text: str) -> int | None:
    whole, dot, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 19):
        return None
    if dot and not (fraction.isascii() and fraction.isdigit()):
        return None
    base = epoch_ns(int(whole))
    if base is None or not dot:
        return base
    unit_ns = base // int(whole) if int(whole) else NS_PER_S
    digits = fraction[:18].ljust(18, "0")
    return base + int(digits) * unit_ns // 1_000_000_000_000_000_000


def duration_ns(text: str) -> int | None:
    """Nanoseconds of ``15m``, ``1h30m``, ``1.5d``; months are 30 days, years 365. ``None``: no."""
    total, position = 0.0, 0
    for match in _DURATION.finditer(text):
        if match.start() != position:
            return None
        total += float(match[1]) * _UNIT_NS[match[2]]
        position = match.end()
    return round(total) if position == len(text) > 0 and total < 1e30 else None


def parse_time(text: str, *, now_ns: int) -> int | None:
    """A point in time as people give it: a timestamp, ``now``, ``now-15m``, ``now+1h`` or ``-15m``.

    Args:
        text: What was typed.
        now_ns: What "now" means.

    Returns:
        Nanoseconds since 1970, or ``None`` when it is none of these.
    """
    text = text.strip()
    relative = text[3:] if text[:3] == "now" else text if text[:1] == "-" else None
    if relative is None:
        return parse_timestamp(text)
    if not relative:
        return now_ns
    shift_ns = duration_ns(relative[1:])
    if relative[0] not in "+-" or shift_ns is None:
        return None
    ns = now_ns + (shift_ns if relative[0] == "+" else -shift_ns)
    return min(max(ns, MIN_TIMESTAMP_NS), MAX_TIMESTAMP_NS)
