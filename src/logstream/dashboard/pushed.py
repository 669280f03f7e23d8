"""An answer that is pushed again and again, as server-sent events.

Pages that show the same share one look at the store, and no page may cost the store more than a
fifth of its time: the longer a look takes, the rarer it becomes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request
from litestar.params import QueryParameter
from litestar.response import Stream

from logstream.dashboard.errors import InternalError, describe, log_failure, request_id_of
from logstream.dashboard.services import Services
from logstream.dashboard.shell import resources_of
from logstream.dashboard.sse import HEARTBEAT, MEDIA_TYPE, RETRY, event, stops_within
from logstream.errors import LogStreamError

__all__ = ["LOOKS", "Every", "Look", "Looks", "pushed"]

COST_FACTOR = 4
# Whoever asks again after a failure is not shown the same failure for as long as an answer.
_FAILED_STAYS_S = 1.0
FORGOTTEN_S = 300
LOOKS = "logstream.looks"

Every = Annotated[
    int, QueryParameter(name="every_s", ge=1, le=300, description="Seconds between two events.")
]


@dataclass(frozen=True, slots=True)
class Look:
    """What is pushed. ``name``: of its events; equal ``key``: the same is asked."""

    name: str
    key: Hashable
    run: Callable[[], Coroutine[Any, Any, Any]]


class Looks:
    """The looks that are running or fresh, shared by all who ask the same."""

    def __init__(self) -> None:
        self._looks: dict[Hashable, tuple[float, asyncio.Task[Any]]] = {}

    async def fresh(self, look: Look, max_age_s: float) -> Any:
        """A look that began at most ``max_age_s`` ago. Whoever waits may go; the look stays."""
        now_s = asyncio.get_running_loop().time()
        key = (look.name, look.key)
        began_s, task = self._looks.get(key, (-1e9, None))
        if task is not None and _failed(task):
            max_age_s = min(max_age_s, _FAILED_STAYS_S)
        if task is None or now_s - began_s > max_age_s:
            task = asyncio.create_task(look.run())
            self._looks = {
                other: kept for other, kept in self._looks.items() if now_s - kept[0] < FORGOTTEN_S
            } | {key: (now_s, task)}
        return await asyncio.shield(task)


def _failed(look: asyncio.Task[Any]) -> bool:
    """Whether it ended without an answer, or with one that lacks something."""
    if not look.done() or look.cancelled():
        return look.done()
    return look.exception() is not None or bool(getattr(look.result(), "failed", None))


def pushed(request: Request[Any, Any, Any], services: Services, look: Look, every_s: int) -> Stream:
    """The look every so often; an ``error`` event when one failed, and on, until the client goes
    or the server stops."""
    looks: Looks = request.app.state[LOOKS]
    events = _events(services, looks, look, every_s, request)
    resources_of(request.scope).push_async_callback(events.aclose)
    return Stream(events, media_type=MEDIA_TYPE, headers={"x-accel-buffering": "no"})


async def _events(
    services: Services, looks: Looks, look: Look, every_s: int, request: Request[Any, Any, Any]
) -> AsyncGenerator[bytes, None]:
    yield RETRY
    loop = asyncio.get_running_loop()
    request_id = request_id_of(request.scope)
    while not services.stopping.is_set():
        began_s = loop.time()
        try:
            yield event(look.name, await looks.fresh(look, every_s / 2))
        except LogStreamError as exc:
            yield event("error", describe(exc, request_id)[2])
        except Exception as exc:  # noqa: BLE001 - logged, and told to the client
            log_failure(exc, request_id, "GET", request.url.path)
            error = InternalError("something went wrong here")
            yield event("error", describe(error, request_id)[2])
        took_s = loop.time() - began_s
        due_s = loop.time() + max(every_s, COST_FACTOR * took_s)
        while (wait_s := due_s - loop.time()) > 0:
            if await stops_within(services.stopping, min(wait_s, services.heartbeat_s)):
                return
            if wait_s > services.heartbeat_s:
                yield HEARTBEAT
