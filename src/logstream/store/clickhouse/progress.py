"""How far queries are, from the engine's own list of what runs."""

from __future__ import annotations

from logstream.store.base import QueryProgress
from logstream.store.clickhouse.driver import Handle
from logstream.store.clickhouse.topology import Topology

__all__ = ["read_progress"]

# What a query asks of other nodes is in its own count too.
_SQL = """
SELECT count(), sum(read_rows), sum(total_rows_approx), max(elapsed)
FROM {processes}
WHERE is_initial_query AND has({{tags:Array(String)}}, Settings['log_comment'])
"""


def read_progress(handle: Handle, topology: Topology, tags: list[str]) -> QueryProgress | None:
    """Of the statements with these tags; ``None``: none of them runs."""
    sql = _SQL.format(processes=topology.processes)
    [[statements, read, total, elapsed_s]] = handle.rows(sql, {"tags": tags}, {}).rows
    if not statements:
        return None
    # The engine's estimate may be behind what it has read by then; 0: it has none yet.
    return QueryProgress(
        read_rows=read, total_rows=max(read, total) if total else None, elapsed_s=elapsed_s
    )
