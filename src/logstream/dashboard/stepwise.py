"""A search that can be stopped and keeps what it has found.

The range is searched from its end backwards, a part at a time. Stopped, the records of the parts
that were searched are the answer, and its cursor goes on from there. The first part is small and
each is larger than the one before, so that what is found at once is not slower for it; when they
take long they stay as long as it takes to search for about a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec

from logstream.dashboard.running import RunningQuery
from logstream.errors import QueryCancelled
from logstream.query import Filter
from logstream.store.base import (
    Cursor,
    QueryLimits,
    QueryStats,
    SearchPage,
    Store,
    StoredRecord,
    TimeRange,
)

__all__ = ["search_by_steps", "unless_stopped"]

T = TypeVar("T")

_FIRST_PART = 16
_GROWTH = 4.0
_STEP_S = 1.0
_LARGEST_ID = (1 << 64) - 1


async def search_by_steps(
    store: Store,
    where: Filter,
    between: TimeRange,
    after: Cursor | None = None,
    *,
    limit: int,
    limits: QueryLimits,
    query: RunningQuery,
) -> tuple[SearchPage, bool]:
    """The page that `Store.search` gives without a count, and whether it was stopped before that.

    Raises:
        As `Store.search`; ``limits.timeout_s`` is that of the whole.
    """
    loop = asyncio.get_running_loop()
    found: list[StoredRecord] = []
    read, elapsed_ms, stopped = 0, 0.0, False
    if after is not None:
        between = TimeRange(between.start_ns, min(between.end_ns, after.timestamp_ns + 1))
    end_ns, width_ns = between.end_ns, (between.end_ns - between.start_ns) // _FIRST_PART + 1
    query.found = 0
    while end_ns > between.start_ns and len(found) <= limit:
        part = TimeRange(max(between.start_ns, end_ns - width_ns), end_ns)
        began_s = loop.time()
        left_s = limits.timeout_s - (began_s - query.began_s)
        asking = store.search(
            where,
            part,
            # One more than asked for says whether there are more.
            limit=limit + 1 - len(found),
            cursor=after,
            count=False,
            limits=msgspec.structs.replace(limits, timeout_s=max(left_s, 0.001)),
        )
        try:
            page = await unless_stopped(asking, query)
        except QueryCancelled:
            stopped = True
            break
        found += page.records
        read, elapsed_ms = read + page.stats.scanned, elapsed_ms + page.stats.elapsed_ms
        end_ns = part.start_ns
        query.read_rows, query.found = read, min(len(found), limit)
        query.searched_from_ns = end_ns
        width_ns = int(width_ns * min(_GROWTH, _STEP_S / max(loop.time() - began_s, 1e-3))) + 1
    records = found[:limit]
    return SearchPage(
        records=records,
        next_cursor=_next(found, limit, between, after, end_ns if stopped else None),
        stats=QueryStats(matched=None, scanned=read, elapsed_ms=elapsed_ms),
    ), stopped


def _next(
    found: list[StoredRecord],
    limit: int,
    between: TimeRange,
    after: Cursor | None,
    stopped_at_ns: int | None,
) -> Cursor | None:
    if len(found) > limit:
        last = found[limit - 1]
        return Cursor(last.record.timestamp_ns, last.id)
    if stopped_at_ns is None:
        return None
    # Behind it is all that is older than what was searched, or everything.
    if stopped_at_ns == between.end_ns:
        return after or Cursor(between.end_ns - 1, _LARGEST_ID)
    return Cursor(stopped_at_ns, 0)


async def unless_stopped(asking: Coroutine[Any, Any, T], query: RunningQuery) -> T:
    """What it answers.

    Raises:
        QueryCancelled: the query was stopped before; then nothing of it runs any more.
    """
    work = asyncio.ensure_future(asking)
    stop = asyncio.ensure_future(query.stop.wait())
    try:
        await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        raise QueryCancelled("it was stopped", hint="ask again to see the rest")
    finally:
        stop.cancel()
        work.cancel()
        await asyncio.gather(work, stop, return_exceptions=True)
