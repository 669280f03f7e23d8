"""What of a group is there already, before the rest of it is written again.

The rows tell it by their ids. The rest is first written under the token of the first try, so that
a first try which is still on its way somewhere, sent by a worker that was thought dead, is dropped
by the engine when it arrives. That holds for whole days only: a day of an insert is one part,
there wholly or not at all, and what the token stands for. Of a day that is there in part the rest
needs a token of its own.

The engine may know a token whose rows it has lost (it notes the token first, and a crash may come
between). So the ids are looked up once more, but not where Keeper writes both in one transaction:
there a replica that has the rows may be out of reach, and its token is the better witness.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from logstream.errors import StoreUnavailable
from logstream.store.clickhouse.driver import Handle
from logstream.store.clickhouse.topology import Topology

__all__ = ["missing_rows", "refuse_while_running"]

_NS_PER_DAY = 86_400 * 1_000_000_000


def missing_rows(
    handle: Handle, topology: Topology, batch: pa.RecordBatch
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The rows of a batch, which has its ids, that are not in the store: those of days of which
    nothing is, and those of days of which something is; blocking."""
    stored = _stored_ids(handle, topology, batch)
    there = pc.is_in(batch.column("RecordId"), value_set=stored)
    missing = batch.filter(pc.invert(there))
    torn = pc.is_in(_days(missing), value_set=pc.unique(_days(batch.filter(there))))
    return missing.filter(pc.invert(torn)), missing.filter(torn)


_OF_THE_GROUP = (
    "startsWith(Settings['insert_deduplication_token'], {token:String}) "
    "AND position(query, {table:String}) > 0"
)


def refuse_while_running(handle: Handle, topology: Topology, group: int) -> None:
    """See that no earlier insert of the group still runs on a server; blocking.

    Raises:
        StoreUnavailable: one does, and was told to stop; nothing can be told before it has ended.
    """
    if not handle.on_server:
        return
    names = {"token": f"{group}:", "table": topology.table}
    running = handle.rows(
        f"SELECT count() FROM {topology.processes} WHERE {_OF_THE_GROUP}",
        names,
        topology.everywhere_settings,
    )
    if running.rows[0][0]:
        handle.command(f"KILL QUERY WHERE {_OF_THE_GROUP} ASYNC", names)
        raise StoreUnavailable("an earlier insert of the same records is still running")


def _stored_ids(handle: Handle, topology: Topology, batch: pa.RecordBatch) -> pa.Array:
    """Ids in this batch's span that are in the store already."""
    ids, times = batch.column("RecordId"), batch.column("Timestamp").cast(pa.int64())
    span = pc.min_max(times).as_py()
    found = handle.arrow(
        f"SELECT RecordId FROM {topology.rows_everywhere} "
        "WHERE RecordId BETWEEN {low:UInt64} AND {high:UInt64} "
        "AND Timestamp BETWEEN fromUnixTimestamp64Nano({oldest:Int64}, 'UTC') "
        "AND fromUnixTimestamp64Nano({newest:Int64}, 'UTC')",
        {
            "low": ids[0].as_py(),
            "high": ids[-1].as_py(),
            "oldest": span["min"],
            "newest": span["max"],
        },
        topology.everywhere_settings,
    )
    return pa.array([], pa.uint64()) if found is None else found["RecordId"].combine_chunks()


def _days(batch: pa.RecordBatch) -> pa.Array:
    return pc.divide(batch.column("Timestamp").cast(pa.int64()), _NS_PER_DAY)
