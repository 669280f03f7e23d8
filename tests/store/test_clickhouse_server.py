"""What only a server does: connections that end, logins, restarts, several hosts, TLS."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.httpclient import HttpClient

from logstream.errors import (
    QueryTimeout,
    QueryTooExpensive,
    RecordsRejected,
    StoreUnavailable,
)
from logstream.query import Everything, parse
from logstream.record import batch_of
from logstream.store import open_store
from logstream.store.base import ROW_BITS, QueryLimits, Store
from logstream.store.clickhouse.driver import Engine, Handle
from logstream.store.clickhouse.server import server_client
from logstream.store.clickhouse.store import ClickHouseStore
from logstream.store.clickhouse.url import parse_url
from logstream.testing.clickhouse_server import ClickHouseServer
from logstream.testing.store_contract import ALL_TIME, START_NS, every_page, logs
from tests.store.clickhouse_servers import Servers
from tests.store.lossy_proxy import Lossy, LossyProxy


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A server of our own, running for the whole module."""
    servers = Servers(tmp_path_factory.mktemp("clickhouse"), own=True)
    yield servers
    servers.close()


@pytest.fixture
async def store(servers: Servers) -> AsyncIterator[Store]:
    """An empty store on it."""
    store = servers.store()
    await store.start()
    yield store
    await store.close()


@pytest.fixture
def proxy(servers: Servers) -> Iterator[LossyProxy]:
    """Loses inserts of log records, told to do so."""
    proxy = LossyProxy(servers.server.port, b"insert_deduplication_token=")
    yield proxy
    proxy.close()


def _through(proxy: LossyProxy, servers: Servers, *parameters: str) -> Store:
    url = servers.url(*parameters)
    return open_store(url.replace(f":{servers.server.port}/", f":{proxy.port}/"))


@pytest.mark.parametrize("mode", [Lossy.CUT_REQUEST, Lossy.CUT_ANSWER, Lossy.BAD_GATEWAY])
@pytest.mark.parametrize("parameters", [(), ("cluster=solo",), ("cluster=solo", "insert=local")])
async def test_an_insert_whose_outcome_is_unknown(
    servers: Servers, proxy: LossyProxy, mode: Lossy, parameters: tuple[str, ...]
) -> None:
    """A connection that ends before, in or after an insert is a `StoreUnavailable`; the group
    written again, verified, is there once, and the store goes on."""
    store = _through(proxy, servers, *parameters)
    await store.start()
    try:
        await store.insert(batch_of(logs(5)), group=1)
        proxy.mode = mode
        with pytest.raises(StoreUnavailable):
            await store.insert(batch_of(logs(2_000)), group=2)
        assert proxy.mode is Lossy.PASS
        result = await store.insert(batch_of(logs(2_000)), group=2, verify=True)
        assert result.inserted + result.present == 2_000
        assert (result.present == 2_000) == (mode is Lossy.CUT_ANSWER)
        assert (await store.stats()).rows == 2_005
    finally:
        await store.close()


async def test_the_driver_never_sends_an_insert_again_by_itself(
    servers: Servers, proxy: LossyProxy
) -> None:
    """Its own retry after a lost connection would double rows that are written without a token
    which the engine knows."""
    store = _through(proxy, servers)
    await store.start()
    try:
        await store.insert(batch_of(logs(5)), group=1)
        proxy.mode = Lossy.CUT_ANSWER
        # Row 0–4 are there, so the others are written under a token of their own.
        with pytest.raises(StoreUnavailable):
            await store.insert(batch_of(logs(50)), group=1, verify=True)
        assert (await store.stats()).rows == 50
    finally:
        await store.close()


async def test_a_late_first_try_changes_nothing(store: Store) -> None:
    """An insert that was thought lost and arrives after the verified one adds no row."""
    batch = batch_of(logs(20))
    await store.insert(batch, group=1, verify=True)
    await store.insert(batch, group=1)
    assert (await store.stats()).rows == 20


