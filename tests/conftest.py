"""What every test runs under."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.servers.redis import RedisClusterServers, RedisServer, redis_program

# Machines are noisy: how long an example takes says nothing about whether it is right.
settings.register_profile(
    "default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("default")

_NO_REDIS = "there is no redis-server: install it, or name one in LOGSTREAM_TEST_REDIS_SERVER"


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes give a test no name: what gzip wrote holds the second, and two processes must agree."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis for all tests that do it no harm; each uses a prefix of its own."""
    if redis_program() is None:
        pytest.skip(_NO_REDIS)
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis for one test, which may do anything to it."""
    if redis_program() is None:
        pytest.skip(_NO_REDIS)
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[RedisClusterServers]:
    """One Redis Cluster of three masters for all tests that do it no harm."""
    if redis_program() is None:
        pytest.skip(_NO_REDIS)
    cluster = RedisClusterServers()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
