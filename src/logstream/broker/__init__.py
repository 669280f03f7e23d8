"""The durable buffer between ingestion and the store: the contract is in `base`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from logstream.broker.base import Broker
from logstream.broker.disk import DiskBroker
from logstream.broker.memory import MemoryBroker
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import SettingError

__all__ = ["open_broker"]


class _Options(NamedTuple):
    capacity_bytes: int
    segment_bytes: int
    fsync: bool
    dedup_window_s: float
    dead_letter_bytes: int
    clock: Clock


def open_broker(
    url: str,
    *,
    capacity_bytes: int,
    segment_bytes: int,
    fsync: bool = True,
    dedup_window_s: float,
    dead_letter_bytes: int,
    clock: Clock = SYSTEM_CLOCK,
) -> Broker:
    """The broker at a URL: ``disk:///absolute/folder`` or ``memory:``.

    Nothing is read or made until one of its ends is opened. What the sizes mean is said at
    `disk.DiskBroker`.

    Raises:
        SettingError: no broker is named like that.
    """
    scheme = urlsplit(url).scheme
    if scheme not in _MAKERS:
        known = ", ".join(f"{each}:" for each in sorted(_MAKERS))
        raise SettingError(f"no broker is called {url!r}", hint=f"use one of {known}")
    return _MAKERS[scheme](
        url,
        _Options(capacity_bytes, segment_bytes, fsync, dedup_window_s, dead_letter_bytes, clock),
    )


def _memory(url: str, options: _Options) -> Broker:
    return MemoryBroker(
        capacity_bytes=options.capacity_bytes,
        dedup_window_s=options.dedup_window_s,
        dead_letter_bytes=options.dead_letter_bytes,
        clock=options.clock,
    )


def _disk(url: str, options: _Options) -> Broker:
    parts = urlsplit(url)
    folder = Path(unquote(parts.path))
    if parts.netloc or not folder.is_absolute():
        raise SettingError(
            f"the broker's folder in {url!r} is not absolute", hint="write disk:///absolute/folder"
        )
    return DiskBroker(folder, **options._asdict())


_MAKERS: Mapping[str, Callable[[str, _Options], Broker]] = MappingProxyType(
    {"disk": _disk, "memory": _memory}
)
