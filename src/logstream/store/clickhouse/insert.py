"""Writing a batch exactly once: ids, deduplication tokens, blocks.

A row's id is fixed by its group and place, so what is already there can be looked up by id. A
block carries a token made of the same numbers; the engine drops a block whose token it has seen.
The token makes the fast path safe against repeats that nobody noticed, the ids make a replay safe
when the engine's memory of tokens is gone (it is never fsynced).

An insert is atomic within one block and one partition (day) only. Blocks are cut by rules that
depend on nothing but the batch, so that a repeat cuts the same ones.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from logstream.store.base import ROW_BITS, InsertResult
from logstream.store.clickhouse.driver import Handle
from logstream.store.clickhouse.topology import Topology
from logstream.store.clickhouse.verify import missing_rows, refuse_while_running

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
    handle: Handle,
    topology: Topology,
    batch: pa.RecordBatch,
    *,
    group: int,
    first_row: int,
    verify: bool,
) -> InsertResult:
    """Write the batch's rows once; blocking. See `Store.insert`."""
    if batch.num_rows == 0:
        return InsertResult(0, 0)
    batch = with_ids(batch, group << ROW_BITS | first_row)
    token = f"{group}:{first_row}"
    settings = {**_INSERT_SETTINGS, **topology.insert_settings}
    if not verify:
        _insert(handle, topology, batch, token, settings)
        return InsertResult(batch.num_rows, 0)
    refuse_while_running(handle, topology, group)
    whole, torn = missing_rows(handle, topology, batch)
    _insert(handle, topology, whole, token, settings)
    rest = torn
    if whole.num_rows and not topology.tokens_are_kept:
        rest = pa.concat_batches(missing_rows(handle, topology, batch))
    # The ids have spoken: a token that outlived its rows, or stood for fewer, must not drop these.
    # (The setting that would turn tokens off has changed its name and left the old one without
    # effect; a token that nobody has seen does the same everywhere.)
    _insert(handle, topology, rest, f"{token}:{uuid.uuid4().hex}", settings)
    missing = whole.num_rows + torn.num_rows
    return InsertResult(missing, batch.num_rows - missing)


def _insert(
    handle: Handle,
    topology: Topology,
    batch: pa.RecordBatch,
    token: str,
    settings: dict[str, int | str],
) -> None:
    for block in blocks_of(batch, token):
        handle.insert(
            topology.insert_table,
            encoded(block.batch),
            {**settings, "insert_deduplication_token": block.token},
        )


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
