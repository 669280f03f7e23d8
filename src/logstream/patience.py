"""Waiting for a server that is not there yet when a part of the platform starts.

Parts and servers are started in any order, and again in any order after a power cut. A part whose
broker or store is away goes on trying, and says each time what is wrong; what no waiting mends,
such as a wrong password, ends it at once.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from logstream.errors import BrokerUnavailable, LogStreamError, SettingError, StoreUnavailable
from logstream.settings import show

__all__ = ["GRACE_S", "Stopped", "at_first", "is_server", "unless", "until_there"]

GRACE_S = 2.0
"""How long a part waits for its servers before it answers requests without them."""

_FIRST_S, _LONGEST_S = 0.25, 5.0

T = TypeVar("T")


class Stopped(Exception):
    """Told to stop while a server was waited for; never leaves the part that waited."""


_log = logging.getLogger(__name__)


def is_server(url: str) -> bool:
    """Whether the URL of a broker or store names a server, which may come later than we do."""
    return url.partition(":")[0] not in ("disk", "chdb", "memory")


async def until_there(
    name: str,
    url: str,
    begin: Callable[[], Awaitable[T]],
    *,
    failed: Callable[[LogStreamError], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> T:
    """What ``begin`` answers, begun again for as long as the server is away.

    Args:
        name: ``broker`` or ``store``, for the log.
        url: Its URL; the password in it is shown to nobody.
        failed: Told what is wrong after each try.
        stop: Ends the waiting when it is set.

    Raises:
        Stopped: ``stop`` was set.
        SettingError: waiting would not help.
        LogStreamError: what is not a server cannot be used.
    """
    shown = show(name, url.partition("?")[0])
    tries = 0
    while True:
        try:
            answer = await begin()
        except (BrokerUnavailable, StoreUnavailable) as exc:
            if not is_server(url):
                raise
            if exc.lasting:
                where = "" if shown in exc.message else f"{name} {shown}: "
                raise SettingError(where + exc.message, hint=exc.hint) from exc
            tries += 1
            bound_s = min(_LONGEST_S, _FIRST_S * 2 ** min(tries, 16))
            pause_s = random.uniform(bound_s / 2, bound_s)  # noqa: S311 - jitter, not a secret
            _log.warning(
                "waiting for the %s %s, trying again in %.1f s: %s", name, shown, pause_s, exc
            )
            failed(exc)
            if await _paused(pause_s, stop):
                raise Stopped from exc
        else:
            if tries:
                _log.warning("the %s %s is there, after %d failed tries", name, shown, tries)
            return answer


async def _paused(pause_s: float, stop: asyncio.Event | None) -> bool:
    """Whether the pause was cut short."""
    if stop is None:
        await asyncio.sleep(pause_s)
        return False
    with suppress(TimeoutError):
        async with asyncio.timeout(pause_s):
            await stop.wait()
    return stop.is_set()


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What ``work`` answers; ``None``, and the work cancelled, once ``stop`` is set. For work whose
    answer nobody has to close: it may be lost when the caller is cancelled."""
    task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        for each in (task, stopped):
            each.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)


async def at_first(task: asyncio.Task[T], *urls: str, stop: asyncio.Event) -> bool:
    """Whether the task is done, given a moment, or all the time it needs if none of ``urls``
    names a server; it goes on all the same.

    Raises:
        Exception: what the task raised.
    """
    stopped = asyncio.ensure_future(stop.wait())
    grace_s = GRACE_S if any(map(is_server, urls)) else None
    try:
        await asyncio.wait((task, stopped), timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        await asyncio.gather(stopped, return_exceptions=True)
    if task.done():
        task.result()
    return task.done()
