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
from logstream.settings import Settings

__all__ = ["RedisOptions", "open_broker", "open_broker_of"]


class RedisOptions(NamedTuple):
    """What only a Redis broker needs; said at `redis.RedisBroker`."""

    prefix: str = "logstream"
    shards: int = 0
    lease_s: float = 10.0
    timeout_s: float = 5.0
    wait_replicas: int = 0


class _Options(NamedTuple):
    capacity_bytes: int
    segment_bytes: int
    fsync: bool
    dedup_window_s: float
    dead_letter_bytes: int
    clock: Clock


_DEFAULT_REDIS = RedisOptions()


def open_broker(
    url: str,
    *,
    capacity_bytes: int,
    segment_bytes: int,
    fsync: bool = True,
    dedup_window_s: float,
    dead_letter_bytes: int,
    redis: RedisOptions = _DEFAULT_REDIS,
    clock: Clock = SYSTEM_CLOCK,
) -> Broker:
    """The broker at a URL: ``disk:///absolute/folder``, ``memory:``, ``redis://host:port/0``,
    ``rediss://…``, ``redis+cluster://host:port,host:port``.

    Nothing is read or made until one of its ends is opened. What the sizes mean is said at
    `disk.DiskBroker` and `redis.RedisBroker`.

    Raises:
        SettingError: no broker is named like that.
    """
    scheme = urlsplit(url).scheme
    options = _Options(
        capacity_bytes, segment_bytes, fsync, dedup_window_s, dead_letter_bytes, clock
    )
    if scheme.startswith("redis"):
        return _redis(url, options, redis)
    if scheme not in _MAKERS:
        known = ", ".join(f"{each}:" for each in sorted([*_MAKERS, "redis", "redis+cluster"]))
        raise SettingError(f"no broker is called {scheme + ':'!r}", hint=f"use one of {known}")
    return _MAKERS[scheme](url, options)


def open_broker_of(settings: Settings, *, clock: Clock = SYSTEM_CLOCK) -> Broker:
    """The broker that the settings name. Raises as `open_broker`."""
    return open_broker(
        settings.broker_url,
        capacity_bytes=settings.broker_capacity_bytes,
        segment_bytes=settings.broker_segment_bytes,
        dedup_window_s=settings.idempotency_window_s,
        dead_letter_bytes=settings.dead_letter_bytes,
        redis=RedisOptions(
            prefix=settings.redis_prefix,
            shards=settings.redis_shards,
            lease_s=settings.redis_lease_s,
            timeout_s=settings.redis_timeout_s,
            wait_replicas=settings.redis_wait_replicas,
        ),
        clock=clock,
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


def _redis(url: str, options: _Options, redis: RedisOptions) -> Broker:
    # The driver costs 20 MB and a tenth of a second, which others need not pay.
    from logstream.broker.redis import RedisBroker  # noqa: PLC0415

    return RedisBroker(
        url,
        capacity_bytes=options.capacity_bytes,
        dedup_window_s=options.dedup_window_s,
        dead_letter_bytes=options.dead_letter_bytes,
        clock=options.clock,
        **redis._asdict(),
    )


_MAKERS: Mapping[str, Callable[[str, _Options], Broker]] = MappingProxyType(
    {"disk": _disk, "memory": _memory}
)
