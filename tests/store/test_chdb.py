"""What only the embedded engine does: its traps, limits, cancellation, and its folder."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from logstream.clock import NS_PER_S
from logstream.errors import (
    QueryError,
    QueryTimeout,
    QueryTooExpensive,
    SettingError,
    StoreUnavailable,
)
from logstream.query import Everything, parse
from logstream.record import batch_of
from logstream.store import open_store
from logstream.store.base import QueryLimits, QueryProgress, TimeRange
from logstream.store.clickhouse.driver import Engine, Handle
from logstream.store.clickhouse.progress import read_progress
from logstream.store.clickhouse.store import ClickHouseStore
from logstream.store.clickhouse.topology import Topology
from logstream.testing.store_contract import ALL_TIME, START_NS, log, logs
from tests.store.engine import Engines


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """chDB, open for the whole module."""
    engines = Engines(tmp_path_factory.mktemp("chdb"))
    yield engines
    engines.close()


@pytest.fixture
async def store(engines: Engines) -> AsyncIterator[ClickHouseStore]:
    """An empty store."""
    store = engines.store(query_concurrency=1)
    await store.start()
    yield store
    await store.close()


@pytest.fixture
async def engine(engines: Engines) -> AsyncIterator[Engine]:
    """One connection for queries, so that every query gets the one before's."""
    engine = Engine(engines.open_client, {"query": 1, "admin": 1})
    await engine.open()
    yield engine
    await engine.close()


_FAILS_MIDWAY = (
    "SELECT number, throwIf(number = 300000) FROM numbers(400000) "
    "SETTINGS max_block_size = 1000, max_threads = 1"
)


def test_the_trap_is_there(engines: Engines) -> None:
    """On a raw connection the query after a failed one returns the failed one's rows."""
    connection = engines.open_client()
    backend: Any = getattr(connection, "_backend")  # noqa: B009
    raw = backend._handle.conn
    with pytest.raises(Exception, match="throwIf"):
        raw.query(_FAILS_MIDWAY, "TabSeparated")
    answer = raw.query("SELECT 'mine'", "TabSeparated").bytes()
    connection.close()
    assert answer != b"mine\n"


async def test_no_rows_of_a_failed_query(engine: Engine) -> None:
    """After an error the next query on the same place gets its own rows and no others."""
    for _ in range(3):
        with pytest.raises(Exception, match="throwIf"):
            await engine.run("query", lambda handle: handle.rows(_plain(_FAILS_MIDWAY), {}, {}))
        answer = await engine.run("query", lambda handle: handle.rows("SELECT 'mine'", {}, {}))
        assert answer.rows == [("mine",)]


async def test_a_failed_job_is_not_run_again(engine: Engine) -> None:
    """In this process nobody else can answer: a statement that failed has failed."""
    await engine.run("query", lambda handle: handle.rows("SELECT 1", {}, {}))
    tries = []

    def job(handle: Handle) -> None:
        tries.append(1)
        handle.command("SELECT throwIf(1)")

    with pytest.raises(Exception, match="throwIf"):
        await engine.run("query", job)
    assert len(tries) == 1


def _plain(sql: str) -> str:
    return sql.partition(" SETTINGS")[0]


async def test_cancelling_the_caller_stops_the_query(engine: Engine, engines: Engines) -> None:
    """The engine lets go of a query whose caller is gone, and its place is free again."""

    def slow(handle: Handle) -> object:
        return handle.rows(
            "SELECT sum(sleepEachRow(0.01)) FROM numbers(100000)",
            {},
            {"max_block_size": 1, "function_sleep_max_microseconds_per_block": 0},
        )

    task = asyncio.create_task(engine.run("query", slow))
    while not _running(engines):  # noqa: ASYNC110 - the engine has no event to wait for
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    answer = await engine.run("query", lambda handle: handle.rows("SELECT 1", {}, {}))
    assert answer.rows == [(1,)]
    assert not _running(engines)


