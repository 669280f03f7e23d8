"""Reading records: pages, context, export, tables, and the plan of a query.

The table is sorted by time, so a page is read from its end backwards and stops when it is full.
A cursor is (timestamp, id): unique, so pages neither repeat nor skip.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Literal

import pyarrow as pa

from logstream.query import Filter, Query
from logstream.query.to_clickhouse import CompiledQuery, Params, compile_filter, compile_query
from logstream.record import SCHEMA
from logstream.store.base import (
    Cursor,
    QueryLimits,
    QueryStats,
    Scanned,
    SearchPage,
    StoredRecord,
    TableResult,
    TimeRange,
)
from logstream.store.clickhouse.source import (
    RECORD_COLUMNS,
    Source,
    conditions,
    moment,
    stored_record,
    together,
)
from logstream.store.clickhouse.tally import counted, counted_for
from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS

__all__ = ["context", "explain", "scan", "search", "table"]

EXPORT_ROWS = 20_000
"""Rows of one exported batch: what bounds an export's memory."""

_ALL_TIME = TimeRange(MIN_TIMESTAMP_NS, MAX_TIMESTAMP_NS + 1)
_Direction = Literal["newest first", "oldest first"]


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
    counting = asyncio.ensure_future(_count(source, where, between, limits)) if count else None
    try:
        params = Params()
        condition = [
            *_beyond(cursor, "newest first", params),
            *conditions(where, between, params),
        ]
        sql = _page_sql(source, condition, "newest first", limit + 1)
        answer = await source.rows(sql, params, limits)
        records = [stored_record(row) for row in answer.rows[:limit]]
        more = len(answer.rows) > limit
        matched: int | None = None
        if counting is not None:
            whole = cursor is None and not more
            matched = len(records) if whole else await counting
    finally:
        if counting is not None:
            counting.cancel()
    last = records[-1] if records and more else None
    return SearchPage(
        records=records,
        next_cursor=None if last is None else Cursor(last.record.timestamp_ns, last.id),
        stats=QueryStats(matched=matched, scanned=answer.scanned, elapsed_ms=answer.elapsed_ms),
    )


async def _count(source: Source, where: Filter, between: TimeRange, limits: QueryLimits) -> int:
    params = Params()
    told = counted(source.table, where, between, params)
    condition = " AND ".join([*told.within, compile_filter(where, params)])
    answer = await source.rows(
        f"SELECT {told.records} FROM {told.table} WHERE {condition}", params, limits
    )
    return int(answer.rows[0][0])


def _page_sql(
    source: Source,
    condition: list[str],
    direction: _Direction,
    limit: int,
    *,
    columns: str = RECORD_COLUMNS,
) -> str:
    order = "DESC" if direction == "newest first" else "ASC"
    return (
        f"SELECT {columns} FROM {source.table} WHERE {' AND '.join(condition)} "
        f"ORDER BY Timestamp {order}, RecordId {order} LIMIT {limit:d}"
    )


def _beyond(cursor: Cursor | None, direction: _Direction, params: Params) -> list[str]:
    """The rows behind a cursor: the first half lets the primary key skip, the second is exact."""
    if cursor is None:
        return []
    than = "<" if direction == "newest first" else ">"
    at, row_id = moment(cursor.timestamp_ns, params), params.add(cursor.id, "UInt64")
    return [f"Timestamp {than}= {at}", f"(Timestamp {than} {at} OR RecordId {than} {row_id})"]


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

    async def side(direction: _Direction, limit: int) -> list[StoredRecord]:
        if limit <= 0:
            return []
        params = Params()
        condition = [
            *_beyond(anchor, direction, params),
            *conditions(where, _ALL_TIME, params),
        ]
        sql = _page_sql(source, condition, direction, limit)
        answer = await source.rows(sql, params, limits)
        return [stored_record(row) for row in answer.rows]

    async def itself() -> list[StoredRecord]:
        params = Params()
        sql = (
            f"SELECT {RECORD_COLUMNS} FROM {source.table} "
            f"WHERE Timestamp = {moment(anchor.timestamp_ns, params)} "
            f"AND RecordId = {params.add(anchor.id, 'UInt64')} LIMIT 1"
        )
        return [stored_record(row) for row in (await source.rows(sql, params, limits)).rows]

    older, found, newer = await together(
        side("newest first", before), itself(), side("oldest first", after)
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
    """See `Store.scan`."""
    columns = ", ".join(("RecordId", *SCHEMA.names))
    cursor = after
    while True:
        params = Params()
        condition = [
            *_beyond(cursor, "oldest first", params),
            *conditions(where, between, params),
        ]
        sql = _page_sql(source, condition, "oldest first", EXPORT_ROWS, columns=columns)
        page = await source.arrow(sql, params, limits)
        if page is None or page.num_rows == 0:
            return
        for batch in page.combine_chunks().to_batches():
            at = batch["Timestamp"][-1].cast(pa.timestamp("ns", tz="UTC")).value
            cursor = Cursor(at, batch["RecordId"][-1].as_py())
            yield Scanned(batch.select(SCHEMA.names).cast(SCHEMA), cursor)
        if page.num_rows < EXPORT_ROWS:
            return


async def table(
    source: Source, query: Query, between: TimeRange, limits: QueryLimits
) -> TableResult:
    """See `Store.table`."""
    params = Params()
    compiled = _compiled(source, query, between, params)
    answer = await source.rows(compiled.sql, params, limits)
    result = compiled.table(answer.rows)
    return TableResult(
        columns=result.columns,
        rows=result.rows,
        stats=QueryStats(matched=None, scanned=answer.scanned, elapsed_ms=answer.elapsed_ms),
    )


def _compiled(source: Source, query: Query, between: TimeRange, params: Params) -> CompiledQuery:
    told = counted_for(query.pipes, source.table, query.filter, between, params)
    return compile_query(query, params, table=told.table, where=told.within, records=told.records)


async def explain(source: Source, query: Query, between: TimeRange, limits: QueryLimits) -> str:
    """See `Store.explain`."""
    params = Params()
    if query.pipes:
        sql = _compiled(source, query, between, params).sql
    else:
        condition = conditions(query.filter, between, params)
        sql = _page_sql(source, condition, "newest first", 50)
    text = Params("s")
    pretty, plan = await together(
        source.rows(f"SELECT formatQuery({text.text(sql)})", text, limits),
        source.rows(f"EXPLAIN indexes = 1, projections = 1 {sql}", params, limits),
    )
    bound = "\n".join(f"  {name} = {value!r}" for name, value in params.values.items())
    steps = "\n".join(str(row[0]) for row in plan.rows)
    return f"{pretty.rows[0][0]}\n\nwith\n{bound}\n\nplan\n{steps}\n"
