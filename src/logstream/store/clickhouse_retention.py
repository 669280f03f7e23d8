"""What the store holds by day, and letting go of the oldest days.

A day is a partition: dropping one is a rename, whatever its size, and moves no other row. That is
why there is no TTL in the table: the engine would find old days by merging.
"""

from __future__ import annotations

from collections.abc import Sequence

from logstream.store.base import DayUsage, StoreStats
from logstream.store.clickhouse_driver import Handle

__all__ = ["drop_days", "read_stats"]


def read_stats(handle: Handle, database: str, table: str) -> StoreStats:
    """Size by day and the span of time, from the engine's own notes; blocking."""
    parts = handle.rows(
        "SELECT partition, sum(rows), sum(bytes_on_disk) FROM system.parts "
        "WHERE database = {database:String} AND table = {table:String} AND active "
        "GROUP BY partition ORDER BY partition",
        {"database": database, "table": table},
        {},
    )
    days = [DayUsage(day=day, rows=rows, bytes=size) for day, rows, size in parts.rows]
    oldest_ns = newest_ns = None
    if days:
        span = handle.rows(
            "SELECT toUnixTimestamp64Nano(min(Timestamp)), toUnixTimestamp64Nano(max(Timestamp)) "
            f"FROM {database}.{table}",
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


def drop_days(handle: Handle, table: str, days: Sequence[str]) -> None:
    """Drop whole days; blocking."""
    for day in days:
        handle.command(f"ALTER TABLE {table} DROP PARTITION {{day:String}}", {"day": day})
