"""``/api/v1/patterns``: what the messages that match have in common, as templates.

Templates are mined from a sample; then the store, if it can, counts all rows by them in one pass,
in this window and the one before. Where it cannot, both are estimated from samples, and the
answer says so.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, get, post
from litestar.params import JSONBody, QueryParameter

from logstream.dashboard.errors import ERRORS
from logstream.dashboard.histogram import auto_interval_ns, bucket_starts
from logstream.dashboard.params import (
    DEFAULT_FROM,
    DEFAULT_TO,
    Asked,
    AskedDependency,
    ServicesDependency,
    ask,
)
from logstream.dashboard.pattern_answers import (
    OtherAnswer,
    PatternsAnswer,
    pattern_answer,
    share,
)
from logstream.dashboard.pattern_counts import Counts, counts_of_sample
from logstream.dashboard.pattern_sample import Sample, take_sample
from logstream.dashboard.queue import client_of
from logstream.dashboard.running import ID_PATTERN, RUNNING, QueryId, RunningQueries, RunningQuery
from logstream.dashboard.services import Services
from logstream.dashboard.stepwise import unless_stopped
from logstream.errors import QueryTimeout
from logstream.patterns import Template, mine
from logstream.query.matching import first_match
from logstream.store.base import PatternCount, QueryLimits, Store, TimeRange
from logstream.timestamps import format_timestamp

__all__ = ["patterns", "patterns_by_post"]

T = TypeVar("T")

DEFAULT_LIMIT, MAX_LIMIT = 100, 200
SPARK_BUCKETS = 48
MAX_CHARS = 30_000
"""Of all patterns together: to look for many long ones at once takes an engine long to prepare."""

PatternLimit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=MAX_LIMIT, description="Most patterns.")
]


class PatternsRequest(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The parameters of the GET request as JSON; times may also be epoch numbers."""

    query: str = ""
    from_: str | int | float = DEFAULT_FROM
    to: str | int | float = DEFAULT_TO
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    query_id: Annotated[str, msgspec.Meta(pattern=f"{ID_PATTERN}|^$")] = ""


@get("/patterns", responses=ERRORS, summary="What messages have in common")
async def patterns(
    *,
    request: Request[Any, Any, Any],
    services: ServicesDependency,
    asked: AskedDependency,
    limit: PatternLimit = DEFAULT_LIMIT,
    query_id: QueryId = "",
) -> PatternsAnswer:
    """Templates of the matching messages with their counts, against the window before."""
    return await _answer(request, services, asked, limit, query_id)


@post("/patterns", status_code=200, responses=ERRORS, summary="Patterns, asked in JSON")
async def patterns_by_post(
    request: Request[Any, Any, Any], services: ServicesDependency, data: JSONBody[PatternsRequest]
) -> PatternsAnswer:
    """The same for queries too long for a URL."""
    asked = ask(services, data.query, str(data.from_), str(data.to))
    return await _answer(request, services, asked, data.limit, data.query_id)


async def _answer(
    request: Request[Any, Any, Any], services: Services, asked: Asked, limit: int, query_id: str
) -> PatternsAnswer:
    queries: RunningQueries = request.app.state[RUNNING]
    with queries.run(client_of(request), query_id) as query:
        return await unless_stopped(_look(services, asked, limit, query), query)


async def _look(
    services: Services, asked: Asked, limit: int, query: RunningQuery
) -> PatternsAnswer:
    limits = msgspec.structs.replace(services.limits, name=query.name)
    look = _Look(services.store, asked, limits)
    try:
        # Each statement has its own limit; together they have no more.
        async with asyncio.timeout(limits.timeout_s):
            return await look.answer(limit)
    except TimeoutError as exc:
        raise QueryTimeout(
            "finding patterns took too long", hint="narrow the time range or the query"
        ) from exc


class _Look:
    """One request's way from a sample to an answer."""

    def __init__(self, store: Store, asked: Asked, limits: QueryLimits) -> None:
        self._store, self._where, self._limits = store, asked.where, limits
        self._now = asked.between
        span_ns = self._now.end_ns - self._now.start_ns
        self._before = TimeRange(max(self._now.start_ns - span_ns, 0), self._now.start_ns)
        self._interval_ns = auto_interval_ns(self._now, SPARK_BUCKETS)

    async def answer(self, limit: int) -> PatternsAnswer:
        """Sample, mine, count."""
        sample = await self._sample(self._now)
        mined = await _in_thread(lambda stopped: mine(sample.rows, most=limit, stopped=stopped))
        # A message that fits several counts for the one that says most of it.
        chosen = sorted(
            _affordable(mined.templates), key=lambda each: (-each.literals, each.pattern)
        )
        counted = await self._exactly(chosen)
        exact = counted is not None
        now, before = counted or await self._estimated(chosen, sample)
        starts = bucket_starts(self._now, self._interval_ns)
        rows = [pattern_answer(n, each, now, before, starts) for n, each in enumerate(chosen)]
        other = now.of(None)
        return PatternsAnswer(
            from_=format_timestamp(self._now.start_ns),
            to=format_timestamp(self._now.end_ns),
            interval_s=self._interval_ns / 1e9,
            starts=[format_timestamp(start_ns) for start_ns in starts],
            matched=now.total if exact else sample.matched,
            previous_matched=before.total,
            sampled=len(sample.rows),
            exact=exact,
            patterns=sorted(
                (each for each in rows if each.count),
                key=lambda each: (-each.count, each.template),
            ),
            other=OtherAnswer(
                other.levels.total(),
                share(other.levels.total(), now.total),
                [other.series[start_ns] for start_ns in starts],
            ),
        )

    async def _sample(self, between: TimeRange) -> Sample:
        return await take_sample(
            self._store, self._where, between, interval_ns=self._interval_ns, limits=self._limits
        )

    async def _exactly(self, chosen: Sequence[Template]) -> tuple[Counts, Counts] | None:
        wanted = [each.pattern for each in chosen]

        async def counted(between: TimeRange) -> list[PatternCount] | None:
            return await self._store.count_patterns(
                self._where, between, wanted, interval_ns=self._interval_ns, limits=self._limits
            )

        now = await counted(self._now)
        before = None if now is None else await counted(self._before)
        return None if now is None or before is None else (Counts(now), Counts(before))

    async def _estimated(self, chosen: Sequence[Template], sample: Sample) -> tuple[Counts, Counts]:
        before = await self._sample(self._before)
        interval_ns = self._interval_ns

        def counted(_: Callable[[], bool]) -> tuple[Counts, Counts]:
            match = first_match([each.pattern for each in chosen])
            return counts_of_sample(sample, match, interval_ns), counts_of_sample(
                before, match, interval_ns
            )

        return await _in_thread(counted)


def _affordable(templates: Sequence[Template]) -> list[Template]:
    """The first of them that an engine can make ready in a second or two."""
    chars = accumulate(len(each.pattern) for each in templates)
    return [each for each, so_far in zip(templates, chars, strict=True) if so_far <= MAX_CHARS]


async def _in_thread(work: Callable[[Callable[[], bool]], T]) -> T:
    """Off the event loop; whoever is cancelled tells the work to stop."""
    stop = threading.Event()
    try:
        return await asyncio.to_thread(work, stop.is_set)
    finally:
        stop.set()
