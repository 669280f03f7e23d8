"""Requests that take too long to arrive are cut; one timer looks after all of them."""

from __future__ import annotations

import asyncio
from typing import Any

from logstream.clock import Clock

__all__ = ["Deadlines"]


class Deadlines:
    """Cancels tasks whose time is over. Much cheaper than one timer for each request."""

    def __init__(self, *, limit_s: float, clock: Clock) -> None:
        self.limit_s = limit_s
        self._clock = clock
        self._due: dict[asyncio.Task[Any], float] = {}
        self._expired: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> asyncio.Task[Any]:
        """Watch the current task until `stop`."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can have a deadline")
        self._due[task] = self._clock.monotonic_s() + self.limit_s
        if self._timer is None:
            self._plan()
        return task

    def stop(self, task: asyncio.Task[Any]) -> bool:
        """Watch it no longer; true when it was cancelled here, which is then taken back."""
        self._due.pop(task, None)
        if task not in self._expired:
            return False
        self._expired.discard(task)
        task.uncancel()
        return True

    def _plan(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(min(1.0, self.limit_s / 4), self._sweep)

    def _sweep(self) -> None:
        now = self._clock.monotonic_s()
        for task, due in list(self._due.items()):
            if due <= now:
                del self._due[task]
                self._expired.add(task)
                task.cancel()
        self._timer = None
        if self._due:
            self._plan()