async def test_nothing_is_decided_while_the_first_try_runs(servers: Servers) -> None:
    """As long as an insert of the group runs on the server, a verified one has to wait; it makes
    the other one end. Inserts of other groups are no matter."""
    url = parse_url(servers.url())
    topology = url.topology
    store = ClickHouseStore(server_client(url), topology=topology)
    await store.start()
    engine = Engine(server_client(url), {"insert": 1, "query": 1})
    await engine.open()

    def slow(handle: Handle) -> None:
        handle.command(
            f"INSERT INTO {topology.table} (RecordId, Body) "
            "SELECT number, toString(sleepEachRow(0.01)) FROM numbers(100000)",
            settings={
                "insert_deduplication_token": "7:0",
                "max_block_size": 1,
                "function_sleep_max_microseconds_per_block": 0,
            },
        )

    running = asyncio.create_task(engine.run("insert", slow))
    try:
        while not await _is_running(engine, "7:0"):  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.02)
        with pytest.raises(StoreUnavailable, match="still running"):
            await store.insert(batch_of(logs(3)), group=7, verify=True)
        assert (await store.insert(batch_of(logs(3)), group=70, verify=True)).inserted == 3
        await asyncio.gather(running, return_exceptions=True)
        assert (await store.insert(batch_of(logs(3)), group=7, verify=True)).inserted == 3
    finally:
        await engine.close()
        await store.close()


async def _is_running(engine: Engine, token: str) -> bool:
    found = await engine.run(
        "query",
        lambda handle: handle.rows(
            "SELECT 1 FROM system.processes "
            "WHERE Settings['insert_deduplication_token'] = {token:String}",
            {"token": token},
            {},
        ),
    )
    return bool(found.rows)


async def test_one_batch_is_one_block(servers: Servers) -> None:
    """A whole batch of the largest size is one part: there or not."""
    url = parse_url(servers.url())
    store = ClickHouseStore(server_client(url), topology=url.topology)
    await store.start()
    rows = 1 << ROW_BITS
    batch = pa.RecordBatch.from_arrays(
        [pa.repeat(pa.scalar(START_NS, pa.timestamp("ns", tz="UTC")), rows), pa.repeat("x", rows)],
        names=["Timestamp", "Body"],
    )
    await store.insert(batch, group=1)
    client = server_client(url)()
    parts = client.query(
        "SELECT count(), sum(rows) FROM system.parts WHERE active AND table = 'otel_logs' "
        f"AND database = '{url.topology.database}'"
    ).result_rows
    client.close()
    await store.close()
    assert parts == [(1, rows)]


async def test_cancelling_the_caller_stops_the_query_on_the_server(servers: Servers) -> None:
    """The server lets go of a query whose caller is gone."""
    engine = Engine(server_client(parse_url(servers.url())), {"query": 1})
    await engine.open()
    watch = server_client(parse_url(servers.url()))()

    def running() -> int:
        found = watch.query(
            "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%' "
            "AND query NOT LIKE '%system.processes%'"
        )
        return int(found.result_rows[0][0])

    def slow(handle: Handle) -> object:
        return handle.rows(
            "SELECT sum(sleepEachRow(0.01)) FROM numbers(100000)",
            {},
            {"max_block_size": 1, "function_sleep_max_microseconds_per_block": 0},
        )

    task = asyncio.create_task(engine.run("query", slow))
    while not await asyncio.to_thread(running):  # noqa: ASYNC110 - no event to wait for
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    answer = await engine.run("query", lambda handle: handle.rows("SELECT 1", {}, {}))
    assert answer.rows == [(1,)]
    assert not running()
    watch.close()
    await engine.close()


async def test_limits_of_time_and_memory(store: Store) -> None:
    """A query over its limits says which, and the next one is answered."""
    await store.insert(batch_of(logs(10_000)), group=1)
    query = parse("* | stats uniq(message) by message")
    with pytest.raises(QueryTimeout):
        await store.table(query, ALL_TIME, limits=QueryLimits(timeout_s=0.001))
    with pytest.raises(QueryTooExpensive):
        await store.table(query, ALL_TIME, limits=QueryLimits(memory_bytes=1 << 20))
    assert (await store.search(Everything(), ALL_TIME, limit=1)).stats.matched == 10_000


async def test_an_error_does_not_cost_the_connection(store: Store, servers: Servers) -> None:
    """A server says what is wrong and nothing of it is left: the same connection goes on."""
    engine = Engine(server_client(parse_url(servers.url())), {"query": 1})
    await engine.open()
    opened = len(engine._idle)
    with pytest.raises(Exception, match="throwIf"):
        await engine.run("query", lambda handle: handle.rows("SELECT throwIf(1)", {}, {}))
    assert len(engine._idle) == opened + 1
    await engine.close()


