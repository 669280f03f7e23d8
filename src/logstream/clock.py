"""Time as a value that is passed in, so that tests need not sleep.

Wall-clock time names records; it can jump. Durations, timeouts and ages are measured on the
monotonic clock only.
"""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["NS_PER_S", "SYSTEM_CLOCK", "Clock", "SystemClock"]

NS_PER_S = 1_000_000_000


class Clock(Protocol):
    def time_ns(self) -> int:
        """Wall-clock time, nanoseconds since 1970-01-01T00:00:00Z. May jump either way."""

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""


class SystemClock:
    """The machine's own clocks."""

    time_ns = staticmethod(time.time_ns)
    monotonic_s = staticmethod(time.monotonic)


SYSTEM_CLOCK: Clock = SystemClock()