async def test_progress_of_what_runs(engine: Engine) -> None:
    """The engine's own count of a named query grows while it runs, and is gone afterwards."""

    def slow(handle: Handle) -> object:
        return handle.rows(
            "SELECT sum(sleepEachRow(0.002)) FROM numbers(100000)",
            {},
            {"max_block_size": 1, "function_sleep_max_microseconds_per_block": 0},
        )

    async def told() -> QueryProgress | None:
        tags = engine.running("slow")
        return await engine.run("admin", lambda h: read_progress(h, Topology(), tags))

    task = asyncio.create_task(engine.run("query", slow, name="slow"))
    seen: list[int] = []
    while len(set(seen)) < 3:
        if (progress := await told()) is not None and progress.read_rows:
            seen.append(progress.read_rows)
            assert progress.total_rows == 100_000
            assert 0 < progress.elapsed_s < 60
    assert seen == sorted(seen)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while engine.running("slow"):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)
    assert await told() is None


def _running(engines: Engines) -> int:
    result = engines.client.query(
        "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%' "
        "AND query NOT LIKE '%system.processes%'"
    )
    return int(result.result_rows[0][0])


async def test_cancelling_a_caller_that_waits_its_turn(engine: Engine) -> None:
    """A query that has not begun is forgotten, and the lane goes on."""
    first = asyncio.create_task(engine.run("query", lambda h: h.rows("SELECT sleep(0.2)", {}, {})))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(engine.run("query", lambda h: h.rows("SELECT 2", {}, {})))
    await asyncio.sleep(0)
    waiting.cancel()
    await first
    answer = await engine.run("query", lambda handle: handle.rows("SELECT 3", {}, {}))
    assert answer.rows == [(3,)]


async def test_a_time_limit(store: ClickHouseStore) -> None:
    """A query over its time is a `QueryTimeout`."""
    await _fill(store)
    query = parse("* | stats " + ", ".join(f"p99(number) a{i}" for i in range(20)) + " by number")
    with pytest.raises(QueryTimeout):
        await store.table(query, ALL_TIME, limits=QueryLimits(timeout_s=0.001))


async def test_a_memory_limit(store: ClickHouseStore) -> None:
    """A query over its memory is a `QueryTooExpensive`; the next one is answered."""
    await _fill(store)
    query = parse("* | stats uniq(message) by message")
    with pytest.raises(QueryTooExpensive):
        await store.table(query, ALL_TIME, limits=QueryLimits(memory_bytes=1 << 20))
    assert (await store.search(Everything(), ALL_TIME, limit=1)).stats.matched == 50_000


async def test_a_query_too_large_for_the_engine(store: ClickHouseStore) -> None:
    """More conditions than the engine parses are the asker's to leave out."""
    query = parse(" OR ".join(f'"key {i} {"x" * 60}":v' for i in range(480)))
    with pytest.raises(QueryTooExpensive, match="too large"):
        await store.search(query.filter, ALL_TIME, limit=1)


async def _fill(store: ClickHouseStore) -> None:
    await store.insert(batch_of(logs(50_000)), group=1)


async def test_scanned_says_what_was_read(store: ClickHouseStore) -> None:
    """The rows read are those of the table, not those of the answer."""
    await _fill(store)
    result = await store.table(parse("* | stats avg(number)"), ALL_TIME)
    assert result.stats.scanned == 50_000


