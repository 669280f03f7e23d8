"""``/api/v1/overview``: the platform's state at a glance, each number with the query behind it.

Each panel has queries of its own and fails alone: what the others show does not wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import msgspec
from litestar import Request, get

from logstream.dashboard.answers import RecordAnswer, record_answer
from logstream.dashboard.errors import (
    ERRORS,
    ErrorBody,
    InternalError,
    describe,
    log_failure,
    request_id_of,
)
from logstream.dashboard.facets import ValueAnswer, value_answers
from logstream.dashboard.histogram import (
    HistogramAnswer,
    auto_interval_ns,
    bucket_starts,
    histogram_answer,
)
from logstream.dashboard.history import Span
from logstream.dashboard.params import Asked, AskedDependency, ServicesDependency
from logstream.dashboard.services import Services
from logstream.errors import LogStreamError
from logstream.query import (
    Aggregate,
    Bin,
    Comparison,
    FieldFilter,
    Filter,
    Group,
    Query,
    Stats,
    all_of,
    resolve,
)
from logstream.store.base import HistogramBucket, TimeRange, ValueCount
from logstream.timestamps import format_timestamp, parse_timestamp

__all__ = ["OverviewAnswer", "look", "overview"]

T = TypeVar("T")

# A little over 60, so that a window of 60 intervals that begins inside one still fits.
SERIES_POINTS = 62
TOP = 10

_OURS = "something went wrong here"

ERRORS_ONLY = FieldFilter(resolve("level"), Comparison(">=", "error"))


class Tile(msgspec.Struct):
    """One number. ``previous`` is that of the window of equal length just before; ``change`` is
    the relative difference (0.1: a tenth more); null: nothing to tell it from. ``series`` is the
    number over the window, oldest first. ``query`` shows the records behind it."""

    value: float | None
    previous: float | None
    change: float | None
    series: list[float | None]
    query: str


_VolumeTile: TypeAlias = Callable[[HistogramAnswer, list[HistogramBucket], float, Filter], Tile]


class OverviewAnswer(msgspec.Struct, rename={"from_": "from"}):
    """``error_rate`` is a share (0–1) of all records; ``searchable_p50_s`` and ``_p95_s`` are
    seconds from acknowledgement to being searchable; ``writes_saved`` is 1 − inserts/records.
    These last three are the platform's own, whatever ``query`` says, over the last hour at most.
    ``failed`` has, by its name, why a member is null; its ``request_id`` is the log's.
    """

    from_: str
    to: str
    stored_records: int | None
    logs_per_s: Tile | None
    error_rate: Tile | None
    active_services: Tile | None
    searchable_p50_s: Tile
    searchable_p95_s: Tile
    writes_saved: Tile
    volume: HistogramAnswer | None
    errors_by_service: list[ValueAnswer] | None
    noisiest_services: list[ValueAnswer] | None
    newest_errors: list[RecordAnswer] | None
    failed: dict[str, ErrorBody]


@get("/overview", responses=ERRORS, summary="The state at a glance")
async def overview(
    request: Request[Any, Any, Any], services: ServicesDependency, asked: AskedDependency
) -> OverviewAnswer:
    """Rates, errors, services and latencies of a window against the window before it."""
    return await look(services, asked, request_id_of(request.scope))


async def look(services: Services, asked: Asked, request_id: str) -> OverviewAnswer:
    """The overview as of now; its queries run at the same time.

    Raises:
        StoreError: not one of them was answered; what failed alone is in ``failed``.
    """
    where, now = asked.where, asked.between
    span_ns = now.end_ns - now.start_ns
    before = TimeRange(max(now.start_ns - span_ns, 0), now.start_ns)
    interval_ns = auto_interval_ns(now, SERIES_POINTS)
    store, limits = services.store, services.limits
    failing = all_of(where, ERRORS_ONLY)
    ask = asyncio.ensure_future
    counted = ask(store.histogram(where, now, interval_ns=interval_ns, limits=limits))
    counted_before = ask(store.histogram(where, before, interval_ns=interval_ns, limits=limits))
    active = ask(_active_services(services, where, now, before, interval_ns))
    noisiest = ask(store.facets(where, now, fields=["service"], limit=TOP, limits=limits))
    failed = ask(store.facets(failing, now, fields=["service"], limit=TOP, limits=limits))
    newest = ask(store.search(failing, now, limit=TOP, count=False, limits=limits))
    stats = ask(store.stats())
    panels = _Panels(request_id)
    await panels.wait(counted, counted_before, active, noisiest, failed, newest, stats)
    volume = panels.show(
        "volume", lambda: histogram_answer(counted.result(), now, interval_ns, "level"), counted
    )

    def volume_tile(name: str, make: _VolumeTile) -> Tile | None:
        def made() -> Tile:
            whole = histogram_answer(counted.result(), now, interval_ns, "level")
            return make(whole, counted_before.result(), span_ns / 1e9, where)

        return panels.show(name, made, counted, counted_before)

    own, own_before = (
        services.history.between(part.start_ns, part.end_ns) for part in (now, before)
    )
    return OverviewAnswer(
        format_timestamp(now.start_ns),
        format_timestamp(now.end_ns),
        panels.show("stored_records", lambda: stats.result().rows, stats),
        volume_tile("logs_per_s", _rate_tile),
        volume_tile("error_rate", _share_tile),
        panels.show("active_services", active.result, active),
        _own_tile("searchable_p50_s", own, own_before),
        _own_tile("searchable_p95_s", own, own_before),
        _own_tile("writes_saved", own, own_before),
        volume,
        panels.show("errors_by_service", lambda: _by_service(failed), failed),
        panels.show("noisiest_services", lambda: _by_service(noisiest), noisiest),
        panels.show(
            "newest_errors",
            lambda: [record_answer(each, truncate=4_096) for each in newest.result().records],
            newest,
        ),
        panels.failed,
    )


class _Panels:
    """What each panel shows, or why it cannot."""

    def __init__(self, request_id: str) -> None:
        self.failed: dict[str, ErrorBody] = {}
        self._request_id = request_id

    async def wait(self, *queries: asyncio.Future[Any]) -> None:
        """Until all have ended; cancelled, they are.

        Raises:
            LogStreamError: the first one's, when not one of them was answered.
        """
        await asyncio.gather(*queries, return_exceptions=True)
        errors = [error for query in queries if (error := query.exception()) is not None]
        if len(errors) == len(queries):
            raise errors[0]
        for error in errors:
            log_failure(error, self._request_id, "GET", "/api/v1/overview")

    def show(self, name: str, make: Callable[[], T], *needed: asyncio.Future[Any]) -> T | None:
        """What it shows when all that it needs was answered."""
        error = next((error for query in needed if (error := query.exception())), None)
        if error is None:
            return make()
        told = error if isinstance(error, LogStreamError) else InternalError(_OURS)
        body = describe(told, self._request_id)[2]["error"]
        self.failed[name] = msgspec.convert(body, ErrorBody)
        return None


def _by_service(counted: asyncio.Future[dict[str, list[ValueCount]]]) -> list[ValueAnswer]:
    return value_answers("service", counted.result().get("service", []))


@asynccontextmanager
async def _together() -> AsyncIterator[Callable[[Coroutine[Any, Any, T]], asyncio.Task[T]]]:
    """Queries at the same time; when one fails the others are stopped and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group.create_task
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed


