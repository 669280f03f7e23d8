"""Where records are kept: `open_store` makes the `base.Store` that a URL names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from logstream.errors import SettingError

if TYPE_CHECKING:
    from logstream.store.base import Store

__all__ = ["SCHEMES", "open_store"]

MEMORY_BYTES = 2 << 30
"""What chDB may use for all it does at once, unless told otherwise."""


def open_store(url: str, *, query_concurrency: int = 4, memory_bytes: int = MEMORY_BYTES) -> Store:
    """The store at a URL, not yet started.

    Args:
        url: ``memory:``, ``chdb:///absolute/folder``, ``clickhouse://…`` (over TLS
            ``clickhouses://…``; see `clickhouse.url`), or ``mongodb://host/database`` and
            ``mongodb+srv://…`` as the driver takes them.
        query_concurrency: Queries that run at once; more wait.
        memory_bytes: What an engine inside this process may use for all it does at once.

    Raises:
        SettingError: no such kind of store, or the URL lacks its folder.
    """
    scheme = url.partition(":")[0]
    if scheme not in SCHEMES:
        raise SettingError(f"no store of kind {scheme!r}", hint=f"one of {', '.join(SCHEMES)}")
    return SCHEMES[scheme](url, query_concurrency, memory_bytes)


def _memory(url: str, query_concurrency: int, memory_bytes: int) -> Store:
    from logstream.store.memory import MemoryStore  # noqa: PLC0415 - see SCHEMES

    return MemoryStore()


def _chdb(url: str, query_concurrency: int, memory_bytes: int) -> Store:
    from logstream.store.clickhouse.driver import chdb_client  # noqa: PLC0415 - see SCHEMES
    from logstream.store.clickhouse.store import ClickHouseStore  # noqa: PLC0415 - see SCHEMES

    parts = urlsplit(url)
    if parts.netloc or not parts.path.startswith("/") or parts.path == "/":
        raise SettingError(f"store URL {url!r} names no folder", hint="chdb:///absolute/folder")
    folder = Path(unquote(parts.path))
    return ClickHouseStore(
        chdb_client(folder, memory_bytes=memory_bytes), query_concurrency=query_concurrency
    )


def _clickhouse(url: str, query_concurrency: int, memory_bytes: int) -> Store:
    from logstream.store.clickhouse.server import server_client  # noqa: PLC0415 - see SCHEMES
    from logstream.store.clickhouse.store import ClickHouseStore  # noqa: PLC0415 - see SCHEMES
    from logstream.store.clickhouse.url import parse_url  # noqa: PLC0415 - see SCHEMES

    server = parse_url(url)
    return ClickHouseStore(
        server_client(server), query_concurrency=query_concurrency, topology=server.topology
    )


def _mongodb(url: str, query_concurrency: int, memory_bytes: int) -> Store:
    from logstream.store.mongodb.store import MongoStore  # noqa: PLC0415 - see SCHEMES

    return MongoStore(url, query_concurrency=query_concurrency)


# Backends are imported when they are chosen: chDB alone takes half a second and 200 MB.
SCHEMES: Mapping[str, Callable[[str, int, int], Store]] = MappingProxyType(
    {
        "memory": _memory,
        "chdb": _chdb,
        "clickhouse": _clickhouse,
        "clickhouses": _clickhouse,
        "mongodb": _mongodb,
        "mongodb+srv": _mongodb,
    }
)
"""URL scheme → what makes its store."""
