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
    scheme, _, rest = url.partition("://")
    # By the last @: a password may hold a slash that somebody forgot to escape.
    user, at, place = rest.rpartition("@")
    if "?" in user:  # part of a password, or before one
        return f"{scheme}://***"
    name, colon, _ = user.partition(":")
    place, question, _ = place.partition("?")
    return f"{scheme}://{name}{':***' if colon else ''}{at}{place}{'?…' if question else ''}"


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