def _rate_tile(
    volume: HistogramAnswer, before: list[HistogramBucket], span_s: float, where: Filter
) -> Tile:
    return tile(
        volume.total / span_s,
        sum(sum(bucket.counts.values()) for bucket in before) / span_s,
        [bucket.total / volume.interval_s for bucket in volume.buckets],
        str(where),
    )


def _share_tile(
    volume: HistogramAnswer, before: list[HistogramBucket], _: float, where: Filter
) -> Tile:
    all_before = sum(sum(bucket.counts.values()) for bucket in before)
    return tile(
        _share(sum(_errors(bucket.counts) for bucket in volume.buckets), volume.total),
        _share(sum(_errors(bucket.counts) for bucket in before), all_before),
        [_share(_errors(bucket.counts), bucket.total) for bucket in volume.buckets],
        str(all_of(where, ERRORS_ONLY)),
    )


async def _active_services(
    services: Services, where: Filter, now: TimeRange, before: TimeRange, interval_ns: int
) -> Tile:
    service = resolve("service")
    count = Aggregate("uniq", service, "services")
    over_time = Group(Bin(f"{interval_ns // 1_000_000}ms"), "at")
    total = Query(where, (Stats((count,)),))
    series = Query(where, (Stats((count,), (over_time,)),))
    ask, limits = services.store.table, services.limits
    async with _together() as run:
        here = run(ask(total, now, limits=limits))
        there = run(ask(total, before, limits=limits))
        points = run(ask(series, now, limits=limits))
    counted = {parse_timestamp(at): float(count) for at, count in points.result().rows}
    return tile(
        float(here.result().rows[0][0]),
        float(there.result().rows[0][0]),
        [counted.get(start_ns, 0.0) for start_ns in bucket_starts(now, interval_ns)],
        str(Query(where, (Stats((Aggregate("count"),), (Group(service),)),))),
    )


def _own_tile(name: str, now: Span, before: Span) -> Tile:
    measure = _MEASURES[name]
    return tile(measure(now), measure(before), [measure(part) for part in now.parts(30)], "")


def _writes_saved(span: Span) -> float | None:
    records = span.increase("logstream_records_stored_total")
    groups = span.increase("logstream_worker_groups_total")
    return 1 - groups / records if records else None


_MEASURES = {
    "searchable_p50_s": lambda span: span.quantile("logstream_searchable_seconds", 0.5),
    "searchable_p95_s": lambda span: span.quantile("logstream_searchable_seconds", 0.95),
    "writes_saved": _writes_saved,
}


def tile(
    value: float | None, previous: float | None, series: Sequence[float | None], query: str
) -> Tile:
    """A number with its change against the one before."""
    change = None if value is None or not previous else (value - previous) / previous
    return Tile(value, previous, change, list(series), query)


def _errors(counts: Mapping[str, int]) -> int:
    return counts.get("error", 0) + counts.get("fatal", 0)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