@pytest.mark.parametrize("change", ["password", "user"])
async def test_a_wrong_login(servers: Servers, change: str) -> None:
    """It is told as what it is, without the password."""
    url = servers.url()
    wrong = url.replace("writer", "nobody") if change == "user" else url.replace("p%40ss", "wrong")
    store = open_store(wrong)
    with pytest.raises(StoreUnavailable, match="refuses the login") as caught:
        await store.start()
    await store.close()
    assert "store URL" in caught.value.hint
    assert "w%3Ard" not in str(caught.value)


async def test_nobody_listens(tmp_path: Path) -> None:
    """A server that is not there is a `StoreUnavailable` that says so, and shows no request."""
    probe = LossyProxy(1, b"x")
    probe.close()
    store = open_store(f"clickhouse://u:secret@127.0.0.1:{probe.port}/x?connect_timeout=1s")
    with pytest.raises(StoreUnavailable) as caught:
        await store.start()
    await store.close()
    assert "Connection refused" in caught.value.message
    assert "secret" not in caught.value.message
    assert "query" not in caught.value.message


async def test_a_server_that_is_killed_and_comes_back(tmp_path: Path) -> None:
    """While it is away everything is a `StoreUnavailable`; afterwards what was acknowledged is
    there, what was not is written once, and the same store object goes on."""
    server = ClickHouseServer(tmp_path)
    server.start()
    store = open_store(server.url("x"))
    try:
        await store.start()
        await store.insert(batch_of(logs(30)), group=1)
        server.kill()
        with pytest.raises(StoreUnavailable):
            await store.insert(batch_of(logs(20)), group=2)
        with pytest.raises(StoreUnavailable):
            await store.search(Everything(), ALL_TIME, limit=1)
        server.start()
        await store.ping()
        assert (await store.insert(batch_of(logs(20)), group=2, verify=True)).inserted == 20
        assert (await store.insert(batch_of(logs(30)), group=1, verify=True)).present == 30
        assert len(await every_page(store, limit=50)) == 50
    finally:
        await store.close()
        server.stop()


async def test_a_restart_between_two_queries_is_not_seen(tmp_path: Path) -> None:
    """A read on a connection that has ended meanwhile is asked again on a new one."""
    server = ClickHouseServer(tmp_path)
    server.start()
    store = open_store(server.url("x"))
    try:
        await store.start()
        await store.insert(batch_of(logs(3)), group=1)
        server.kill()
        server.start()
        assert len(await every_page(store)) == 3
        assert (await store.insert(batch_of(logs(4)), group=2)).inserted == 4
    finally:
        await store.close()
        server.stop()


async def test_the_next_host_answers(servers: Servers) -> None:
    """Of several hosts one that is away is passed over, at the start and later."""
    first = LossyProxy(servers.server.port, b"never")
    second = LossyProxy(servers.server.port, b"never")
    url = servers.url().replace(
        f"127.0.0.1:{servers.server.port}", f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
    )
    store = open_store(url)
    try:
        first.close()
        await store.start()
        await store.insert(batch_of(logs(3)), group=1)
        third = LossyProxy(servers.server.port, b"never", port=first.port)
        second.close()
        assert len(await every_page(store)) == 3
        third.close()
    finally:
        await store.close()


async def test_a_bad_batch_is_rejected_over_http(store: Store) -> None:
    """The engine's word on the data comes through with its code."""
    bad = pa.RecordBatch.from_arrays(
        [pa.array(["never"]), pa.array(["x"])], names=["Timestamp", "Body"]
    )
    with pytest.raises(RecordsRejected):
        await store.insert(bad, group=1)


async def test_two_that_start_at_once(servers: Servers) -> None:
    """Several stores that create the same database at the same time all come up, on one schema."""
    url = servers.url()
    stores = [open_store(url) for _ in range(4)]
    await asyncio.gather(*(store.start() for store in stores))
    await asyncio.gather(
        *(store.insert(batch_of(logs(5)), group=n) for n, store in enumerate(stores, 1))
    )
    assert (await stores[0].stats()).rows == 20
    await asyncio.gather(*(store.close() for store in stores))


