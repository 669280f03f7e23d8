"""Writing a batch exactly once: ids, deduplication tokens, blocks.

A row's id is fixed by its group and place, so what is already there can be looked up by id. A
block carries a token made of the same numbers; the engine drops a block whose token it has seen.
The token makes the fast path safe against repeats that nobody noticed, the ids make a replay safe
when the engine's memory of tokens is gone (it is never fsynced).

An insert is atomic within one block and one partition (day) only. Blocks are cut by rules that
depend on nothing but the batch, so that a repeat cuts the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from logstream.store.base import ROW_BITS, InsertResult
from logstream.store.clickhouse_driver import Handle

__all__ = ["Block", "blocks_of", "insert_group", "with_ids"]

MAX_PARTITIONS = 100
"""``max_partitions_per_insert_block``: what the engine takes in one block."""
_NS_PER_DAY = 86_400 * 1_000_000_000
_DICTIONARY_COLUMNS = ("SeverityText", "ServiceName")
_MAP_COLUMNS = ("LogAttributes", "ResourceAttributes", "ScopeAttributes")

_INSERT_SETTINGS: dict[str, int | str] = {
    "async_insert": 0,
    # One batch is one block whatever its size, else a crash could leave half of it.
    "max_insert_block_size": 1 << ROW_BITS,
    "min_insert_block_size_rows": 1 << ROW_BITS,
    "min_insert_block_size_bytes": 0,
    "max_partitions_per_insert_block": MAX_PARTITIONS,
    "max_execution_time": 0,
}


class Block(msgspec.Struct, frozen=True):
    """What one INSERT writes, and the name by which the engine knows it again."""

    token: str
    batch: pa.RecordBatch


def insert_group(
    handle: Handle, table: str, batch: pa.RecordBatch, *, group: int, first_row: int, verify: bool
) -> InsertResult:
    """Write the batch's rows once; blocking. See `Store.insert`."""
    if batch.num_rows == 0:
        return InsertResult(0, 0)
    batch = with_ids(batch, group << ROW_BITS | first_row)
    present = 0
    settings = dict(_INSERT_SETTINGS)
    if verify:
        missing = _without(batch, _stored_ids(handle, table, batch))
        present, batch = batch.num_rows - missing.num_rows, missing
        # The ids have spoken: a token that outlived its rows must not drop them.
        settings["insert_deduplicate"] = 0
    for block in blocks_of(batch, f"{group}:{first_row}"):
        handle.insert(
            table, encoded(block.batch), {**settings, "insert_deduplication_token": block.token}
        )
    return InsertResult(batch.num_rows, present)


def with_ids(batch: pa.RecordBatch, first_id: int) -> pa.RecordBatch:
    """The batch with ``RecordId`` counting up from ``first_id``."""
    ones = pa.repeat(pa.scalar(1, pa.uint64()), batch.num_rows)
    ids = pc.cumulative_sum(ones, start=pa.scalar(first_id, pa.uint64()))
    return batch.append_column("RecordId", pc.subtract(ids, pa.scalar(1, pa.uint64())))


def blocks_of(batch: pa.RecordBatch, token: str) -> Iterator[Block]:
    """Cut a batch into blocks of at most `MAX_PARTITIONS` days; one block if it has no more."""
    days = pc.divide(batch.column("Timestamp").cast(pa.int64()), _NS_PER_DAY)
    if batch.num_rows == 0:
        return
    ends = pc.min_max(days).as_py()
    if ends["max"] - ends["min"] < MAX_PARTITIONS:
        yield Block(token, batch)
        return
    # By spans of days since 1970, not by counting those present: a replay that holds only some
    # of the rows then cuts between the same days.
    spans = pc.divide(days, MAX_PARTITIONS)
    for span in sorted(pc.unique(spans).to_pylist()):
        yield Block(f"{token}:{span}", batch.filter(pc.equal(spans, span)))


def encoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with repetitive columns as dictionaries, which the engine reads much faster."""
    names = batch.schema.names
    columns = [_encoded(name, column) for name, column in zip(names, batch.columns, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=names)


def _encoded(name: str, column: pa.Array) -> pa.Array:
    if name in _DICTIONARY_COLUMNS and pa.types.is_string(column.type):
        return column.dictionary_encode()
    if name in _MAP_COLUMNS and pa.types.is_map(column.type):
        return _with_dictionary_keys(column)
    return column


def _with_dictionary_keys(maps: pa.MapArray) -> pa.MapArray:
    if not pa.types.is_string(maps.type.key_type) or maps.null_count:
        return maps
    first, last = maps.offsets[0].as_py(), maps.offsets[-1].as_py()
    offsets = pc.subtract(maps.offsets, first) if first else maps.offsets
    keys = maps.keys.slice(first, last - first)
    items = maps.items.slice(first, last - first)
    return pa.MapArray.from_arrays(offsets, keys.dictionary_encode(), items)


def _stored_ids(handle: Handle, table: str, batch: pa.RecordBatch) -> pa.Array:
    """Ids in this batch's span that are in the store already."""
    ids, times = batch.column("RecordId"), batch.column("Timestamp").cast(pa.int64())
    span = pc.min_max(times).as_py()
    found = handle.arrow(
        f"SELECT RecordId FROM {table} WHERE RecordId BETWEEN {{low:UInt64}} AND {{high:UInt64}} "
        "AND Timestamp BETWEEN fromUnixTimestamp64Nano({oldest:Int64}, 'UTC') "
        "AND fromUnixTimestamp64Nano({newest:Int64}, 'UTC')",
        {
            "low": ids[0].as_py(),
            "high": ids[-1].as_py(),
            "oldest": span["min"],
            "newest": span["max"],
        },
        {},
    )
    return pa.array([], pa.uint64()) if found is None else found["RecordId"].combine_chunks()


def _without(batch: pa.RecordBatch, stored: pa.Array) -> pa.RecordBatch:
    if len(stored) == 0:
        return batch
    return batch.filter(pc.invert(pc.is_in(batch.column("RecordId"), value_set=stored)))
