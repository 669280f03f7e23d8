"""Queries that somebody may ask about, or stop, while they run.

Whoever asks gives its query an id of its own making. Ids belong to the client that gave them: with
access keys nobody sees or stops what another one asked.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from litestar.params import QueryParameter

from logstream.errors import BadRequest

__all__ = ["RUNNING", "QueryId", "RunningQueries", "RunningQuery"]

RUNNING = "logstream.running"
"""Key of the application's `RunningQueries` in its state."""

ID_PATTERN = "^[A-Za-z0-9_-]{8,64}$"

QueryId = Annotated[
    str,
    QueryParameter(
        name="query_id",
        pattern=f"{ID_PATTERN}|^$",
        description="A name for this query, made by the client: to see how far it is, and stop it.",
    ),
]


@dataclass(slots=True)
class RunningQuery:
    """One query, as it is now.

    Attributes:
        asked_about: It has an id, so somebody may see how far it is, or stop it.
        name: What the store knows it by.
        read_rows: Rows that its steps read which have ended.
        found: Records found so far; ``None``: it finds no records, or not step by step.
        searched_from_ns: From here to the range's end all is searched; ``None``: nothing yet.
        stop: Set to end it with what it has.
        ended: Set when it is answered, or given up.
    """

    asked_about: bool
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    began_s: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    read_rows: int = 0
    found: int | None = None
    searched_from_ns: int | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class RunningQueries:
    """The queries with ids that run now."""

    def __init__(self) -> None:
        self._queries: dict[tuple[str, str], RunningQuery] = {}

    @contextmanager
    def run(self, client: str, query_id: str) -> Iterator[RunningQuery]:
        """A query for as long as the block runs; without an id nobody can ask about it.

        Raises:
            BadRequest: the client runs another one of this id.
        """
        query, key = RunningQuery(bool(query_id)), (client, query_id)
        if not query_id:
            yield query
            return
        if key in self._queries:
            raise BadRequest("a query with this query_id runs already", hint="make a new id")
        self._queries[key] = query
        try:
            yield query
        finally:
            del self._queries[key]
            query.ended.set()

    def find(self, client: str, query_id: str) -> RunningQuery | None:
        """The client's query of this id; ``None``: it runs no longer, or never did."""
        return self._queries.get((client, query_id))