async def test_counts_by_level_and_service_are_not_counted_again(store: ClickHouseStore) -> None:
    """What is counted by time, level and service comes from the numbers kept beside the rows; only
    the ends of the range are read row by row."""
    dense = [log(n, at_ns=START_NS + n * NS_PER_S // 1000) for n in range(50_000)]
    await store.insert(batch_of(dense), group=1)
    between = TimeRange(START_NS + 3 * NS_PER_S, START_NS + 46 * NS_PER_S)
    query = parse("level:error | stats count() n by service")
    assert "(tally)" in await store.explain(query, between)
    result = await store.table(query, between)
    assert sum(int(str(n)) for _, n in result.rows) == 43_000 // 4
    assert 0 < (result.stats.scanned or 0) < 43_000


async def test_parts_without_their_counts_are_read_row_by_row(
    store: ClickHouseStore, engines: Engines
) -> None:
    """Parts from before the counts were kept are counted too, beside newer ones."""
    await _fill(store)
    table = store._source.table
    engines.client.command(
        f"ALTER TABLE {table} CLEAR PROJECTION tally SETTINGS mutations_sync = 1"
    )
    await store.insert(batch_of(logs(1_000)), group=2)
    [kept] = engines.client.query(
        "SELECT sum(rows) < 50000 AND sum(rows) > 0 FROM system.projection_parts "
        f"WHERE active AND concat(database, '.', table) = '{table}'"
    ).result_rows
    assert kept == (1,)
    facets = await store.facets(Everything(), ALL_TIME, fields=["level"])
    assert {each.value: each.count for each in facets["level"]} == dict.fromkeys(
        ("info", "error", "warn"), 51_000 // 4
    )


async def test_export_in_pages(store: ClickHouseStore) -> None:
    """An export of more rows than a page holds gives each one once, equal times included."""
    await store.insert(batch_of(logs(30_000, at_ns=1_700_000_000 * 10**9)), group=1)
    await store.insert(batch_of(logs(30_000)), group=2)
    batches = [batch async for batch in store.export(Everything(), ALL_TIME)]
    assert len(batches) >= 3
    numbers = [
        dict(each)["number"] for batch in batches for each in batch["LogAttributes"].to_pylist()
    ]
    assert len(numbers) == 60_000
    assert len(set(numbers)) == 30_000


async def test_a_closed_store_says_so(engines: Engines) -> None:
    """After `close` every call is a `StoreUnavailable`."""
    store = engines.store()
    await store.start()
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.ping()


def test_a_folder_in_use(engines: Engines) -> None:
    """A second process on the same folder gets a clear error that names the holder."""
    program = f"""
import asyncio
from logstream.errors import StoreUnavailable
from logstream.store import open_store
async def main():
    try:
        await open_store("chdb://{engines.folder}").start()
    except StoreUnavailable as exc:
        print(exc.message)
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "in use by another process (pid " in done.stdout


@pytest.mark.parametrize("url", ["chdb:", "chdb://host/x", "chdb:///", "mysql://x", ""])
def test_a_url_that_names_no_store(url: str) -> None:
    """A URL of no known kind, or without its folder, is a setting to change."""
    with pytest.raises(SettingError):
        open_store(url)


async def test_values_never_become_sql(store: ClickHouseStore) -> None:
    """Field names and prefixes from users are bound or refused, never spliced."""
    await store.insert(batch_of(logs(3)), group=1)
    for name in ('"x\'); DROP TABLE otel_logs; --"', '"`"', '"{p0:String}"'):
        assert await store.facets(Everything(), ALL_TIME, fields=[name]) == {name: []}
        assert await store.field_values(name, "'\\", Everything(), ALL_TIME) == []
    with pytest.raises(QueryError):
        await store.facets(Everything(), ALL_TIME, fields=["x'); DROP TABLE"])


def test_the_driver_still_says_what_it_read(engines: Engines) -> None:
    """The engine's own count of rows read reaches us (a driver that loses it shows here)."""
    client = engines.open_client()
    try:
        answer = Handle(client, "test").rows("SELECT sum(number) FROM numbers(1000)", {}, {})
    finally:
        client.close()
    assert answer.scanned == 1000


def test_an_engine_error_is_known_by_its_code(engines: Engines) -> None:
    """The driver hands over ClickHouse's codes, which decide what our errors are."""
    client = engines.open_client()
    try:
        with pytest.raises(ClickHouseError) as caught:
            client.query("SELECT throwIf(1)")
    finally:
        client.close()
    assert getattr(caught.value, "code", None) == 395
