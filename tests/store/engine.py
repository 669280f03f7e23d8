"""ClickHouse stores for tests: one engine a module, one database a test."""

from __future__ import annotations

import itertools
from pathlib import Path

from logstream.store.clickhouse.driver import OpenClient, chdb_client
from logstream.store.clickhouse.store import ClickHouseStore

__all__ = ["Engines"]

_numbers = itertools.count()


class Engines:
    """Keeps one connection open, for chDB lives as long as its last connection.

    A process can have one folder open at a time; opening it takes far longer than a database.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open_client: OpenClient = chdb_client(folder, memory_bytes=2 << 30)
        self.client = self.open_client()

    def store(self, *, query_concurrency: int = 4) -> ClickHouseStore:
        """A store on a database of its own, not started."""
        return ClickHouseStore(
            self.open_client,
            query_concurrency=query_concurrency,
            database=f"test_{next(_numbers)}",
        )

    def close(self) -> None:
        self.client.close()
