"""A clock that stands still until it is told otherwise."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from logstream.clock import NS_PER_S

__all__ = ["FakeClock"]


class FakeClock:
    """A `Clock` whose time only passes through `advance`; `sleep` waits for just that.

    Args:
        time_ns: Wall-clock time at which it starts.
    """

    def __init__(self, time_ns: int = 1_700_000_000 * NS_PER_S) -> None:
        self._wall_ns = time_ns
        self._monotonic_ns = 0
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def time_ns(self) -> int:
        return self._wall_ns

    def monotonic_s(self) -> float:
        return self._monotonic_ns / NS_PER_S

    @property
    def sleepers(self) -> int:
        """How many wait in `sleep` now."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks, waking whoever slept that long."""
        passed_ns = int(seconds * NS_PER_S)
        self._wall_ns += passed_ns
        self._monotonic_ns += passed_ns
        while self._sleepers and self._sleepers[0][0] <= self._monotonic_ns:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back, as a person or a time server would."""
        self._wall_ns += int(seconds * NS_PER_S)

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has let ``seconds`` pass; at least one turn of the loop."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due_ns = self._monotonic_ns + int(seconds * NS_PER_S)
        heapq.heappush(self._sleepers, (due_ns, next(self._order), future))
        await future
