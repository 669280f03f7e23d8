"""ClickHouse stores over HTTP for tests: one server a module, one database a test.

The server is ours, started and stopped here, unless LOGSTREAM_TEST_CLICKHOUSE_URL names another
one: there only databases made here are used, and dropped afterwards.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from urllib.parse import urlsplit

from logstream.store import open_store
from logstream.store.base import Store
from logstream.store.clickhouse.server import server_client
from logstream.store.clickhouse.url import parse_url
from logstream.testing.clickhouse_server import ClickHouseServer

__all__ = ["CLUSTER", "Servers"]

CLUSTER = "solo"
"""The cluster of one shard that our own server is."""

_numbers = itertools.count()


class Servers:
    """Makes stores on databases of their own.

    Args:
        own: Never use the server that the environment names.
    """

    def __init__(self, folder: Path, *, own: bool = False) -> None:
        self._given = "" if own else os.environ.get("LOGSTREAM_TEST_CLICKHOUSE_URL", "")
        self._made: list[str] = []
        self.server = ClickHouseServer(folder, user="writer", password="p@ss/w:rd", cluster=CLUSTER)
        if not self._given:
            self.server.start()

    def url(self, *parameters: str) -> str:
        """The store URL of a new database."""
        database = f"logstream_test_{os.getpid()}_{next(_numbers)}"
        if not self._given:
            return self.server.url(database, parameters=parameters)
        assert not parameters, "the server given has its own"
        url = urlsplit(self._given)._replace(path=f"/{database}").geturl()
        self._made.append(url)
        return url

    def store(self, *parameters: str) -> Store:
        """A store on a new database, not started."""
        return open_store(self.url(*parameters))

    def close(self) -> None:
        self.server.stop()
        for url in self._made:
            server = parse_url(url)
            cluster = server.topology.cluster
            client = server_client(server)()
            client.command(
                f"DROP DATABASE IF EXISTS {server.topology.database}"
                + (f" ON CLUSTER '{cluster}'" if cluster else "")
                + " SYNC"
            )
            client.close()
