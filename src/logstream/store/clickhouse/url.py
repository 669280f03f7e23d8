"""``clickhouse://user:password@host:port,host:port/database?…`` as a value.

Nothing here, its errors included, shows a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

from logstream.clock import NS_PER_S
from logstream.errors import SettingError
from logstream.store.clickhouse.topology import Topology
from logstream.timestamps import duration_ns

__all__ = ["Host", "ServerUrl", "parse_url"]

SCHEMES = ("clickhouse", "clickhouses")
COMPRESSIONS = ("none", "lz4", "zstd")
EXAMPLE = "clickhouse://user:password@host:8123/logstream"

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s\[\]:@/?#,]+))(?::([0-9]{1,5}))?")
_DEFAULT_PORTS = {False: 8123, True: 8443}


class Host(msgspec.Struct, frozen=True):
    """Where a server's HTTP interface listens."""

    name: str
    port: int


class ServerUrl(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a store URL of a ClickHouse server says.

    Args:
        hosts: Servers that have the same tables; one is asked, the next one when it is away.
        compression: Of what is inserted and answered: ``none``, ``lz4`` or ``zstd``.
        timeout_s: Longest silence of a server that works on a statement.
        connect_timeout_s: Longest wait for a connection.
        verify: Check the server's certificate.
        ca_cert: File with the authority that signed it; empty: those of the system.
        client_cert: File with our own certificate; empty: none.
        client_cert_key: File with its key; empty: in the same file.
    """

    hosts: tuple[Host, ...]
    topology: Topology
    username: str = "default"
    password: str = ""
    secure: bool = False
    compression: str = "none"
    timeout_s: float = 60.0
    connect_timeout_s: float = 5.0
    verify: bool = True
    ca_cert: str = ""
    client_cert: str = ""
    client_cert_key: str = ""

    def __repr__(self) -> str:
        names = ", ".join(f"{host.name}:{host.port}" for host in self.hosts)
        return f"ServerUrl({names}, {self.topology})"


def parse_url(url: str) -> ServerUrl:
    """Read a store URL of a ClickHouse server.

    Raises:
        SettingError: it cannot be understood; the message names the part, not its value where
            that may hold a secret.
    """
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise SettingError("the store URL cannot be understood", hint=EXAMPLE) from exc
    secure = parts.scheme == "clickhouses"
    user, at, hosts = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    given = _parameters(parts)
    options = {key: value for key, value in given.items() if key not in _OF_TOPOLOGY}
    compression = "none" if _is_loopback(hosts) else "lz4"
    return ServerUrl(
        hosts=tuple(_host(each, secure) for each in hosts.split(",")),
        topology=Topology(
            database=unquote(parts.path.removeprefix("/")) or "logstream",
            **{key: value for key, value in given.items() if key in _OF_TOPOLOGY},
        ),
        username=unquote(name) if at else "default",
        password=unquote(password),
        secure=secure,
        **{"compression": compression, **options},
    )


def _host(text: str, secure: bool) -> Host:
    match = _HOST.fullmatch(text)
    if match is None or int(match[3] or 0) > 65_535:
        # Not shown: what stands here may be half of a password with an @ or a / in it.
        raise SettingError(
            "the store URL names no host",
            hint=f"{EXAMPLE}; in user and password write @ : / ? # as %40 %3A %2F %3F %23",
        )
    return Host(match[1] or match[2], int(match[3] or _DEFAULT_PORTS[secure]))


def _is_loopback(hosts: str) -> bool:
    return all(re.match(r"localhost(:|$)|127\.|\[::1\]", each) for each in hosts.split(","))


def _parameters(parts: SplitResult) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _PARAMETERS:
            raise SettingError(
                f"the store URL has no parameter {name!r}",
                hint=f"one of {', '.join(_PARAMETERS)}",
            )
        if name in _OF_TLS and parts.scheme != "clickhouses":
            raise SettingError(
                f"{name} in the store URL is for clickhouses://", hint="clickhouse:// is not TLS"
            )
        field, parse = _PARAMETERS[name]
        try:
            given[field] = parse(text)
        except ValueError as exc:
            raise SettingError(
                f"{name} in the store URL cannot be {text!r}", hint=str(exc)
            ) from exc
    cluster = given.get("cluster", "")
    for name in ("replicated", "insert", "quorum"):
        if name in given and not cluster:
            raise SettingError(f"{name} in the store URL is for a cluster", hint="add cluster=NAME")
    return given


def _one_of(*values: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f"give one of {', '.join(values)}")
        return text

    return parse


def _flag(text: str) -> bool:
    return _one_of("true", "false")(text) == "true"


def _seconds(text: str) -> float:
    ns = duration_ns(text)
    if not ns or ns < NS_PER_S:
        raise ValueError("give a duration from 1s, such as 60s or 5m")
    return ns / NS_PER_S


_PARAMETERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "cluster": ("cluster", str),
    "replicated": ("replicated", _flag),
    "insert": ("insert", _one_of("distributed", "local")),
    "quorum": ("quorum", str),
    "compression": ("compression", _one_of(*COMPRESSIONS)),
    "timeout": ("timeout_s", _seconds),
    "connect_timeout": ("connect_timeout_s", _seconds),
    "verify": ("verify", _flag),
    "ca_cert": ("ca_cert", str),
    "client_cert": ("client_cert", str),
    "client_cert_key": ("client_cert_key", str),
}
_OF_TOPOLOGY = frozenset({"cluster", "replicated", "insert", "quorum"})
_OF_TLS = frozenset({"verify", "ca_cert", "client_cert", "client_cert_key"})
