"""Store URLs as places: when two of them mean the same, and what a copy between two is called."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from logstream.errors import SettingError
from logstream.store import SCHEMES
from logstream.store.base import TimeRange
from logstream.store.clickhouse.url import parse_url

__all__ = ["check", "file_name", "name_of", "place_of"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_MONGO_DATABASE, _MONGO_PORT = "logstream", "27017"


def place_of(url: str, collection: str = "") -> str:
    """Where a store URL leads to, without user, password and options.

    Raises:
        SettingError: not a store, or one that only its own process can see.
    """
    scheme = url.partition(":")[0]
    if scheme not in SCHEMES:
        raise SettingError(f"no store of kind {scheme!r}", hint=f"one of {', '.join(SCHEMES)}")
    if scheme == "memory":
        raise SettingError("store memory: lives inside one process", hint="name a store that stays")
    if scheme == "chdb":
        folder = Path(unquote(urlsplit(url).path))
        return f"chdb {folder.resolve()}"
    if scheme.startswith("clickhouse"):
        return _clickhouse(url)
    return _mongodb(url, collection)


def _clickhouse(url: str) -> str:
    server = parse_url(url)
    hosts = sorted(f"{_host(host.name)}:{host.port}" for host in server.hosts)
    return f"clickhouse {','.join(hosts)}/{server.topology.database}"


def _mongodb(url: str, collection: str) -> str:
    rest = url.partition("://")[2].partition("?")[0]
    netloc, _, path = rest.partition("/")
    hosts = []
    for each in netloc.rpartition("@")[2].split(","):
        name, colon, port = each.rpartition(":")
        hosts.append(f"{_host(name)}:{port}" if colon else f"{_host(each)}:{_MONGO_PORT}")
    return f"mongodb {','.join(sorted(hosts))}/{unquote(path) or _MONGO_DATABASE}/{collection}"


def _host(name: str) -> str:
    return "localhost" if name.lower() in _LOOPBACK else name.lower()


def check(source_url: str, source: str, destination: str) -> None:
    """Refuse what cannot be copied; both as `place_of` says.

    Raises:
        SettingError: source and destination are one, or there is no source.
    """
    if source == destination:
        raise SettingError("source and destination are the same store")
    if source.startswith("chdb ") and not Path(source.removeprefix("chdb ")).is_dir():
        shown = source_url.partition("?")[0]
        raise SettingError(f"there is no store at {shown}")


def name_of(source: str, destination: str, between: TimeRange) -> str:
    """What tells a copy from others, for ever the same."""
    return f"{source} > {destination} [{between.start_ns}, {between.end_ns})"


def file_name(copy: str) -> str:
    """A copy's name as that of a file."""
    return hashlib.blake2b(copy.encode(), digest_size=8).hexdigest()
