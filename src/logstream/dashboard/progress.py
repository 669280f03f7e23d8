"""``/api/v1/queries/{query_id}``: how far a running query is, as server-sent events, and its end.

The store counts; what it cannot tell is null. Nothing is asked of it unless somebody looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.params import PathParameter
from litestar.response import Stream

from logstream.dashboard.errors import ERRORS
from logstream.dashboard.params import ServicesDependency
from logstream.dashboard.queue import client_of
from logstream.dashboard.running import ID_PATTERN, RUNNING, RunningQueries, RunningQuery
from logstream.dashboard.services import Services
from logstream.dashboard.shell import resources_of
from logstream.dashboard.sse import HEARTBEAT, MEDIA_TYPE, described, event
from logstream.errors import StoreError
from logstream.timestamps import format_timestamp

__all__ = ["progress", "stop"]

LOOK_S = 0.25

PathId = Annotated[str, PathParameter(pattern=ID_PATTERN, description="What its query_id was.")]


class ProgressAnswer(msgspec.Struct):
    """How far it is. ``read_rows``: rows read so far; ``total_rows``: those it will read at most;
    ``found``: matches of a search so far; ``searched_from``: from there to the range's end all
    is searched. Null: not known."""

    read_rows: int | None
    total_rows: int | None
    found: int | None
    searched_from: str | None
    elapsed_ms: float


class EndedAnswer(msgspec.Struct):
    """``ended`` events, always the last: it runs no longer. Its answer says how it went."""

    ended: bool


class ProgressEvents(msgspec.Struct):
    """The data of each event, by the event's name."""

    progress: ProgressAnswer
    ended: EndedAnswer


class StopAnswer(msgspec.Struct):
    """``running``: whether there was anything to stop."""

    running: bool


@get(
    "/queries/{query_id:str}/progress",
    responses={**ERRORS, 200: described(ProgressEvents)},
    summary="How far a running query is",
)
async def progress(
    request: Request[Any, Any, Any], services: ServicesDependency, query_id: PathId
) -> Stream:
    """A ``progress`` event whenever there is more to tell, until the query has ``ended``."""
    events = _events(services, _find(request, query_id))
    resources_of(request.scope).push_async_callback(events.aclose)
    return Stream(events, media_type=MEDIA_TYPE, headers={"x-accel-buffering": "no"})


@post(
    "/queries/{query_id:str}/stop",
    status_code=200,
    responses=ERRORS,
    summary="Stop a running query",
)
async def stop(request: Request[Any, Any, Any], query_id: PathId) -> StopAnswer:
    """End it: a search answers with what it has found, with ``stopped`` and a cursor to go on;
    anything else with the error ``query_cancelled``."""
    query = _find(request, query_id)
    if query is not None:
        query.stop.set()
    return StopAnswer(query is not None)


def _find(request: Request[Any, Any, Any], query_id: str) -> RunningQuery | None:
    queries: RunningQueries = request.app.state[RUNNING]
    return queries.find(client_of(request), query_id)


async def _events(services: Services, query: RunningQuery | None) -> AsyncGenerator[bytes, None]:
    loop = asyncio.get_running_loop()
    told: tuple[object, ...] = ()
    spoke_s = loop.time()
    while query is not None and not query.ended.is_set() and not services.stopping.is_set():
        now = await _look(services, query)
        known = (now.read_rows, now.total_rows, now.found, now.searched_from)
        if known != told and not query.ended.is_set():
            told, spoke_s = known, loop.time()
            yield event("progress", now)
        elif loop.time() - spoke_s > services.heartbeat_s:
            spoke_s = loop.time()
            yield HEARTBEAT
        await _within(LOOK_S, query.ended, services.stopping)
    yield event("ended", EndedAnswer(ended=True))


async def _look(services: Services, query: RunningQuery) -> ProgressAnswer:
    try:
        now = await services.store.progress(query.name)
    except StoreError:
        now = None  # the query itself says what is wrong with the store
    stepwise = query.found is not None
    read = None if now is None else now.read_rows
    return ProgressAnswer(
        read_rows=(query.read_rows + (read or 0) or None) if stepwise else read,
        # Of one step it would be no total.
        total_rows=None if now is None or stepwise else now.total_rows,
        found=query.found,
        searched_from=(
            None if query.searched_from_ns is None else format_timestamp(query.searched_from_ns)
        ),
        elapsed_ms=round((asyncio.get_running_loop().time() - query.began_s) * 1e3, 1),
    )


async def _within(seconds: float, *events: asyncio.Event) -> None:
    """Wait for the first of them, but no longer."""
    waits = [asyncio.ensure_future(each.wait()) for each in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
