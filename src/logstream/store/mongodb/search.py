"""Reading records: pages, context, export, and the plan of a query.

A cursor is (timestamp, id): unique, and the order of an index, so pages neither repeat nor skip.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from logstream.errors import StoreError
from logstream.query import Filter
from logstream.query import Query as WholeQuery
from logstream.record import batch_of
from logstream.store.base import (
    Cursor,
    QueryLimits,
    QueryStats,
    Scanned,
    SearchPage,
    StoredRecord,
    TimeRange,
)
from logstream.store.mongodb.documents import mongo_id
from logstream.store.mongodb.driver import Deadline
from logstream.store.mongodb.source import (
    ALL_TIME,
    Direction,
    Query,
    Source,
    Tally,
    in_order,
    together,
)

__all__ = ["context", "explain", "scan", "search"]

EXPORT_ROWS = 5_000
EXPORT_BYTES = 8 << 20
"""What one exported batch holds at most, by its messages: what bounds an export's memory."""


async def search(
    source: Source,
    where: Filter,
    between: TimeRange,
    *,
    limit: int,
    cursor: Cursor | None,
    count: bool,
    limits: QueryLimits,
) -> SearchPage:
    """See `Store.search`."""
    began_s = time.monotonic()
    query = Query.of(where, between)
    tally = Tally()
    counting = asyncio.ensure_future(source.count(query, limits)) if count else None
    try:
        found = await _page(
            source,
            query,
            "newest first",
            after=cursor,
            limit=limit + 1,
            limits=limits,
            tally=tally,
        )
        records, more = found[:limit], len(found) > limit
        matched: int | None = None
        if counting is not None:
            whole = cursor is None and not more
            matched = len(records) if whole else await counting
    finally:
        if counting is not None:
            counting.cancel()
            await asyncio.wait([counting])
    last = records[-1] if records and more else None
    return SearchPage(
        records=records,
        next_cursor=None if last is None else Cursor(last.record.timestamp_ns, last.id),
        stats=QueryStats(
            matched=matched, scanned=tally.rows, elapsed_ms=(time.monotonic() - began_s) * 1e3
        ),
    )


async def _page(
    source: Source,
    query: Query,
    direction: Direction,
    *,
    after: Cursor | None = None,
    limit: int,
    limits: QueryLimits,
    tally: Tally | None = None,
) -> list[StoredRecord]:
    if limit <= 0:
        return []
    deadline = Deadline(limits.timeout_s)
    batches = source.matching(
        query,
        deadline=lambda: deadline,
        direction=direction,
        after=after,
        limit=limit,
        tally=tally,
    )
    return [row async for rows in batches for row in rows]


async def context(
    source: Source,
    anchor: Cursor,
    where: Filter,
    *,
    before: int,
    after: int,
    limits: QueryLimits,
) -> tuple[list[StoredRecord], StoredRecord | None, list[StoredRecord]]:
    """See `Store.context`."""
    query = Query.of(where, ALL_TIME)
    itself = Query(where, {"_id": mongo_id(anchor.id), "timestamp_ns": anchor.timestamp_ns}, True)
    older, found, newer = await together(
        _page(source, query, "newest first", after=anchor, limit=before, limits=limits),
        _page(source, itself, "newest first", limit=1, limits=limits),
        _page(source, query, "oldest first", after=anchor, limit=after, limits=limits),
    )
    return older[::-1], found[0] if found else None, newer


async def scan(
    source: Source,
    where: Filter,
    between: TimeRange,
    *,
    after: Cursor | None,
    limits: QueryLimits,
) -> AsyncGenerator[Scanned]:
    """See `Store.scan`. Each batch is a query of its own: no cursor waits for a slow reader."""
    query = Query.of(where, between)
    while True:
        rows, more = await _export_page(source, query, after, limits)
        if rows:
            after = Cursor(rows[-1].record.timestamp_ns, rows[-1].id)
            yield Scanned(batch_of([row.record for row in rows]), after)
        if not more:
            return


async def _export_page(
    source: Source, query: Query, after: Cursor | None, limits: QueryLimits
) -> tuple[list[StoredRecord], bool]:
    """The next rows, and whether there may be more."""
    deadline = Deadline(limits.timeout_s)
    batches = source.matching(
        query, deadline=lambda: deadline, direction="oldest first", after=after, limit=EXPORT_ROWS
    )
    found: list[StoredRecord] = []
    size = 0
    async with aclosing(batches):
        async for rows in batches:
            found += rows
            size += sum(len(row.record.message) for row in rows)
            if size >= EXPORT_BYTES:
                return found, True
    return found, len(found) == EXPORT_ROWS


async def explain(source: Source, query: WholeQuery, between: TimeRange) -> str:
    """See `Store.explain`."""
    asked = Query.of(query.filter, between)
    find: dict[str, Any] = {
        "find": source.connection.name,
        "filter": asked.document,
        "sort": dict(in_order("newest first")),
        "limit": 50,
    }
    try:
        plan = await source.connection.command({"explain": find, "verbosity": "queryPlanner"})
        steps = _pretty(plan.get("queryPlanner", plan))
    except StoreError as exc:
        steps = f"  the server does not say: {exc.message}"
    told = (
        "the server decides"
        if asked.exact
        else "the server lets through too many; LogStream looks at each of them"
    )
    return f"{query}\n\nfind: {told}\n{_pretty(asked.document)}\n\nplan\n{steps}\n"


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
