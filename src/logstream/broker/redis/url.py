"""Redis URLs: which there are, and how they are shown."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import msgspec

from logstream.errors import SettingError

__all__ = ["SCHEMES", "Target", "parse", "redact"]

SCHEMES = ("redis", "rediss", "redis+cluster", "rediss+cluster")
_PORT = 6379


class Target(msgspec.Struct, frozen=True):
    """Where to connect: ``url`` as the driver understands it, of the first host; ``shown`` has no
    password; ``hosts`` are (host, port)."""

    url: str
    shown: str
    cluster: bool
    hosts: tuple[tuple[str, int], ...]


def redact(url: str) -> str:
    """The URL without its password, and without what else may be secret in it."""
    try:
        parts = urlsplit(url)
        netloc = parts.netloc
    except ValueError:
        return "the URL"
    if "@" in netloc:
        user, _, hosts = netloc.rpartition("@")
        name, colon, _ = user.partition(":")
        netloc = f"{name}{':***' if colon else ''}@{hosts}"
    query = "…" if parts.query else ""
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def parse(url: str) -> Target:
    """Take a Redis URL apart; several hosts of a cluster are separated by commas.

    Raises:
        SettingError: it cannot be one.
    """
    shown = redact(url)
    hint = "write redis://user:password@host:port/0, or redis+cluster://host:port,host:port"
    parts = urlsplit(url)
    scheme, plus, _ = parts.scheme.partition("+")
    credentials, at, places = parts.netloc.rpartition("@")
    cluster = bool(plus)
    try:
        hosts = tuple(_host(place) for place in places.split(","))
    except ValueError as exc:
        raise SettingError(f"the broker {shown!r} names no host and port", hint=hint) from exc
    if not cluster and len(hosts) > 1:
        raise SettingError(f"the broker {shown!r} names several hosts", hint=hint)
    if cluster and parts.path.strip("/") not in ("", "0"):
        raise SettingError("a Redis Cluster has only database 0", hint=hint)
    first = places.split(",")[0]
    path = "" if cluster else parts.path
    single = urlunsplit((scheme, credentials + at + first, path, parts.query, ""))
    return Target(single, shown, cluster, hosts)


def _host(place: str) -> tuple[str, int]:
    parts = urlsplit(f"//{place}")
    if not parts.hostname:
        raise ValueError("no host")
    return parts.hostname, parts.port or _PORT
