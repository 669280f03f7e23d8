"""Every setting of LogStream, one row each.

A setting has one name everywhere: ``retention`` is ``--retention`` on the command line,
``LOGSTREAM_RETENTION`` in the environment and ``retention`` in the TOML file; the first of these
that gives a value wins over the next, and all win over the default. Values carry their own unit
(``30d``, ``64MiB``), so public names leave out the one that the Python field has
(``retention_s``).

`load` parses everything once, at start; after that settings are a frozen value that is passed on.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from logstream.clock import NS_PER_S
from logstream.errors import SettingError
from logstream.timestamps import duration_ns

__all__ = ["ENV_PREFIX", "Resolved", "Row", "Settings", "load", "rows"]

T = TypeVar("T")

ENV_PREFIX = "LOGSTREAM_"

_SIZE = re.compile(r"(\d{1,18}(?:\.\d+)?)\s*(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?")
_SIZE_UNITS = MappingProxyType(
    {None: 1, "B": 1}
    | {f"{prefix}B": 1000**i for i, prefix in enumerate("KMGT", 1)}
    | {f"{prefix}iB": 1024**i for i, prefix in enumerate("KMGT", 1)}
)
# Before the last @, whatever a password holds; and what drivers take behind the ? instead.
_PASSWORD = re.compile(
    r"(://[^/@:]*:).*(?=@)|([?&][^=&]*(?:password|authmechanism)[^=&]*=)[^&]*", re.IGNORECASE
)
_TOML_HINT = 'write one setting a line, with units in quotes: ingest_port = 3000, retention = "7d"'
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("give a size such as 64MiB or 10GB")
    return int(float(match[1]) * _SIZE_UNITS[match[2]])


def _duration(text: str) -> float:
    ns = duration_ns(text.strip())
    if ns is None:
        raise ValueError("give a duration such as 500ms, 30s, 15m, 12h or 30d")
    return ns / NS_PER_S


def _flag(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("give true or false")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise ValueError("give a whole number from 1")
    return int(text)


def _count_or_none(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("give a whole number from 0")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise ValueError("give a port number from 0 (any free one) to 65535")
    return int(text)


def _port_or_none(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise ValueError("give a port number from 1 to 65535, or 0 for none")
    return int(text)


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _keys(text: str) -> tuple[str, ...]:
    return tuple(key for part in text.split(",") if (key := part.strip()))


def _urls(text: str) -> tuple[str, ...]:
    found = _keys(text)
    if not all(re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url) for url in found):
        raise ValueError("give URLs such as http://ingest:3000,http://worker:3002")
    return found


def _log_level(text: str) -> str:
    if text.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError("give debug, info, warning or error")
    return text.lower()


def _row(default: T, parse: Callable[[str], T], help: str, *, secret: bool = False) -> T:
    meta = {"parse": parse, "help": help, "secret": secret}
    value: T = field(default=default, metadata=meta)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Fields with ``_s`` are seconds, with ``_bytes`` bytes."""

    # Where things are
    data_dir: Path = _row(Path("logstream-data"), _path, "Folder of everything kept.")
    broker: str = _row(
        "", str, "Broker URL: disk:///folder, redis://… or memory:. Empty: a folder in data_dir."
    )
    store: str = _row(
        "", str, "Store URL: chdb:///folder, clickhouse://… or mongodb://…. Empty: in data_dir."
    )
    log_level: str = _row("info", _log_level, "What the program logs about itself.")

    # Who may talk to it
    ingest_host: str = _row("127.0.0.1", str, "Address the ingestion API listens on.")
    ingest_port: int = _row(3000, _port, "Port of the ingestion API.")
    ingest_processes: int = _row(1, _count, "Ingestion processes sharing the port.")
    dashboard_host: str = _row("127.0.0.1", str, "Address the dashboard listens on.")
    dashboard_port: int = _row(3001, _port, "Port of the dashboard and its API.")
    worker_host: str = _row("127.0.0.1", str, "Address the port of a lone worker listens on.")
    worker_port: int = _row(
        0, _port_or_none, "Port of a lone worker's /health, /ready and /metrics. 0: none."
    )
    api_keys: tuple[str, ...] = _row(
        (), _keys, "Access keys, comma-separated, asked for on every route but /health.",
        secret=True,
    )  # fmt: skip
    insecure: bool = _row(False, _flag, "Listen beyond loopback without access keys.")

    # What a request may hold
    max_body_bytes: int = _row(20 << 20, _size, "Largest request body as sent.")
    max_decoded_bytes: int = _row(64 << 20, _size, "Largest request body once decompressed.")
    max_message_bytes: int = _row(1 << 20, _size, "Longer messages are cut, and say so.")
    max_attributes: int = _row(1_000, _count, "Most attributes of one record.")
    max_attribute_key_bytes: int = _row(256, _size, "Longest attribute key.")
    max_depth: int = _row(32, _count, "Deepest nesting of one record.")
    accept_past_s: float = _row(
        0.0, _duration, "Oldest accepted record, back from now. 0s: the retention."
    )
    accept_future_s: float = _row(86_400.0, _duration, "Newest accepted record, ahead of now.")
    idempotency_window_s: float = _row(
        86_400.0, _duration, "How long a repeated Idempotency-Key is recognised."
    )
    request_timeout_s: float = _row(30.0, _duration, "Time a client has to send one whole request.")
    max_pending_bytes: int = _row(
        256 << 20, _size, "Bodies one ingestion process works on at once before it answers 503."
    )

    # How the broker keeps
    broker_capacity_bytes: int = _row(
        8 << 30, _size, "What may wait in the broker before requests are refused."
    )
    broker_segment_bytes: int = _row(64 << 20, _size, "Size at which a broker file is closed.")
    dead_letter_bytes: int = _row(256 << 20, _size, "What the dead-letter area may hold.")
    redis_prefix: str = _row("logstream", str, "What the names of all keys in Redis begin with.")
    redis_shards: int = _row(
        0, _count_or_none, "Streams in Redis. 0: one, in a cluster two for each master."
    )
    redis_lease_s: float = _row(
        10.0, _duration, "Silence of a worker on Redis after which others take over."
    )
    redis_timeout_s: float = _row(5.0, _duration, "How long one call of Redis may take.")
    redis_wait_replicas: int = _row(
        0, _count_or_none, "Replicas of Redis that must have a record before it is acknowledged."
    )

    # How the worker writes
    flush_interval_s: float = _row(1.0, _duration, "Longest wait before what there is is written.")
    flush_rows: int = _row(200_000, _count, "Records that are written without waiting longer.")
    flush_size_bytes: int = _row(
        64 << 20, _size, "Decoded bytes that are written without waiting longer."
    )
    group_max_rows: int = _row(
        200_000, _count, "Most records in one insert, when more are waiting than flush_rows."
    )
    retry_max_s: float = _row(
        30.0, _duration, "Longest pause between tries at a store that is down."
    )

    # How the store keeps and answers
    retention_s: float = _row(30 * 86_400.0, _duration, "Age at which whole days are dropped.")
    retention_size_bytes: int = _row(
        0, _size, "Size above which the oldest days are dropped. 0: no limit."
    )
    query_timeout_s: float = _row(30.0, _duration, "Time limit of one query.")
    query_memory_bytes: int = _row(1 << 30, _size, "Memory limit of one query.")
    query_concurrency: int = _row(4, _count, "Queries the store runs at once; more wait.")
    query_queue: int = _row(
        200, _count, "Queries running or waiting; a client may have half, more are refused."
    )

    metrics_urls: tuple[str, ...] = _row(
        (),
        _urls,
        "Parts elsewhere whose numbers the dashboard adds to its own, as http://host:port.",
    )

    # Live tail
    tail_buffer_records: int = _row(
        10_000, _count, "Records held for one slow tail before they are dropped and counted."
    )
    tail_clients: int = _row(100, _count, "Live tails served at once.")

    # Stopping
    shutdown_timeout_s: float = _row(10.0, _duration, "Time to finish what was begun on SIGTERM.")
    drain_delay_s: float = _row(
        0.0, _duration, "Time that /ready says no before that, for a load balancer to notice."
    )

    @property
    def broker_url(self) -> str:
        """The broker's URL, the default filled in."""
        return self.broker or f"disk://{self.data_dir.absolute() / 'broker'}"

    @property
    def store_url(self) -> str:
        """The store's URL, the default filled in."""
        return self.store or f"chdb://{self.data_dir.absolute() / 'store'}"

    @property
    def window_past_s(self) -> float:
        """How old a record may be when it arrives."""
        return self.accept_past_s or self.retention_s


