"""``/api/v1/pipeline/stream``: what flows from receiving to storing, pushed."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get
from litestar.response import Stream

from logstream.dashboard.errors import ERRORS, ErrorAnswer
from logstream.dashboard.params import ServicesDependency
from logstream.dashboard.pipeline import PipelineAnswer, Window, look
from logstream.dashboard.pushed import Every, Look, pushed
from logstream.dashboard.sse import described

__all__ = ["pipeline_stream"]


class PipelineEvents(msgspec.Struct):
    """The data of each event, by the event's name."""

    pipeline: PipelineAnswer
    error: ErrorAnswer


@get(
    "/pipeline/stream",
    responses={**ERRORS, 200: described(PipelineEvents)},
    summary="What flows from receiving to storing, pushed",
)
async def pipeline_stream(
    *,
    request: Request[Any, Any, Any],
    services: ServicesDependency,
    window_s: Window = 60,
    every_s: Every = 2,
) -> Stream:
    """A ``pipeline`` event every so often; an ``error`` event when a look failed, and on."""
    pipeline = Look("pipeline", window_s, lambda: look(services, window_s))
    return pushed(request, services, pipeline, every_s)
