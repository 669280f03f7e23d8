"""What the store holds by day, and letting go of the oldest days.

A day is a partition: dropping one is a rename, whatever its size, and moves no other row. That is
why there is no TTL in the table: the engine would find old days by merging.
"""

from __future__ import annotations

from collections.abc import Sequence

from logstream.store.base import DayUsage, StoreStats
from logstream.store.clickhouse.driver import Handle
from logstream.store.clickhouse.topology import Topology

__all__ = ["drop_days", "read_stats"]


def read_stats(handle: Handle, topology: Topology) -> StoreStats:
    """Size by day and the span of time, from the engine's own notes; blocking.

    On a cluster the size is that of one replica of each shard.
    """
    parts = handle.rows(
        f"SELECT partition, sum(rows), sum(bytes_on_disk) FROM {topology.parts} "
        "WHERE database = {database:String} AND table = {table:String} AND active "
        "GROUP BY partition ORDER BY partition",
        {"database": topology.database, "table": topology.parts_of},
        {},
    )
    days = [DayUsage(day=day, rows=rows, bytes=size) for day, rows, size in parts.rows]
    oldest_ns = newest_ns = None
    if days:
        span = handle.rows(
            "SELECT toUnixTimestamp64Nano(min(Timestamp)), toUnixTimestamp64Nano(max(Timestamp)) "
            f"FROM {topology.table}",
            {},
            {},
        )
        oldest_ns, newest_ns = span.rows[0]
    return StoreStats(
        rows=sum(day.rows for day in days),
        bytes=sum(day.bytes for day in days),
        oldest_ns=oldest_ns,
        newest_ns=newest_ns,
        days=days,
    )


def drop_days(handle: Handle, topology: Topology, days: Sequence[str]) -> None:
    """Drop whole days; blocking."""
    # A server refuses to drop more than 50 GB at once, lest somebody did not mean it.
    settings = {**topology.ddl_settings, "max_partition_size_to_drop": 0}
    for day in days:
        handle.command(topology.drop_day(day), settings=settings)
