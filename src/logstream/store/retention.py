"""Which days a store lets go of: the rules, without any engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from logstream.clock import NS_PER_S
from logstream.store.base import DayUsage

__all__ = ["day_of", "days_to_drop"]

_NS_PER_DAY = 86_400 * NS_PER_S
_EPOCH = dt.date(1970, 1, 1)


def day_of(at_ns: int) -> str:
    """The day (UTC) of a moment, ISO."""
    return (_EPOCH + dt.timedelta(days=at_ns // _NS_PER_DAY)).isoformat()


def days_to_drop(
    days: Sequence[DayUsage], *, now_ns: int, max_age_s: float, max_bytes: int
) -> list[str]:
    """Which days go: the expired ones, then the oldest while too much is left; never today."""
    today = day_of(now_ns)
    dropped, size = [], sum(day.bytes for day in days)
    for day in sorted(days, key=lambda each: each.day):
        if day.day >= today:
            break
        expired = _end_ns(day.day) + max_age_s * NS_PER_S < now_ns
        if not expired and not (max_bytes and size > max_bytes):
            break
        dropped.append(day.day)
        size -= day.bytes
    return dropped


def _end_ns(day: str) -> int:
    return ((dt.date.fromisoformat(day) - _EPOCH).days + 1) * _NS_PER_DAY
