"""MongoDB stores on a server of this test run's own, or on the one that was named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from logstream.store.mongodb.store import MongoStore
from tests.servers.mongodb import FerretDB, NoServer, built, given_url, private_database

__all__ = ["MongoServer"]


class MongoServer:
    """Hands out stores, each in a database of its own. Skips the test where there is no server.

    Args:
        folder: For a server of our own.
        own: It will be stopped and killed, so it must be one of our own.
    """

    def __init__(self, folder: Path, *, own: bool = False) -> None:
        self._stack = ExitStack()
        self.ferretdb: FerretDB | None = None
        url = None if own else given_url()
        if url is None:
            try:
                self.ferretdb = FerretDB(built(), folder)
            except NoServer as exc:
                pytest.skip(str(exc))
            self.ferretdb.start()
            self._stack.callback(self.ferretdb.stop)
            url = self.ferretdb.url
        self._server_url = url

    def database(self) -> str:
        """The URL of a new database, dropped when this is closed."""
        return self._stack.enter_context(private_database(self._server_url))

    def store(self) -> MongoStore:
        """A store in a new database, not yet started."""
        return MongoStore(self.database())

    def close(self) -> None:
        """Drop the databases, stop the server."""
        self._stack.close()


def mongo_server(folder: Path) -> Iterator[MongoServer]:
    """For fixtures: a server, closed afterwards."""
    server = MongoServer(folder)
    try:
        yield server
    finally:
        server.close()
