"""``/api/v1/overview/stream``: the overview, pushed.

Pages that show the same overview share one look at the store, and no page may cost the store more
than a fifth of its time: the longer a look takes, the rarer it becomes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.params import QueryParameter
from litestar.response import Stream

from logstream.dashboard.errors import (
    ERRORS,
    ErrorAnswer,
    InternalError,
    describe,
    log_failure,
    request_id_of,
)
from logstream.dashboard.overview import OverviewAnswer, look
from logstream.dashboard.params import (
    DEFAULT_FROM,
    DEFAULT_TO,
    AskedDependency,
    FromTime,
    QueryText,
    ServicesDependency,
    ToTime,
    ask,
)
from logstream.dashboard.services import Services
from logstream.dashboard.shell import resources_of
from logstream.dashboard.sse import MEDIA_TYPE, RETRY, described, event, stops_within
from logstream.errors import LogStreamError

__all__ = ["overview_stream"]

COST_FACTOR = 4
LOOKS = "logstream.looks"

Every = Annotated[
    int, QueryParameter(name="every_s", ge=1, le=300, description="Seconds between two events.")
]


class OverviewEvents(msgspec.Struct):
    """The data of each event, by the event's name."""

    overview: OverviewAnswer
    error: ErrorAnswer


class Looks:
    """The looks at the store that are running or fresh, shared by all who ask the same."""

    def __init__(self) -> None:
        self._looks: dict[tuple[str, str, str], tuple[float, asyncio.Task[OverviewAnswer]]] = {}

    async def fresh(
        self, services: Services, key: tuple[str, str, str], max_age_s: float
    ) -> OverviewAnswer:
        """A look that began at most ``max_age_s`` ago. Whoever waits may go; the look stays."""
        now_s = asyncio.get_running_loop().time()
        began_s, task = self._looks.get(key, (-1e9, None))
        if task is None or now_s - began_s > max_age_s:
            task = asyncio.create_task(look(services, ask(services, *key)))
            self._looks = {
                other: kept for other, kept in self._looks.items() if now_s - kept[0] < 300
            } | {key: (now_s, task)}
        return await asyncio.shield(task)


@get(
    "/overview/stream",
    responses={**ERRORS, 200: described(OverviewEvents)},
    summary="The state at a glance, pushed",
)
async def overview_stream(
    *,
    request: Request[Any, Any, Any],
    services: ServicesDependency,
    asked: AskedDependency,
    q: QueryText = "",
    from_: FromTime = DEFAULT_FROM,
    to: ToTime = DEFAULT_TO,
    every_s: Every = 5,
) -> Stream:
    """An ``overview`` event every so often; an ``error`` event when a look failed, and on."""
    del asked  # asked for so that what cannot be understood is refused before the stream begins
    looks: Looks = request.app.state[LOOKS]
    events = _events(services, looks, (q, from_, to), every_s, request_id_of(request.scope))
    resources_of(request.scope).push_async_callback(events.aclose)
    return Stream(events, media_type=MEDIA_TYPE, headers={"x-accel-buffering": "no"})


async def _events(
    services: Services, looks: Looks, key: tuple[str, str, str], every_s: int, request_id: str
) -> AsyncGenerator[bytes, None]:
    yield RETRY
    loop = asyncio.get_running_loop()
    while not services.stopping.is_set():
        began_s = loop.time()
        try:
            yield event("overview", await looks.fresh(services, key, every_s / 2))
        except LogStreamError as exc:
            yield event("error", describe(exc, request_id)[2])
        except Exception as exc:  # noqa: BLE001 - logged, and told to the client
            log_failure(exc, request_id, "GET", "/api/v1/overview/stream")
            error = InternalError("something went wrong here")
            yield event("error", describe(error, request_id)[2])
        took_s = loop.time() - began_s
        if await stops_within(services.stopping, max(every_s, COST_FACTOR * took_s)):
            return
