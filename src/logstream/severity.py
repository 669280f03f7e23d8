"""Log levels: six names, OpenTelemetry's 24 numbers, and what people really send.

A record's severity is a number 0–24 (0: not given) and a name derived from it, one of
`LEVELS` or ``""``. Source: OpenTelemetry Logs Data Model, "Field: SeverityNumber".
"""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["LEVELS", "LEVEL_NUMBERS", "level_of_number", "severity_of", "severity_of_text"]

LEVELS: tuple[str, ...] = ("trace", "debug", "info", "warn", "error", "fatal")
"""The canonical names, least severe first; each covers four severity numbers."""

LEVEL_NUMBERS = MappingProxyType({name: 1 + 4 * i for i, name in enumerate(LEVELS)})
"""Canonical name → the first of its four severity numbers."""

_NAMES = ("", *(name for name in LEVELS for _ in range(4)))

# Finer names keep their own number inside the level's four, so that notice still sorts above info.
_TEXT_NUMBERS: dict[str, int] = {
    **LEVEL_NUMBERS,
    **{f"{name}{i + 1}": first + i for name, first in LEVEL_NUMBERS.items() for i in range(4)},
    **dict.fromkeys(("finest", "all", "trc"), 1),
    **dict.fromkeys(("verbose", "finer", "silly"), 2),
    **dict.fromkeys(("dbg", "fine", "config", "d"), 5),
    **dict.fromkeys(("information", "informational", "inf", "i", "log", "ok", "success"), 9),
    **dict.fromkeys(("notice",), 10),
    **dict.fromkeys(("warning", "wrn", "w"), 13),
    **dict.fromkeys(("err", "eror", "e", "failure", "severe"), 17),
    **dict.fromkeys(("critical", "crit", "ftl", "f"), 21),
    **dict.fromkeys(("alert", "panic", "dpanic"), 22),
    **dict.fromkeys(("emergency", "emerg"), 23),
}

# RFC 5424 numerical codes, 0 (emergency) to 7 (debug).
_SYSLOG_NUMBERS = (23, 22, 21, 17, 13, 10, 9, 5)

# pino and bunyan count in tens; 10 and 20 are left to OpenTelemetry, whose numbers they also are.
_TENS_NUMBERS = {30: 9, 40: 13, 50: 17, 60: 21}


def level_of_number(number: int) -> str:
    """The canonical level of a severity number 0–24; ``""`` for 0."""
    return _NAMES[number]


def severity_of_text(text: str) -> int | None:
    """Severity number of a level written as text in any case, or of a number written as text.

    Returns ``None`` when the text names no level known here: the caller keeps it elsewhere.
    """
    key = text.strip().lower()
    number = _TEXT_NUMBERS.get(key)
    if number is not None:
        return number
    if key.isascii() and key.isdigit() and len(key) <= 2:
        return severity_of(int(key))
    return None


def severity_of(number: int, *, otel: bool = False) -> int | None:
    """Severity number of a numeric level.

    0–7 are syslog's codes and 8–24 OpenTelemetry's numbers, unless the field's own name says
    OpenTelemetry (``severity_number``): then 0–24 all are. 30, 40, 50, 60 are pino's and bunyan's.

    Returns ``None`` when the number means nothing here.
    """
    if otel:
        return number if 0 <= number <= 24 else None
    if 0 <= number <= 7:
        return _SYSLOG_NUMBERS[number]
    if number <= 24:
        return number if number > 0 else None
    return _TENS_NUMBERS.get(number)
