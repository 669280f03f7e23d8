"""Ingestion, workers and dashboard as processes of their own: stopping, restarting, refusing."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from logstream.cli import exits
from logstream.client import Connection, ServerUnreachable
from tests.servers.redis import RedisServer
from tests.store.clickhouse_servers import Servers
from tests.system.apart import Part, Sender, free_port, settled, until

Start = Callable[..., Part]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A ClickHouse server, running for the whole module."""
    servers = Servers(tmp_path_factory.mktemp("clickhouse"))
    yield servers
    servers.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts parts; what still runs at the end is killed."""
    parts: list[Part] = []

    def start(command: str, **settings: str) -> Part:
        parts.append(Part(tmp_path / f"{command}-{len(parts)}", command, **settings))
        return parts[-1]

    yield start
    for part in parts:
        part.kill()


@pytest.fixture(params=["disk", "redis"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty broker."""
    if request.param == "disk":
        return f"disk://{tmp_path}/broker"
    server: RedisServer = request.getfixturevalue("own_redis")
    return server.url


def test_sigterm_under_load_loses_nothing(broker: str, servers: Servers, start: Start) -> None:
    """Ingestion and worker are stopped and replaced while records come: each is stored once."""
    store, port = servers.url(), free_port()
    shared = {"broker": broker, "store": store, "flush_interval": "100ms", "redis_lease": "2s"}
    many = broker.startswith("redis")

    def ingestion() -> Part:
        part = start("ingest", broker=broker, ingest_port=str(port))
        until(lambda: "listens on" in part.log.read_text(), part.log.read_text())
        return part

    workers = [start("worker", **shared) for _ in range(2 if many else 1)]
    first = ingestion()
    sender = Sender(port)
    sender.start()
    try:
        until(lambda: len(sender.acknowledged) > 50)
        for worker in workers:
            assert worker.terminate() == exits.OK, worker.log.read_text()
        workers = [start("worker", **shared)]
        until(lambda: len(sender.acknowledged) > 150)
        assert first.terminate() == exits.OK, first.log.read_text()
        ingestion()
        before = len(sender.acknowledged)
        until(lambda: len(sender.acknowledged) > before + 50)
    finally:
        sender.stop()
    wanted = Counter(sender.acknowledged)

    assert asyncio.run(settled(store, wanted)) == wanted
    assert workers[0].terminate() == exits.OK, workers[0].log.read_text()


def test_a_worker_leaves_in_time_what_it_cannot_write(
    tmp_path: Path, broker: str, start: Start
) -> None:
    """With the store down a worker ends all the same, and the next one writes what it left."""
    servers = Servers(tmp_path / "clickhouse", own=True)
    store, port = servers.url(), free_port()
    shared = {
        "broker": broker, "store": store, "flush_interval": "50ms", "shutdown_timeout": "500ms",
        "redis_lease": "2s",
    }  # fmt: skip
    try:
        worker_port = free_port()
        worker = start("worker", **shared, worker_port=str(worker_port))
        start("ingest", broker=broker, ingest_port=str(port))
        until(lambda: _health(worker_port, "/ready") == 200)
        servers.server.stop()
        sender = Sender(port)
        sender.start()
        until(lambda: len(sender.acknowledged) > 20)
        sender.stop()
        until(lambda: "trying on" in worker.log.read_text())
        assert worker.terminate() == exits.OK
        assert "they wait in the broker" in worker.log.read_text()
        servers.server.start()
        start("worker", **shared)
        wanted = Counter(sender.acknowledged)
        assert asyncio.run(settled(store, wanted)) == wanted
    finally:
        servers.close()


def test_a_second_worker_on_a_disk_broker_is_refused(
    tmp_path: Path, servers: Servers, start: Start
) -> None:
    """A disk broker has one worker; another one says so, names it, and ends."""
    port = free_port()
    shared = {"broker": f"disk://{tmp_path}/broker", "store": servers.url()}
    first = start("worker", **shared, worker_port=str(port))
    until(lambda: _health(port, "/ready") == 200)
    second = start("worker", **shared)

    assert second.process.wait(60) == exits.FAILED
    said = second.log.read_text()
    assert f"{first.process.pid}" in said, said
    assert "Traceback" not in said
    assert first.process.poll() is None


