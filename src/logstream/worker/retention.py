"""Drop what is too old, unless the clock that says so cannot be believed."""

from __future__ import annotations

import logging

import msgspec

from logstream import metrics
from logstream.clock import NS_PER_S, Clock
from logstream.settings import Settings
from logstream.store.base import Store

__all__ = ["INTERVAL_S", "ClockReading", "enforce", "is_ahead"]

INTERVAL_S = 3600.0
_BELIEVABLE_NS = 86_400 * NS_PER_S

_log = logging.getLogger(__name__)


class ClockReading(msgspec.Struct, frozen=True):
    """Both clocks at one moment."""

    wall_ns: int
    monotonic_s: float

    @staticmethod
    def of(clock: Clock) -> ClockReading:
        return ClockReading(clock.time_ns(), clock.monotonic_s())


def is_ahead(now: ClockReading, last: ClockReading | None, newest_ns: int | None) -> bool:
    """Whether the wall clock is more than a day ahead of where it should be.

    It should be where the last look plus the time passed since puts it; at the first look, near
    the newest record in the store.
    """
    if last is not None:
        passed_ns = int((now.monotonic_s - last.monotonic_s) * NS_PER_S)
        return now.wall_ns - last.wall_ns - passed_ns > _BELIEVABLE_NS
    return newest_ns is not None and now.wall_ns - newest_ns > _BELIEVABLE_NS


async def enforce(
    store: Store, settings: Settings, *, clock: Clock, last: ClockReading | None
) -> ClockReading:
    """Have the store drop days past their retention; returns the reading to give next time.

    When the clock seems to have jumped ahead nothing is dropped this once: until the next look
    there is time to set it right. A clock that stays where it is is believed then, since the
    service may just have been off for long.

    Raises:
        StoreError: not done; try again.
    """
    now = ClockReading.of(clock)
    newest_ns = None if last is not None else (await store.stats()).newest_ns
    if is_ahead(now, last, newest_ns):
        _log.warning(
            "retention skipped once: the clock is more than a day ahead of %s; set it right within "
            "the hour if it is wrong, or records may be dropped too early",
            "the newest record" if last is None else "where it was, plus the time passed since",
        )
        return now
    days = await store.enforce_retention(
        now_ns=now.wall_ns,
        max_age_s=settings.retention_s,
        max_bytes=settings.retention_size_bytes,
    )
    if days:
        metrics.RETENTION_DAYS.inc(len(days))
        _log.info("retention dropped %d days: %s to %s", len(days), days[0], days[-1])
    return now
