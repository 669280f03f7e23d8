"""``/api/v1/context``: what happened around one record at the same source;
``/api/v1/trace/{trace_id}``: all records of one trace, in order."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import PathParameter, QueryParameter

from logstream.clock import NS_PER_S
from logstream.dashboard.answers import RecordAnswer, StatsAnswer, record_answer, stats_answer
from logstream.dashboard.errors import ERRORS
from logstream.dashboard.params import (
    Limit,
    ServicesDependency,
    split_names,
    time_range,
)
from logstream.dashboard.services import Services
from logstream.errors import BadRequest, NotFound
from logstream.query import Everything, Filter, all_of, field_equals, resolve
from logstream.query.values import field_value
from logstream.record import Record
from logstream.store.base import Cursor
from logstream.timestamps import format_timestamp, parse_timestamp

__all__ = ["context", "trace"]

# What tells one source from another, in the names that senders use. Never the level.
SOURCE_FIELDS = (
    "service",
    "host.name",
    "host",
    "hostname",
    "service.instance.id",
    "k8s.pod.name",
    "container.id",
    "container.name",
    "log.file.path",
    "filename",
)

RecordId = Annotated[str, QueryParameter(name="id", description="The record's id.")]
RecordTime = Annotated[
    str, QueryParameter(name="timestamp", description="The record's timestamp, as answered.")
]
Before = Annotated[
    int, QueryParameter(name="before", ge=0, le=1_000, description="Most older records.")
]
After = Annotated[
    int, QueryParameter(name="after", ge=0, le=1_000, description="Most newer records.")
]
Same = Annotated[
    str,
    QueryParameter(
        name="same",
        description="Fields whose value must be the record's own; auto: its source; "
        "empty: everything around it.",
    ),
]
TraceId = Annotated[str, PathParameter(description="The trace's id.")]
TraceFrom = Annotated[
    str, QueryParameter(name="from", description="Start; empty: as far back as records are kept.")
]
TraceTo = Annotated[str, QueryParameter(name="to", description="End; empty: the newest.")]


class SameAnswer(msgspec.Struct):
    """A condition that neighbours meet."""

    field: str
    value: str
    filter: str


class ContextAnswer(msgspec.Struct):
    """``before`` and ``after`` are oldest first; ``same`` is what was asked of them, which leaves
    out fields that the record does not have."""

    before: list[RecordAnswer]
    record: RecordAnswer
    after: list[RecordAnswer]
    same: list[SameAnswer]


class TraceAnswer(msgspec.Struct):
    """Oldest first. ``complete`` is false when there are more than ``limit``: the newest are
    shown."""

    trace_id: str
    records: list[RecordAnswer]
    complete: bool
    stats: StatsAnswer


@get("/context", responses=ERRORS, summary="Records around one record")
async def context(
    *,
    services: ServicesDependency,
    id: RecordId,
    timestamp: RecordTime,
    before: Before = 10,
    after: After = 10,
    same: Same = "auto",
) -> ContextAnswer:
    """The neighbours of a record in time, from the same source, whatever was searched for."""
    anchor = _anchor(id, timestamp)
    record = await _anchor_record(services, anchor)
    names = list(SOURCE_FIELDS) if same == "auto" else split_names(same)
    conditions = _same(record, names)
    where: Filter = all_of(*(field_equals(each.field, each.value) for each in conditions))
    older, found, newer = await services.store.context(
        anchor, where, before=before, after=after, limits=services.limits
    )
    if found is None:
        raise _gone(anchor)
    return ContextAnswer(
        [record_answer(each) for each in older],
        record_answer(found),
        [record_answer(each) for each in newer],
        conditions,
    )


def _anchor(id: str, timestamp: str) -> Cursor:
    timestamp_ns = parse_timestamp(timestamp)
    if timestamp_ns is None:
        raise BadRequest("timestamp is no time", hint="give the record's own, as it was answered")
    if not (id.isascii() and id.isdigit() and len(id) <= 20 and int(id) < 1 << 64):
        raise BadRequest("id is no record's id", hint="give the record's own, as it was answered")
    return Cursor(timestamp_ns, int(id))


async def _anchor_record(services: Services, anchor: Cursor) -> Record:
    _, found, _ = await services.store.context(
        anchor, Everything(), before=0, after=0, limits=services.limits
    )
    if found is None:
        raise _gone(anchor)
    return found.record


def _gone(anchor: Cursor) -> NotFound:
    return NotFound(
        f"there is no record {anchor.id} at {format_timestamp(anchor.timestamp_ns)}",
        hint="it may have reached the end of its retention",
    )


def _same(record: Record, names: list[str]) -> list[SameAnswer]:
    conditions = []
    for name in names:
        value = field_value(resolve(name), record)
        if value not in (None, ""):
            text = str(value)
            conditions.append(SameAnswer(name, text, str(field_equals(name, text))))
    return conditions


@get("/trace/{trace_id:str}", responses=ERRORS, summary="All records of a trace")
async def trace(
    *,
    services: ServicesDependency,
    trace_id: TraceId,
    from_: TraceFrom = "",
    to: TraceTo = "",
    limit: Limit = 1_000,
) -> TraceAnswer:
    """All records that carry a trace id, in the order in which things happened."""
    now_ns, settings = services.clock.time_ns(), services.settings
    oldest_ns = now_ns - round(settings.retention_s * NS_PER_S) - 86_400 * NS_PER_S
    newest_ns = now_ns + round(settings.accept_future_s * NS_PER_S) + NS_PER_S
    between = time_range(
        from_ or format_timestamp(max(oldest_ns, 0)),
        to or format_timestamp(newest_ns),
        now_ns=now_ns,
    )
    page = await services.store.search(
        field_equals("trace_id", trace_id), between, limit=limit, limits=services.limits
    )
    return TraceAnswer(
        trace_id,
        [record_answer(each) for each in reversed(page.records)],
        page.next_cursor is None,
        stats_answer(page.stats),
    )
