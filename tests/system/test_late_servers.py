"""Parts that start before their servers: they wait and say so; what no waiting mends ends them."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from logstream.cli import exits
from logstream.client import Connection, ServerUnreachable
from logstream.testing.clickhouse_server import ClickHouseServer
from tests.servers.redis import RedisServer, redis_program
from tests.system.apart import Part, free_port, settled, until

_PASSWORD = "secret"

Start = Callable[..., Part]
Told = tuple[int, dict[str, str], bytes]


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


@pytest.fixture
def late_redis() -> Iterator[RedisServer]:
    """A Redis that is not started yet."""
    if redis_program() is None:
        pytest.skip("there is no redis-server")
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def late_store(tmp_path: Path) -> Iterator[ClickHouseServer]:
    """A ClickHouse that is not started yet."""
    server = ClickHouseServer(tmp_path / "clickhouse", user="writer", password=_PASSWORD)
    server.port = free_port()
    yield server
    server.stop()


def _ask(port: int, path: str, *, body: bytes | None = None) -> Told | None:
    connection = Connection(f"http://127.0.0.1:{port}", timeout_s=10.0)
    try:
        answer = connection.request("POST" if body else "GET", path, body=body)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, headers, answer.body
    except ServerUnreachable:
        return None
    finally:
        connection.close()


def _is(port: int, path: str, status: int) -> Callable[[], bool]:
    def look() -> bool:
        told = _ask(port, path)
        return told is not None and told[0] == status

    return look


def _error(told: Told | None) -> dict[str, object]:
    assert told is not None
    error: dict[str, object] = json.loads(told[2])["error"]
    assert told[0] == 503, told
    return error


def _says_what_it_waits_for(part: Part, what: str, url: str) -> None:
    def said() -> bool:
        return part.log.read_text().count(f"waiting for the {what} {url}") >= 2

    until(said, f"{part.log.read_text()}: {what}")
    assert _PASSWORD not in part.log.read_text()
    assert "Traceback" not in part.log.read_text()


def test_parts_wait_for_servers_that_come_late(
    late_redis: RedisServer, late_store: ClickHouseServer, start: Start
) -> None:
    """Started before Redis and the store, every part is alive, not ready, and says why; requests
    get the one error shape; once the servers are there everything goes on by itself."""
    ingest, worker, dashboard = free_port(), free_port(), free_port()
    shared = {
        "broker": late_redis.url, "store": late_store.url("logstream"), "flush_interval": "50ms",
    }  # fmt: skip
    shown = f"clickhouse://writer:***@127.0.0.1:{late_store.port}/logstream"
    parts = {
        ingest: start("ingest", **shared, ingest_port=str(ingest)),
        worker: start("worker", **shared, worker_port=str(worker)),
        dashboard: start("dashboard", **shared, dashboard_port=str(dashboard)),
    }
    for port in parts:
        until(_is(port, "/health", 200))
        assert "not answer" in str(_error(_ask(port, "/ready"))["message"])
    body = json.dumps({"message": "late", "service": "t"}).encode()
    refused = _ask(ingest, "/logs", body=body)
    assert _error(refused)["code"] == "broker_unavailable"
    assert refused is not None
    assert int(refused[1]["retry-after"]) >= 1
    assert _error(_ask(dashboard, "/api/v1/search?query=late"))["code"] == "store_unavailable"
    _says_what_it_waits_for(parts[ingest], "broker", late_redis.url)
    _says_what_it_waits_for(parts[worker], "store", shown)
    _says_what_it_waits_for(parts[dashboard], "store", shown)
    _says_what_it_waits_for(parts[dashboard], "broker", late_redis.url)

    late_redis.start()
    late_store.start()
    for port in parts:
        until(_is(port, "/ready", 200))
    accepted = _ask(ingest, "/logs", body=body)
    assert accepted is not None
    assert accepted[0] == 202

    def found() -> bool:
        told = _ask(dashboard, "/api/v1/search?query=late")
        return told is not None and len(json.loads(told[2])["records"]) == 1

    until(found)
    for part in parts.values():
        assert part.terminate() == exits.OK, part.log.read_text()


def test_up_waits_for_its_servers_too(
    late_redis: RedisServer, late_store: ClickHouseServer, start: Start
) -> None:
    """`logstream up` before its servers: both ports are alive; a store that comes is used, and
    it stops at once, whatever it still waits for."""
    ingest, dashboard = free_port(), free_port()
    platform = start(
        "up", broker=late_redis.url, store=late_store.url("logstream"), flush_interval="50ms",
        ingest_port=str(ingest), dashboard_port=str(dashboard),
    )  # fmt: skip
    until(_is(ingest, "/health", 200))
    until(_is(dashboard, "/health", 200))
    assert _error(_ask(ingest, "/ready"))["code"] == "broker_unavailable"
    late_store.start()
    until(lambda: "is there, after" in platform.log.read_text())
    assert _error(_ask(dashboard, "/ready"))["code"] == "unavailable"

    assert platform.terminate() == exits.OK, platform.log.read_text()


@pytest.mark.parametrize("command", ["ingest", "worker", "dashboard"])
def test_sigterm_ends_what_waits(
    command: str, late_redis: RedisServer, late_store: ClickHouseServer, start: Start
) -> None:
    """A part that waits for its server ends when told to, as one that works does."""
    part = start(
        command, broker=late_redis.url, store=late_store.url("logstream"),
        ingest_port=str(free_port()), dashboard_port=str(free_port()),
    )  # fmt: skip
    until(lambda: "waiting for the" in part.log.read_text())

    assert part.terminate() == exits.OK, part.log.read_text()


def _wrong(redis: RedisServer, store: ClickHouseServer) -> dict[str, tuple[str, str, str, str]]:
    """What → command, broker, store, and a word of what is said."""
    url = store.url("logstream")
    place = f"127.0.0.1:{redis.port}"
    return {
        "password of the store": (
            "worker", redis.url, store.url("logstream", password="mistaken"), "login"
        ),
        "password of Redis": ("ingest", f"redis://u:mistaken@{place}/0", url, "login"),
        "scheme": ("ingest", f"resid://{place}/0", url, "no broker is called"),
        "no cluster": ("ingest", f"redis+cluster://{place}", url, "is no cluster"),
        "TLS of the store": (
            "dashboard", redis.url, url.replace("clickhouse:", "clickhouses:"), "no ClickHouse"
        ),
        "up, password of the store": (
            "up", redis.url, store.url("logstream", password="mistaken"), "login"
        ),
    }  # fmt: skip


@pytest.mark.parametrize(
    "what",
    [
        "password of the store", "password of Redis", "scheme", "no cluster",
        "TLS of the store", "up, password of the store",
    ],
)  # fmt: skip
def test_what_no_waiting_mends_ends_it(
    what: str, late_redis: RedisServer, late_store: ClickHouseServer, start: Start
) -> None:
    """A setting that can never work is said at once, without the password, and nothing starts."""
    late_redis.start()
    late_store.start()
    command, broker, store, said = _wrong(late_redis, late_store)[what]
    part = start(
        command, broker=broker, store=store, ingest_port=str(free_port()),
        dashboard_port=str(free_port()),
    )  # fmt: skip

    assert part.process.wait(60) == exits.USAGE, part.log.read_text()
    log = part.log.read_text()
    assert said in log, log
    assert "mistaken" not in log
    assert "Traceback" not in log
    assert "listens on" not in log


def test_a_part_leaves_a_store_that_hears_nothing(
    late_redis: RedisServer, late_store: ClickHouseServer, start: Start
) -> None:
    """A worker in the middle of an insert into a frozen store ends when told to, long before the
    minute for which its connection would wait; the next one writes what it left, once."""
    late_redis.start()
    late_store.start()
    worker, ingest = free_port(), free_port()
    shared = {
        "broker": late_redis.url, "store": late_store.url("logstream"), "flush_interval": "50ms",
        "shutdown_timeout": "500ms", "redis_lease": "2s",
    }  # fmt: skip
    part = start("worker", **shared, worker_port=str(worker))
    start("ingest", **shared, ingest_port=str(ingest))
    until(_is(worker, "/ready", 200))
    until(_is(ingest, "/ready", 200))
    late_store.signal(signal.SIGSTOP)
    body = json.dumps({"message": "sent-1", "service": "sender"}).encode()
    accepted = _ask(ingest, "/logs", body=body)
    assert accepted is not None
    assert accepted[0] == 202
    until(lambda: "still waiting for the store" in part.log.read_text())
    part.process.terminate()

    assert part.process.wait(40) == exits.OK, part.log.read_text()
    late_store.signal(signal.SIGCONT)
    start("worker", **shared)
    wanted = Counter(["sent-1"])
    assert asyncio.run(settled(shared["store"], wanted)) == wanted
