"""Writing a batch exactly once: the place of a row in its group is its ``_id``.

Rows go as unordered inserts of bounded size, each of which may be written wholly, in part or not.
Whatever became of them, the same rows may be sent again: one that is there already answers as a
duplicate key, and counts as stored. Nothing else is needed for a replay, also after the server's
memory of anything is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from logstream.store.base import ROW_BITS, InsertResult
from logstream.store.mongodb.documents import documents_of, mongo_id, record_id
from logstream.store.mongodb.driver import INSERT_TIMEOUT_S, Connection, Deadline, encoded

__all__ = ["CHUNK_BYTES", "CHUNK_ROWS", "insert_group"]

CHUNK_ROWS = 5_000
CHUNK_BYTES = 8 << 20
"""What one insert holds at most: far below the server's own 100 000 rows and 48 MB, since the
driver puts a chunk together on the event loop, which has others to serve."""
_ENCODED_AT_ONCE = 1_000


async def insert_group(
    connection: Connection, batch: pa.RecordBatch, *, group: int, first_row: int, verify: bool
) -> InsertResult:
    """See `Store.insert`."""
    if batch.num_rows == 0:
        return InsertResult(0, 0)
    first_id = group << ROW_BITS | first_row
    there = await _stored_ids(connection, first_id, batch.num_rows) if verify else frozenset[int]()
    present = 0
    documents = _encoded_documents(batch, first_id, there)
    while chunk := await asyncio.to_thread(_chunk, documents):
        present += await connection.insert(chunk)
    present += len(there)
    return InsertResult(batch.num_rows - present, present)


def _encoded_documents(
    batch: pa.RecordBatch, first_id: int, there: frozenset[int]
) -> Iterator[bytes]:
    for start in range(0, batch.num_rows, _ENCODED_AT_ONCE):
        part = batch.slice(start, _ENCODED_AT_ONCE)
        for row, document in enumerate(documents_of(part, first_id + start)):
            if first_id + start + row not in there:
                yield encoded(document)


def _chunk(documents: Iterator[bytes]) -> list[bytes]:
    chunk: list[bytes] = []
    size = 0
    for document in islice(documents, CHUNK_ROWS):
        chunk.append(document)
        size += len(document)
        if size >= CHUNK_BYTES:
            break
    return chunk


async def _stored_ids(connection: Connection, first_id: int, rows: int) -> frozenset[int]:
    deadline = Deadline(INSERT_TIMEOUT_S)
    where = {"_id": {"$gte": mongo_id(first_id), "$lt": mongo_id(first_id + rows)}}
    batches = connection.batches(
        where, deadline=lambda: deadline, projection={"_id": 1}, rows=10_000
    )
    return frozenset([record_id(document["_id"]) async for batch in batches for document in batch])
