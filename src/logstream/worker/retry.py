"""Waiting between tries: exponential backoff with full jitter, cut short by a stop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeAlias

__all__ = ["FIRST_DELAY_S", "Sleep", "Stopping", "backoff_s", "pause"]

FIRST_DELAY_S = 0.1

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
"""``asyncio.sleep``, or a fake clock's."""


class Stopping(Exception):
    """The worker was told to stop while it waited to try again; never leaves the worker."""


def backoff_s(attempt: int, max_s: float, rng: random.Random) -> float:
    """Pause before try number ``attempt`` (from 1) after a failure: anywhere up to a bound that
    doubles each time, so that many who failed together do not come back together."""
    return rng.uniform(0, min(max_s, FIRST_DELAY_S * 2 ** min(attempt, 32)))


async def pause(seconds: float, *, stop: asyncio.Event, sleep: Sleep) -> bool:
    """Wait, but not longer than until ``stop`` is set; whether it is set."""
    tasks = [asyncio.ensure_future(sleep(seconds)), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return stop.is_set()
