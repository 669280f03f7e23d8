"""``/api/v1/overview/stream``: the overview, pushed."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get
from litestar.response import Stream

from logstream.dashboard.errors import ERRORS, ErrorAnswer, request_id_of
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
from logstream.dashboard.pushed import Every, Look, pushed
from logstream.dashboard.sse import described

__all__ = ["overview_stream"]


class OverviewEvents(msgspec.Struct):
    """The data of each event, by the event's name."""

    overview: OverviewAnswer
    error: ErrorAnswer


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
    """An ``overview`` event every so often, with its own error for each panel that failed; an
    ``error`` event when all of them did, and on."""
    del asked  # asked for so that what cannot be understood is refused before the stream begins
    key = (q, from_, to)
    request_id = request_id_of(request.scope)
    overview = Look("overview", key, lambda: look(services, ask(services, *key), request_id))
    return pushed(request, services, overview, every_s)