def test_a_lone_worker_can_be_asked_how_it_is(
    tmp_path: Path, servers: Servers, start: Start
) -> None:
    """Its port answers /health to anybody, /ready and /metrics to whoever has a key."""
    port = free_port()
    worker = start(
        "worker", broker=f"disk://{tmp_path}/broker", store=servers.url(),
        worker_port=str(port), api_keys="key",
    )  # fmt: skip
    until(lambda: _health(port, "/health") == 200)

    assert _health(port, "/ready") == 401
    until(lambda: _health(port, "/ready", key="key") == 200)
    assert _health(port, "/nothing", key="key") == 404
    connection = Connection(f"http://127.0.0.1:{port}", api_key="key")
    assert b"logstream_records_stored_total" in connection.request("GET", "/metrics").body
    assert connection.request("POST", "/health", body=b"x" * 5_000).status in (405, 413)
    connection.close()
    asked = subprocess.run(
        [sys.executable, "-m", "logstream", "health", "--ready", "worker"],
        env=worker.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (asked.returncode, asked.stdout) == (exits.OK, "worker: ready\n")
    assert worker.terminate() == exits.OK


def test_worker_and_dashboard_apart_show_what_came_in(
    tmp_path: Path, servers: Servers, start: Start
) -> None:
    """With a server as store, a dashboard beside a worker finds what the worker wrote, and shows
    the numbers of both other parts."""
    ingest_port, worker_port, dashboard_port = free_port(), free_port(), free_port()
    shared = {"broker": f"disk://{tmp_path}/broker", "store": servers.url(), "api_keys": "key"}
    start("worker", **shared, flush_interval="50ms", worker_port=str(worker_port))
    start("ingest", **shared, ingest_port=str(ingest_port))
    urls = f"http://127.0.0.1:{ingest_port},http://localhost:{worker_port}"
    dashboard = start("dashboard", **shared, dashboard_port=str(dashboard_port), metrics_urls=urls)

    _goes_through(ingest_port, dashboard_port, key="key")
    asking = Connection(f"http://127.0.0.1:{dashboard_port}", api_key="key")

    def counted() -> bool:
        pipeline = asking.request("GET", "/api/v1/pipeline").json()
        requests = {each["reason"]: each["total"] for each in pipeline["requests"]}
        return requests.get("202") == 1 and bool(pipeline["batch"]["flushes"])

    until(counted)
    asking.close()
    assert dashboard.terminate() == exits.OK, dashboard.log.read_text()


def test_up_runs_on_servers_too(own_redis: RedisServer, servers: Servers, start: Start) -> None:
    """`logstream up` with Redis and a store that is a server takes, shows and stops as ever."""
    ingest_port, dashboard_port = free_port(), free_port()
    platform = start(
        "up", broker=own_redis.url, store=servers.url(), flush_interval="50ms",
        ingest_port=str(ingest_port), dashboard_port=str(dashboard_port),
    )  # fmt: skip

    _goes_through(ingest_port, dashboard_port)
    assert platform.terminate() == exits.OK, platform.log.read_text()


def _goes_through(ingest_port: int, dashboard_port: int, *, key: str = "") -> None:
    """A record that is posted is found."""
    until(lambda: _health(ingest_port, "/ready", key=key) == 200)
    until(lambda: _health(dashboard_port, "/ready", key=key) == 200)
    sending = Connection(f"http://127.0.0.1:{ingest_port}", api_key=key)
    body = json.dumps({"message": "apart", "service": "t"}).encode()
    assert sending.request("POST", "/logs", body=body).status == 202
    sending.close()
    asking = Connection(f"http://127.0.0.1:{dashboard_port}", api_key=key)

    def found() -> bool:
        answer = asking.request("GET", "/api/v1/search?query=apart").json()
        return [row["message"] for row in answer["records"]] == ["apart"]

    until(found)
    asking.close()


@pytest.mark.parametrize("command", ["worker", "dashboard"])
def test_a_store_in_memory_cannot_be_shared(command: str, start: Start) -> None:
    """A part alone would keep what nobody else can see: it is refused before it starts."""
    part = start(command, store="memory:")

    assert part.process.wait(60) == exits.USAGE
    assert "memory:" in part.log.read_text()


def _health(port: int, path: str, *, key: str = "") -> int:
    connection = Connection(f"http://127.0.0.1:{port}", api_key=key, timeout_s=2.0)
    try:
        return connection.request("GET", path).status
    except ServerUnreachable:
        return 0
    finally:
        connection.close()


def test_health_is_no_where_nobody_listens() -> None:
    """`logstream health` ends with its own code where nothing answers."""
    asked = subprocess.run(
        [sys.executable, "-m", "logstream", "health", "ingest"],
        env={**os.environ, "LOGSTREAM_INGEST_PORT": str(free_port())},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == exits.UNREACHABLE
    assert "ingest: no answer" in asked.stderr
