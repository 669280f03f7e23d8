"""How many queries may be unanswered at once.

The store runs a few queries and lets the rest wait. Whoever asks more than is answered (a page
reloaded by a script, a loop without a pause) would make that queue, and everybody's wait, longer
and longer; so it has an end, and no one client may fill more than half of it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from logstream.dashboard.auth import key_in
from logstream.dashboard.shell import resources_of
from logstream.errors import TooManyRequests

__all__ = ["QUEUE", "QueryQueue", "client_of", "join_queue"]

QUEUE = "logstream.queue"
"""Key of the application's `QueryQueue` in its state."""


class QueryQueue:
    """Counts queries that are not answered yet.

    Args:
        most: How many there may be; a client may have half of them, and always one.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._share = max(1, most // 2)
        self._by_client: Counter[str] = Counter()

    @property
    def clients(self) -> int:
        """How many clients have queries here."""
        return len(self._by_client)

    def enter(self, client: str) -> None:
        """Count one more; `leave` must follow once it is answered.

        Raises:
            TooManyRequests: the queue, or the client's half of it, is full.
        """
        if self._by_client.get(client, 0) >= self._share:
            raise TooManyRequests(
                f"{self._share} of your queries are waiting for an answer already",
                hint="wait for them, or raise query_queue",
            )
        if self._by_client.total() >= self._most:
            raise TooManyRequests(
                f"{self._most} queries are waiting for an answer already",
                hint="ask again in a moment, or raise query_queue",
            )
        self._by_client[client] += 1

    def leave(self, client: str) -> None:
        """One of the client's queries was answered, or given up."""
        self._by_client[client] -= 1
        if not self._by_client[client]:
            del self._by_client[client]


def join_queue(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard of routes that ask the store: the request is in the queue until it ends.

    Raises:
        TooManyRequests: as `QueryQueue.enter`.
    """
    queue: QueryQueue = connection.app.state[QUEUE]
    client = client_of(connection)
    queue.enter(client)
    resources_of(connection.scope).callback(queue.leave, client)


def client_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Who asks: the access key's fingerprint, or without one the address."""
    key = key_in(connection.headers)
    if key:
        return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return "" if connection.client is None else connection.client.host