class Row(NamedTuple):
    """One setting, for the command line, the docs and ``logstream config``."""

    name: str
    field: str
    env: str
    default: str
    help: str
    parse: Callable[[str], Any]
    secret: bool


class Resolved(NamedTuple):
    """Settings, and for each public name where its value came from."""

    settings: Settings
    sources: Mapping[str, str]
    warnings: tuple[str, ...]


def rows() -> tuple[Row, ...]:
    """Every setting, in the order of `Settings`."""
    return tuple(
        Row(
            name=(name := spec.name.removesuffix("_s").removesuffix("_bytes")),
            field=spec.name,
            env=ENV_PREFIX + name.upper(),
            default=show(spec.name, spec.default),
            help=spec.metadata["help"],
            parse=spec.metadata["parse"],
            secret=spec.metadata["secret"],
        )
        for spec in dataclasses.fields(Settings)
    )


def show(field_name: str, value: object) -> str:
    """A field's value as it would be written in a file or on the command line, but for
    passwords in URLs."""
    if isinstance(value, bool):
        return str(value).lower()
    if field_name.endswith("_bytes") and isinstance(value, int):
        return _largest_unit(value, [(1024**i, f"{p}iB") for i, p in enumerate("KMGT", 1)], "B")
    if field_name.endswith("_s") and isinstance(value, float):
        return _largest_unit(value, [(1, "s"), (60, "m"), (3600, "h"), (86400, "d")], "s")
    if isinstance(value, tuple):
        return ",".join(value)
    return _without_passwords(str(value))


