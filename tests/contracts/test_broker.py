"""Every broker keeps the contract."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from logstream.broker import RedisOptions, open_broker
from logstream.broker.base import Broker
from logstream.clock import SYSTEM_CLOCK
from logstream.testing.broker_contract import BrokerContract, HandClock, MakeBroker
from tests.servers.redis import RedisClusterServers, RedisServer

_MB = 1_000_000


class TestMemoryBroker(BrokerContract):
    @pytest.fixture
    def make(self) -> MakeBroker:
        return _maker("memory:", segment_bytes=_MB)


class TestDiskBroker(BrokerContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeBroker:
        return _maker(f"disk://{tmp_path}/broker", segment_bytes=_MB)


class TestDiskBrokerOfTinySegments(BrokerContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeBroker:
        return _maker(f"disk://{tmp_path}/broker", segment_bytes=200)


class TestDiskBrokerWithoutFsync(BrokerContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeBroker:
        return _maker(f"disk://{tmp_path}/broker", segment_bytes=_MB, fsync=False)


class TestRedisBroker(BrokerContract):
    many_consumers = True

    @pytest.fixture
    def make(self, redis_server: RedisServer) -> MakeBroker:
        redis = RedisOptions(prefix=f"contract{next(_PREFIXES)}")
        return _maker(redis_server.url, segment_bytes=_MB, redis=redis)


class TestRedisBrokerOfManyShards(BrokerContract):
    many_consumers = True

    @pytest.fixture
    def make(self, redis_server: RedisServer) -> MakeBroker:
        redis = RedisOptions(prefix=f"shards{next(_PREFIXES)}", shards=5)
        return _maker(redis_server.url, segment_bytes=_MB, redis=redis)


class TestRedisClusterBroker(BrokerContract):
    many_consumers = True

    @pytest.fixture
    def make(self, redis_cluster: RedisClusterServers) -> MakeBroker:
        redis = RedisOptions(prefix=f"cluster{next(_PREFIXES)}")
        return _maker(redis_cluster.url, segment_bytes=_MB, redis=redis)


_PREFIXES = itertools.count()
_DEFAULT_REDIS = RedisOptions()


def _maker(
    url: str, *, segment_bytes: int, fsync: bool = True, redis: RedisOptions = _DEFAULT_REDIS
) -> MakeBroker:
    def make(
        *,
        capacity_bytes: int = 100 * _MB,
        dedup_window_s: float = 3600.0,
        dead_letter_bytes: int = _MB,
        clock: HandClock | None = None,
    ) -> Broker:
        return open_broker(
            url,
            capacity_bytes=capacity_bytes,
            segment_bytes=segment_bytes,
            fsync=fsync,
            dedup_window_s=dedup_window_s,
            dead_letter_bytes=dead_letter_bytes,
            redis=redis,
            clock=clock or SYSTEM_CLOCK,
        )

    return make
