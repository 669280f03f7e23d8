"""``/api/v1/pipeline``: receive → validate → queue → batch → database, what flows and what not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated, TypeVar

import msgspec
from litestar import get
from litestar.params import QueryParameter

from logstream.broker.base import BrokerStatus
from logstream.dashboard.advice import Advice, advise
from logstream.dashboard.errors import ERRORS
from logstream.dashboard.history import Sample, Span, sample_now
from logstream.dashboard.params import ServicesDependency
from logstream.dashboard.services import Services
from logstream.dashboard.storage import StorageAnswer, disk_free, storage_answer
from logstream.errors import LogStreamError

__all__ = ["PipelineAnswer", "Window", "look", "pipeline"]

SERIES_POINTS = 60

T = TypeVar("T")

Window = Annotated[
    int,
    QueryParameter(
        name="window_s", ge=10, le=3_600, description="Seconds that rates are taken over."
    ),
]


class Stage(msgspec.Struct):
    """Records a second through one step; null until there are two samples to tell it from."""

    name: str
    records_per_s: float | None
    series: list[float | None]


class Cause(msgspec.Struct):
    """How often something happened for one reason: since the start, and in the window."""

    reason: str
    total: int
    recent: int


class QueueAnswer(msgspec.Struct):
    """What is acknowledged and not in the store yet. ``full_in_s``: when it would be full if it
    kept growing as now; null: it does not grow."""

    entries: int
    records: int
    bytes: int
    capacity_bytes: int
    fill: float
    oldest_age_s: float | None
    full_in_s: float | None
    durability: str
    quarantined: int


class BatchAnswer(msgspec.Struct):
    """Groups: what one insert writes. Sizes in records; ``writes_saved`` is 1 − inserts/records
    since the start, ``_recent`` in the window."""

    groups_per_s: float | None
    size_p50: float | None
    size_p95: float | None
    insert_p50_s: float | None
    insert_p95_s: float | None
    writes_saved: float | None
    writes_saved_recent: float | None
    flushes: list[Cause]


class TailsAnswer(msgspec.Struct):
    """Live tails: how many are open, what they were sent, what they were too slow for."""

    open: int
    records: int
    dropped: int


class PipelineAnswer(msgspec.Struct):
    """``queue`` or ``storage`` is null when that part cannot answer; ``warnings`` say why and
    what to change, the gravest first."""

    window_s: float
    stages: list[Stage]
    received_bytes_per_s: float | None
    requests: list[Cause]
    rejected: list[Cause]
    retried: list[Cause]
    dead_lettered: list[Cause]
    dead_letters_waiting: int | None
    queue: QueueAnswer | None
    batch: BatchAnswer
    storage: StorageAnswer | None
    tails: TailsAnswer
    warnings: list[Advice]


@get("/pipeline", responses=ERRORS, summary="What flows from receiving to storing")
async def pipeline(services: ServicesDependency, window_s: Window = 60) -> PipelineAnswer:
    """Rates, queue, batches, storage and failures of the platform itself."""
    return await look(services, window_s)


async def look(services: Services, window_s: int) -> PipelineAnswer:
    """The pipeline as of now, with rates over the last ``window_s`` seconds."""
    now_ns = services.clock.time_ns()
    span = services.history.last(window_s, now_ns)
    now = await asyncio.to_thread(sample_now, now_ns, services.peers)
    status, status_failure = await _try(services.broker.status())
    stats, stats_failure = await _try(services.store.stats())
    free = await asyncio.to_thread(disk_free, services.settings.data_dir)
    queue = _queue(status, span, now_ns) if status else None
    storage = storage_answer(services.settings, stats, free) if stats else None
    answer = PipelineAnswer(
        window_s=span.seconds,
        stages=_stages(span),
        received_bytes_per_s=span.rate("logstream_ingest_bytes_total"),
        requests=_causes("logstream_ingest_requests_total", now, span),
        rejected=_causes("logstream_records_rejected_total", now, span),
        retried=_causes("logstream_worker_insert_retries_total", now, span),
        dead_lettered=_causes("logstream_records_dead_lettered_total", now, span),
        dead_letters_waiting=status.dead_letters if status else None,
        queue=queue,
        batch=_batch(now, span),
        storage=storage,
        tails=TailsAnswer(
            round(now.total("logstream_tails")),
            round(now.total("logstream_tail_records_total")),
            round(now.total("logstream_tail_dropped_records_total")),
        ),
        warnings=[],
    )
    answer.warnings = advise(
        failures={"queue": status_failure, "storage": stats_failure},
        broker_warnings=status.warnings if status else (),
        fill=queue.fill if queue else 0.0,
        oldest_age_s=queue.oldest_age_s if queue else None,
        flush_interval_s=services.settings.flush_interval_s,
        quarantined=status.quarantined if status else 0,
        dead_letters=status.dead_letters if status else 0,
        recent={
            "rejected": sum(cause.recent for cause in answer.rejected),
            "retried": sum(cause.recent for cause in answer.retried),
            "refused": sum(c.recent for c in answer.requests if c.reason in ("429", "503")),
        },
        waiting=now.by_label("logstream_worker_waiting_seconds"),
        disk_full_in_s=storage.disk_full_in_s if storage else None,
        store_notes=services.store.notes,
    )
    return answer


async def _try(asked: Awaitable[T]) -> tuple[T | None, str]:
    # One part that is down must not hide the others: this is the page to look at then.
    try:
        return await asked, ""
    except LogStreamError as exc:
        return None, exc.message


def _stages(span: Span) -> list[Stage]:
    parts = list(span.parts(SERIES_POINTS))
    stages = []
    for name, counters in (
        ("receive", ("logstream_records_accepted_total", "logstream_records_rejected_total")),
        ("validate", ("logstream_records_accepted_total",)),
        ("queue", ("logstream_records_accepted_total",)),
        ("batch", ("logstream_worker_group_records_sum",)),
        ("database", ("logstream_records_stored_total",)),
    ):
        stages.append(Stage(name, _rate(span, counters), [_rate(p, counters) for p in parts]))
    return stages


def _rate(span: Span, counters: tuple[str, ...]) -> float | None:
    return sum(span.increase(name) for name in counters) / span.seconds if span else None


def _causes(name: str, now: Sample, span: Span) -> list[Cause]:
    recent = span.increases(name)
    causes = [
        Cause(reason, round(total), round(recent.get(reason, 0.0)))
        for reason, total in now.by_label(name).items()
        if total
    ]
    return sorted(causes, key=lambda cause: (-cause.total, cause.reason))


def _queue(status: BrokerStatus, span: Span, now_ns: int) -> QueueAnswer:
    oldest_ns = status.oldest_received_ns
    fill = status.bytes / status.capacity_bytes if status.capacity_bytes else 0.0
    return QueueAnswer(
        entries=status.entries,
        records=status.rows,
        bytes=status.bytes,
        capacity_bytes=status.capacity_bytes,
        fill=fill,
        oldest_age_s=None if oldest_ns is None else max(now_ns - oldest_ns, 0) / 1e9,
        full_in_s=_full_in_s(status, span),
        durability=status.durability,
        quarantined=status.quarantined,
    )


def _full_in_s(status: BrokerStatus, span: Span) -> float | None:
    accepted = span.rate("logstream_records_accepted_total")
    stored = span.rate("logstream_records_stored_total")
    if accepted is None or stored is None or not status.rows or accepted <= stored:
        return None
    bytes_per_s = (accepted - stored) * status.bytes / status.rows
    return max(status.capacity_bytes - status.bytes, 0) / bytes_per_s


def _batch(now: Sample, span: Span) -> BatchAnswer:
    return BatchAnswer(
        groups_per_s=span.rate("logstream_worker_groups_total"),
        size_p50=span.quantile("logstream_worker_group_records", 0.5),
        size_p95=span.quantile("logstream_worker_group_records", 0.95),
        insert_p50_s=span.quantile("logstream_worker_insert_seconds", 0.5),
        insert_p95_s=span.quantile("logstream_worker_insert_seconds", 0.95),
        writes_saved=_saved(
            now.total("logstream_worker_groups_total"), now.total("logstream_records_stored_total")
        ),
        writes_saved_recent=_saved(
            span.increase("logstream_worker_groups_total"),
            span.increase("logstream_records_stored_total"),
        ),
        flushes=_causes("logstream_worker_groups_total", now, span),
    )


def _saved(writes: float, records: float) -> float | None:
    return 1 - writes / records if records else None
