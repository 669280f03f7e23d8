"""What a worker waits for now, and for how long: nothing that takes long may look like nothing.

A store that refuses is said at once by whoever asked it. One that neither answers nor refuses, a
frozen server or a network that swallows, is not: until a connection has timed out, a minute at
most, nothing fails. So whoever calls says what it waits for, and `report`, called every second,
tells the metrics and, ever more rarely, the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from logstream import metrics
from logstream.clock import Clock

__all__ = ["FIRST_S", "On", "Waits"]

FIRST_S = 5.0
"""Seconds after which a wait is told for the first time; then each time it has doubled."""

On = Literal["store", "broker"]

_log = logging.getLogger(__name__)


class Waits:
    """At most one wait on each at a time, tries that failed included."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since_s: dict[On, float] = {}
        self._told_s: dict[On, float] = {}

    @contextmanager
    def on(self, what: On) -> Iterator[None]:
        """Waiting inside the block."""
        self._since_s[what] = self._clock.monotonic_s()
        try:
            yield
        finally:
            waited_s = self._clock.monotonic_s() - self._since_s.pop(what)
            if waited_s >= FIRST_S:
                metrics.WAITING_SECONDS.labels(what).set(0)
            if self._told_s.pop(what, 0.0):
                _log.warning("the wait for the %s is over, after %.1f s", what, waited_s)

    def report(self) -> None:
        """Tell how long each wait has been going on."""
        for what, since_s in self._since_s.items():
            waited_s = self._clock.monotonic_s() - since_s
            if waited_s < FIRST_S:
                continue
            metrics.WAITING_SECONDS.labels(what).set(waited_s)
            told_s = self._told_s.get(what, 0.0)
            if waited_s >= 2 * told_s:
                self._told_s[what] = waited_s
                _log.warning(
                    "still waiting for the %s: it has not answered for %.0f s", what, waited_s
                )
