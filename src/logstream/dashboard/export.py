"""``/api/v1/export``: everything that matches, streamed as a file, oldest first, without a cap.

Rows go out as they come from the store, a slice at a time, so that memory stays the same however
long it takes. When the store fails half-way the connection is cut, so that no file looks whole
that is not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
import pyarrow as pa
from litestar import Request, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter
from litestar.response import Stream

from logstream.clock import NS_PER_S
from logstream.dashboard.errors import ERRORS
from logstream.dashboard.export_formats import Format, open_format, size_of
from logstream.dashboard.params import AskedDependency, ServicesDependency, split_names
from logstream.dashboard.shell import resources_of
from logstream.errors import BadRequest
from logstream.record import batch_of
from logstream.store.base import TableResult

__all__ = ["export", "export_size"]

# Small enough that writing one slice holds nothing else up for long.
SLICE_ROWS = 1_000
# By so many records the size of all is judged.
SAMPLE_ROWS = 2_000

FormatName = Annotated[
    Literal["ndjson", "csv", "txt", "parquet"],
    QueryParameter(name="format", description="The file's format."),
]
Columns = Annotated[
    str,
    QueryParameter(
        name="columns", description="Fields to write, separated by commas; empty: the whole record."
    ),
]
Records = Annotated[
    int, QueryParameter(name="records", ge=0, le=1 << 53, description="How many records match.")
]


@get(
    "/export",
    responses={**ERRORS, 200: ResponseSpec(str, description="The file.", generate_examples=False)},
    summary="Everything that matches, as a file",
)
async def export(
    request: Request[Any, Any, Any],
    services: ServicesDependency,
    asked: AskedDependency,
    format: FormatName = "ndjson",
    columns: Columns = "",
) -> Stream:
    """All matching records as NDJSON, CSV, text or Parquet, or the table of a query with pipes."""
    names = split_names(columns)
    writer = open_format(format, names)
    if asked.query.pipes:
        table = await services.store.table(asked.query, asked.between, limits=services.limits)
        chunks = _table_chunks(open_format(format, list(table.columns)), table)
    else:
        batches = services.store.export(asked.where, asked.between, limits=services.limits)
        if isinstance(batches, AsyncGenerator):
            # Closed when the request ends, not when somebody collects it: it holds a query.
            resources_of(request.scope).push_async_callback(batches.aclose)
        # The first batch is waited for before the headers go: its failure still has a status.
        first = await anext(batches, None)
        chunks = _record_chunks(writer, first, batches)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(services.clock.time_ns() // NS_PER_S))
    return Stream(
        chunks,
        media_type=writer.media_type,
        headers={"content-disposition": f'attachment; filename="logs-{stamp}.{format}"'},
    )


class SizeAnswer(msgspec.Struct):
    """``bytes``: about the file's size, judged by the ``sampled`` newest records; null: there are
    none to judge by."""

    bytes: int | None
    sampled: int


@get("/export/size", responses=ERRORS, summary="About how large a file will be")
async def export_size(
    services: ServicesDependency,
    asked: AskedDependency,
    records: Records,
    format: FormatName = "ndjson",
    columns: Columns = "",
) -> SizeAnswer:
    """What ``records`` matching records will take as a file of this format."""
    if asked.query.pipes:
        raise BadRequest("the size of a table cannot be told before it is made")
    names = split_names(columns)
    page = await services.store.search(
        asked.where, asked.between, limit=SAMPLE_ROWS, count=False, limits=services.limits
    )
    if not page.records:
        return SizeAnswer(None, 0)
    sample = batch_of([each.record for each in reversed(page.records)])
    size = await asyncio.to_thread(size_of, format, names, sample, records)
    return SizeAnswer(size, sample.num_rows)


async def _record_chunks(
    writer: Format, first: pa.RecordBatch | None, batches: AsyncIterator[pa.RecordBatch]
) -> AsyncIterator[bytes]:
    yield writer.begin()
    batch = first
    while batch is not None:
        for start in range(0, batch.num_rows, SLICE_ROWS):
            chunk = await asyncio.to_thread(writer.records, batch.slice(start, SLICE_ROWS))
            if chunk:
                yield chunk
        batch = await anext(batches, None)
    yield writer.end()


async def _table_chunks(writer: Format, table: TableResult) -> AsyncIterator[bytes]:
    yield writer.begin()
    for start in range(0, len(table.rows), SLICE_ROWS):
        yield await asyncio.to_thread(writer.rows, table.rows[start : start + SLICE_ROWS])
    yield writer.end()
