"""``/api/v1/tail``: matching records as they arrive, as server-sent events.

Events: ``rows`` (a `TailRows`, with an id to resume from), ``status`` (a `TailStatus`: what was
sent, dropped, sampled out) and ``error`` (an `ErrorAnswer`, the last event). A comment line comes
when nothing else did for a while, so that proxies keep the line open.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from logstream.dashboard.answers import RecordBody, record_members
from logstream.dashboard.errors import (
    ERRORS,
    ErrorAnswer,
    InternalError,
    describe,
    log_failure,
    request_id_of,
)
from logstream.dashboard.params import QueryText, ServicesDependency
from logstream.dashboard.services import Services
from logstream.dashboard.shell import resources_of
from logstream.dashboard.sse import HEARTBEAT, MEDIA_TYPE, RETRY, described, event
from logstream.errors import BadRequest, LogStreamError
from logstream.live.events import Rows, Status, TailRow
from logstream.live.hub import MAX_BACKFILL
from logstream.live.tail import Tail
from logstream.query import parse
from logstream.timestamps import format_timestamp

__all__ = ["tail"]

Backfill = Annotated[
    int,
    QueryParameter(
        name="backfill", ge=0, le=MAX_BACKFILL, description="Records from before now to begin with."
    ),
]
Truncate = Annotated[
    int,
    QueryParameter(
        name="truncate", ge=0, description="Cut messages to so many characters; 0: whole."
    ),
]
Resume = Annotated[
    str,
    QueryParameter(
        name="resume", description="resume of the last event seen, where no header can be sent."
    ),
]
LastEventId = Annotated[
    str, HeaderParameter(name="Last-Event-ID", description="What EventSource sends by itself.")
]


class TailRecord(RecordBody, kw_only=True):
    """A record as it arrived. ``key`` is unique in this tail and stays when a tail is resumed;
    ``id`` is null until it was seen in the store; ``received`` null when it came from there."""

    key: str
    id: str | None
    received: str | None


class TailRows(msgspec.Struct):
    """``rows`` events: records in order of arrival; ``resume`` is the event's id too."""

    rows: list[TailRecord]
    backfill: bool
    resume: str


class TailStatus(msgspec.Struct):
    """``status`` events: counts since the tail was opened, backfill left out.

    ``matched == sent + dropped + sampled_out + waiting``. ``dropped``: this client was too slow;
    ``sampled_out``: too many to show, one in ``sample`` is; ``unexamined``: too many even to look
    at; ``missed_entries``: gone from the queue before they were seen; ``gap``: records between
    the place to resume from and now may be missing; ``ended``: the server is stopping.
    """

    matched: int
    sent: int
    dropped: int
    sampled_out: int
    waiting: int
    unexamined: int
    sample: int
    missed_entries: int
    gap: bool
    backfill_complete: bool
    resume: str
    ended: bool


class TailEvents(msgspec.Struct):
    """The data of each event, by the event's name."""

    rows: TailRows
    status: TailStatus
    error: ErrorAnswer


@get(
    "/tail",
    responses={
        **ERRORS,
        200: described(TailEvents),
    },
    summary="Follow matching records live",
)
async def tail(
    *,
    request: Request[Any, Any, Any],
    services: ServicesDependency,
    q: QueryText = "",
    backfill: Backfill = 100,
    truncate: Truncate = 0,
    resume: Resume = "",
    last_event_id: LastEventId = "",
) -> Stream:
    """Records that match, from now on, until the client goes."""
    query = parse(q)
    if query.pipes:
        raise BadRequest(
            "a live tail takes no pipes", hint="follow the filter alone, or search with the pipes"
        )
    opened = await services.hub.open(
        query.filter, backfill=backfill, resume=last_event_id or resume
    )
    resources = resources_of(request.scope)
    await resources.enter_async_context(opened)
    events = _events(services, opened, truncate, request_id_of(request.scope))
    resources.push_async_callback(events.aclose)
    return Stream(events, media_type=MEDIA_TYPE, headers={"x-accel-buffering": "no"})


async def _events(
    services: Services, opened: Tail, truncate: int, request_id: str
) -> AsyncGenerator[bytes, None]:
    yield RETRY
    stopping = asyncio.create_task(services.stopping.wait())
    following: asyncio.Task[Rows | Status | None] | None = None
    try:
        while True:
            following = following or asyncio.create_task(_next(opened))
            done, _ = await asyncio.wait(
                (following, stopping),
                timeout=services.heartbeat_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if stopping in done:
                yield _status(opened.status(), ended=True)
                return
            if following not in done:
                yield HEARTBEAT
                continue
            came, following = following.result(), None
            if came is None:
                return
            yield _rows(came, truncate) if isinstance(came, Rows) else _status(came)
    except LogStreamError as exc:
        yield _error(exc, request_id)
    except Exception as exc:  # noqa: BLE001 - logged, and told to the client as the last event
        log_failure(exc, request_id, "GET", "/api/v1/tail")
        yield _error(InternalError("something went wrong here"), request_id)
    finally:
        waiting = [stopping] if following is None else [stopping, following]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _next(opened: Tail) -> Rows | Status | None:
    return await anext(opened, None)


def _rows(came: Rows, truncate: int) -> bytes:
    rows = TailRows([_record(row, truncate) for row in came.rows], came.backfill, came.resume)
    return event("rows", rows, came.resume)


def _record(row: TailRow, truncate: int) -> TailRecord:
    return TailRecord(
        key=row.key,
        id=None if row.id is None else str(row.id),
        received=None if row.received_ns is None else format_timestamp(row.received_ns),
        **record_members(row.record, truncate),
    )


def _status(status: Status, *, ended: bool = False) -> bytes:
    return event("status", TailStatus(**msgspec.structs.asdict(status), ended=ended))


def _error(error: LogStreamError, request_id: str) -> bytes:
    return event("error", describe(error, request_id)[2])