def _without_passwords(text: str) -> str:
    return _PASSWORD.sub(r"\1\2***", text)


def _largest_unit(value: float, units: list[tuple[int, str]], smallest: str) -> str:
    for size, unit in reversed(units):
        if value >= size and value % size == 0:
            return f"{value / size:g}{unit}"
    return f"{value:g}{smallest}"


def load(
    options: Mapping[str, str] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    file: Path | None = None,
) -> Resolved:
    """Settle every setting: option, else environment, else file, else default.

    Args:
        options: Public name → text, as given on the command line.
        environ: The environment; names that look like a misspelt setting are warned of.
        file: A TOML file of ``name = value`` lines; ``None``: the one ``LOGSTREAM_CONFIG`` names.

    Raises:
        SettingError: a value that does not parse, an unknown name, an unreadable file.
    """
    options = options or {}
    if file is None and environ.get(ENV_PREFIX + "CONFIG"):
        file = Path(environ[ENV_PREFIX + "CONFIG"])
    in_file = _read_file(file) if file else {}
    table = rows()
    _refuse_unknown(options, table, "on the command line")
    _refuse_unknown(in_file, table, f"in {file}")
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for row in table:
        for text, source in (
            (options.get(row.name), "command line"),
            (environ.get(row.env), f"environment ({row.env})"),
            (in_file.get(row.name), f"file ({file})"),
        ):
            if text is not None:
                values[row.field] = _parse(row, text, source)
                sources[row.name] = source
                break
        else:
            sources[row.name] = "default"
    return Resolved(Settings(**values), MappingProxyType(sources), _misspelt(environ, table))


def _parse(row: Row, text: str, source: str) -> Any:
    try:
        return row.parse(text)
    except ValueError as exc:
        shown = "the value given" if row.secret else repr(_without_passwords(text))
        raise SettingError(f"{row.name} cannot be {shown}, from {source}", hint=str(exc)) from exc


def _read_file(file: Path) -> dict[str, str]:
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise SettingError(
            f"there is no settings file {file}",
            hint=f"give --config, or {ENV_PREFIX}CONFIG, the file that is meant, or leave it out",
        ) from exc
    except OSError as exc:
        raise SettingError(
            f"settings file {file} cannot be read: {exc.strerror}",
            hint="it must be a file that this user may read",
        ) from exc
    except UnicodeDecodeError as exc:
        raise SettingError(
            f"settings file {file} is not UTF-8 at byte {exc.start}", hint="save it as UTF-8"
        ) from exc
    except tomllib.TOMLDecodeError as exc:
        raise SettingError(f"settings file {file}, {_toml_fault(exc)}", hint=_TOML_HINT) from exc
    return {name: _toml_text(name, value, file) for name, value in raw.items()}


def _toml_fault(error: tomllib.TOMLDecodeError) -> str:
    """``line 3, column 8: …``"""
    fault, _, place = str(error).removesuffix(")").rpartition(" (at ")
    return f"{place.replace('end of document', 'at its end')}: {fault[:1].lower()}{fault[1:]}"


def _toml_text(name: str, value: object, file: Path) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    raise SettingError(
        f"{name} in settings file {file} must be a text, a number, true or false",
        hint=f"{_TOML_HINT}, without sections",
    )


def _refuse_unknown(given: Mapping[str, str], table: tuple[Row, ...], where: str) -> None:
    names = [row.name for row in table]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}?" if near else "logstream config lists every setting"
            raise SettingError(f"there is no setting {name!r} ({where})", hint=hint)


def _misspelt(environ: Mapping[str, str], table: tuple[Row, ...]) -> tuple[str, ...]:
    # Not an error: container platforms put variables of their own (LOGSTREAM_SERVICE_HOST) there.
    known = {row.env for row in table} | {ENV_PREFIX + "CONFIG"}
    found = []
    for name in sorted(environ):
        if name.startswith(ENV_PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1, cutoff=0.85)
            if near:
                found.append(f"{name} is not a setting; did you mean {near[0]}?")
    return tuple(found)