async def test_an_older_server_is_not_told_what_it_does_not_know(servers: Servers) -> None:
    """Settings that only change a plan are left out where there are none such."""
    client = server_client(parse_url(servers.url()))()
    assert isinstance(client, HttpClient)
    limits: dict[str, Any] = {"use_skip_indexes_on_data_read": 0, "max_memory_usage": 1 << 30}
    assert "use_skip_indexes" in Handle(client, "t")._with("SELECT 1", limits)
    client.server_settings.pop("use_skip_indexes_on_data_read")
    assert "use_skip_indexes" not in Handle(client, "t")._with("SELECT 1", limits)
    client.close()


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
async def test_compression(servers: Servers, compression: str) -> None:
    """Whatever is chosen for the way, what arrives is the same."""
    store = servers.store(f"compression={compression}")
    await store.start()
    await store.insert(batch_of(logs(300)), group=1)
    assert [row.record for row in await every_page(store, limit=100)] == logs(300)[::-1]
    await store.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1; beside it ``both.pem`` with the key too."""
    certificate, both = tmp_path / "cert.pem", tmp_path / "both.pem"
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", tmp_path / "key.pem", "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("openssl is needed to make a certificate, and there is none")
    both.write_bytes(certificate.read_bytes() + (tmp_path / "key.pem").read_bytes())
    return certificate


async def test_tls(tmp_path: Path, certificate: Path) -> None:
    """Over TLS the certificate is checked, against the authority that is named."""
    both = certificate.with_name("both.pem")
    server = ClickHouseServer(tmp_path / "data", certificate=both)
    server.start()
    try:
        store = open_store(server.url("x", parameters=(f"ca_cert={certificate}",)))
        await store.start()
        await store.insert(batch_of(logs(3)), group=1)
        assert len(await every_page(store)) == 3
        await store.close()
        stranger = open_store(server.url("x"))
        with pytest.raises(StoreUnavailable, match="certificate verify failed"):
            await stranger.start()
        await stranger.close()
    finally:
        server.stop()


_WRITER = """
import asyncio, sys
from logstream.record import batch_of
from logstream.store import open_store
from logstream.testing.store_contract import logs

async def main():
    store = open_store(sys.argv[1])
    await store.start()
    for group in range(1, 1000):
        print("start", group, flush=True)
        await store.insert(batch_of(logs(20_000)), group=group)
        print("done", group, flush=True)

asyncio.run(main())
"""


def _killed_in_a_group(url: str) -> int:
    """Kill a process that inserts; the group it was at."""
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, url], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    for line in writer.stdout:
        if line == "start 3\n":
            break
    writer.kill()
    rest = writer.stdout.read().splitlines()
    writer.stdout.close()
    writer.wait()
    return max([3, *(int(line.split()[1]) for line in rest if line.startswith("start "))])


async def test_a_client_killed_while_inserting(servers: Servers) -> None:
    """Groups that were done stay, the one under way is completed by another process, none is
    doubled."""
    url = servers.url()
    started = await asyncio.to_thread(_killed_in_a_group, url)
    store = open_store(url)
    await store.start()
    while True:
        try:
            await store.insert(batch_of(logs(20_000)), group=started, verify=True)
            break
        except StoreUnavailable:  # its insert still runs on the server
            await asyncio.sleep(0.05)
    assert (await store.stats()).rows == 20_000 * started
    await store.close()


async def test_closing_does_not_wait_for_a_server_that_hears_nothing(tmp_path: Path) -> None:
    """A statement on a server that is frozen cannot be stopped: `close` leaves it to itself."""
    servers = Servers(tmp_path / "own", own=True)
    slow = "SELECT sleepEachRow(3) FROM numbers(1000) SETTINGS max_block_size = 1"
    engine = Engine(server_client(parse_url(servers.url())), {"query": 1}, stop_timeout_s=0.3)
    try:
        await engine.open()
        await engine.run("query", lambda handle: handle.rows("SELECT 1", {}, {}))
        asked = asyncio.create_task(engine.run("query", lambda h: h.rows(slow, {}, {})))
        await asyncio.sleep(0.1)
        servers.server.signal(signal.SIGSTOP)
        asked.cancel()
        # Far less than the minute for which the connection would wait for an answer.
        async with asyncio.timeout(20):
            await engine.close()
        assert not asked.done() or asked.cancelled()
    finally:
        servers.server.kill()
        servers.close()
