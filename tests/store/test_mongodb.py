"""What the store on MongoDB does beyond the contract: documents, limits, failures, retention."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import itertools
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.cursor import AsyncCursor

from logstream.clock import NS_PER_S
from logstream.errors import (
    QueryTimeout,
    QueryTooExpensive,
    RecordsRejected,
    SettingError,
    StoreUnavailable,
)
from logstream.query import Everything, Filter, parse
from logstream.record import Record, batch_of
from logstream.store import open_store
from logstream.store.base import Cursor, QueryLimits
from logstream.store.mongodb import insert as mongodb_insert
from logstream.store.mongodb import search as mongodb_search
from logstream.store.mongodb import source as mongodb_source
from logstream.store.mongodb.retention import TTL_INDEX, expire_after
from logstream.store.mongodb.store import COLLECTION, MongoStore
from logstream.testing.store_contract import ALL_TIME, START_NS, every_page, log, logs
from tests.store.mongodb_server import MongoServer, mongo_server

EVERYTHING = Everything()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A MongoDB server, running for the whole module."""
    yield from mongo_server(tmp_path_factory.mktemp("mongodb"))


@pytest.fixture
async def store(server: MongoServer) -> AsyncIterator[MongoStore]:
    """A started, empty store."""
    store = server.store()
    await store.start()
    yield store
    await store.close()


@pytest.fixture
def broken_sockets() -> Iterator[None]:
    """The driver leaves a socket that broke to the garbage collector: here, not in another test."""
    yield
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


def where(text: str) -> Filter:
    return parse(text).filter


# Documents


async def test_a_record_is_a_document_that_people_can_read(server: MongoServer) -> None:
    """Records' own names, a date beside the nanoseconds, attributes by key, no empty texts."""
    url = server.database()
    store = open_store(url)
    await store.start()
    record = Record(
        timestamp_ns=START_NS + 123_456_789,
        message="paid",
        level="info",
        severity_number=9,
        service="checkout",
        attributes={"http.status": "200", "user": "7x"},
    )
    await store.insert(batch_of([record]), group=5, first_row=3)
    await store.close()
    with MongoClient[dict[str, Any]](url) as client:
        [document] = client.get_default_database()[COLLECTION].find()
    assert document == {
        "_id": (5 << 20 | 3) - (1 << 63),
        "timestamp_ns": START_NS + 123_456_789,
        "timestamp": dt.datetime(2023, 11, 14, 22, 13, 20, 123_000),  # noqa: DTZ001 - the driver's are naive
        "day": dt.datetime(2023, 11, 14),  # noqa: DTZ001
        "minute": START_NS // NS_PER_S // 60,
        "second": START_NS // NS_PER_S,
        "level": "info",
        "severity_number": 9,
        "trace_flags": 0,
        "service": "checkout",
        "message": "paid",
        "attributes": {"http%2Estatus": "200", "user": "7x"},
        "attribute_numbers": {"http%2Estatus": 200.0},
    }


async def test_the_last_id_of_64_bits(store: MongoStore) -> None:
    """Ids keep their order up to the last one that there can be."""
    groups = (1, (1 << 43) - 1, 1 << 43, (1 << 44) - 1)
    for group in reversed(groups):
        await store.insert(batch_of([log(1)]), group=group, first_row=(1 << 20) - 1)
    rows = await every_page(store, limit=3)
    assert [row.id >> 20 for row in rows] == sorted(groups, reverse=True)
    around = Cursor(log(1).timestamp_ns, rows[1].id)
    before, itself, after = await store.context(around, EVERYTHING, before=9, after=9)
    assert (len(before), itself, len(after)) == (2, rows[1], 1)


async def test_what_ingestion_takes_can_be_stored(store: MongoStore) -> None:
    """A megabyte of message, two thousand attributes and keys that BSON does not take come back."""
    keys = ["", ".", "$", "$where", "a.b.c", "\0", "a\0b", "_id", "%2E", " a ", "\t", "0", "日本"]
    record = Record(
        timestamp_ns=START_NS,
        message="x" * (1 << 20),
        attributes={**{f"key.{n}": str(n) for n in range(2000)}, **dict.fromkeys(keys, "v")},
        resource=dict.fromkeys(keys, "r"),
        scope_attributes=dict.fromkeys(keys, ""),
    )
    await store.insert(batch_of([record]), group=1)
    [row] = await every_page(store)
    assert row.record == record
    for key in keys:
        found = await store.search(where(f'attributes."{_quoted(key)}":v'), ALL_TIME, limit=2)
        assert len(found.records) == 1, key


def _quoted(key: str) -> str:
    return key.replace("\0", r"\u0000").replace("\t", r"\t")


async def test_more_than_one_chunk(store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group of several inserts' size is stored whole, also when part of it is there."""
    monkeypatch.setattr(mongodb_insert, "CHUNK_ROWS", 100)
    monkeypatch.setattr(mongodb_search, "EXPORT_ROWS", 150)
    batch = batch_of(logs(420))
    await store.insert(batch.slice(30, 100), group=1, first_row=30)
    unverified = await store.insert(batch.slice(0, 40), group=1)
    assert (unverified.inserted, unverified.present) == (30, 10)
    result = await store.insert(batch, group=1, verify=True)
    assert (result.inserted, result.present) == (290, 130)
    exported = [part.num_rows async for part in store.export(EVERYTHING, ALL_TIME)]
    assert exported == [150, 150, 120]


async def test_a_document_that_is_too_large_is_the_datas_fault(store: MongoStore) -> None:
    """A record over the server's 16 MB is rejected; its neighbours can be stored without it."""
    huge = Record(timestamp_ns=START_NS, attributes={"a": "x" * (17 << 20)})
    batch = batch_of([log(0), huge, log(1)])
    with pytest.raises(RecordsRejected):
        await store.insert(batch, group=1)
    for row in (0, 2):
        await store.insert(batch.slice(row, 1), group=1, first_row=row, verify=True)
    assert [row.id & 0xFF for row in await every_page(store)] == [2, 0]


# Limits


async def test_rows_looked_at_here_are_counted(
    store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pattern over more rows than are allowed is refused; a word over as many is not."""
    await store.insert(batch_of(logs(300)), group=1)
    monkeypatch.setattr(mongodb_source, "MAX_CHECKED_ROWS", 150)
    page = await store.search(where("/took/"), ALL_TIME, limit=20, count=False)
    assert len(page.records) == 20
    with pytest.raises(QueryTooExpensive):
        await store.search(where("/nowhere/"), ALL_TIME, limit=20)
    with pytest.raises(QueryTooExpensive):
        await store.histogram(where("/took/"), ALL_TIME, interval_ns=86_400 * 10**12)
    page = await store.search(where("took"), ALL_TIME, limit=20)
    assert page.stats.matched == 300


async def test_what_is_kept_here_is_bounded(store: MongoStore) -> None:
    """A table of rows over the query's memory is refused; one counted by the server is not."""
    await store.insert(batch_of(logs(100)), group=1)
    limits = QueryLimits(memory_bytes=20_000)
    with pytest.raises(QueryTooExpensive):
        await store.table(parse("* | sort message"), ALL_TIME, limits=limits)
    counted = await store.table(parse("* | stats count() by service"), ALL_TIME, limits=limits)
    assert sum(row[1] for row in counted.rows) == 100


@pytest.mark.usefixtures("broken_sockets")
async def test_queries_end_in_time(store: MongoStore) -> None:
    """A query that is not done in its time is stopped and says so."""
    await store.insert(batch_of(logs(200)), group=1)
    limits = QueryLimits(timeout_s=0.001)
    with pytest.raises(QueryTimeout):
        await store.search(where("took"), ALL_TIME, limit=5, count=False, limits=limits)
    with pytest.raises(QueryTimeout):
        await store.facets(EVERYTHING, ALL_TIME, fields=["service"], limits=limits)
    assert len((await store.search(EVERYTHING, ALL_TIME, limit=5, count=False)).records) == 5


@pytest.mark.usefixtures("broken_sockets")
@pytest.mark.parametrize("kind", [AsyncCursor, AsyncCommandCursor])
async def test_an_empty_batch_is_not_the_end(
    store: MongoStore, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    """A router may send batches with nothing in them while its shards still look: what comes
    after them is read too."""
    await store.insert(batch_of(logs(1_500)), group=1)
    refresh, turns = kind._refresh, itertools.count()

    async def stutter(cursor: Any) -> int:
        """What the driver does with such a batch: it has nothing, and the cursor is alive."""
        return await refresh(cursor) if next(turns) % 3 == 2 else 0

    monkeypatch.setattr(kind, "_refresh", stutter)
    page = await store.search(EVERYTHING, ALL_TIME, limit=1_400)
    assert (len(page.records), page.stats.matched) == (1_400, 1_500)
    found = await store.table(parse("* | stats count() by bin(1s)"), ALL_TIME)
    assert sum(row[-1] for row in found.rows) == 1_500
    scanned = [part async for part in store.scan(EVERYTHING, ALL_TIME)]
    assert sum(part.batch.num_rows for part in scanned) == 1_500


async def test_a_cancelled_query_leaves_nothing_behind(store: MongoStore) -> None:
    """Whenever a query is cancelled, the next one gets its own answer."""
    await store.insert(batch_of(logs(50)), group=1)
    for number in range(8):
        search = store.search(where("took"), ALL_TIME, limit=100, count=False)
        task = asyncio.create_task(search)
        await asyncio.sleep(number * 0.003)
        task.cancel()
        await asyncio.wait([task])
        page = await store.search(where(f"number:{number}"), ALL_TIME, limit=5, count=False)
        assert [row.record for row in page.records] == [log(number)]


# Failures


@pytest.mark.usefixtures("broken_sockets")
async def test_urls_that_name_no_server() -> None:
    """A URL that the driver cannot read is the operator's; a server that is not there may come."""
    for url in ("mongodb://", "mongodb://h:1/a b", "mongodb://h:99999/x"):
        with pytest.raises(SettingError):
            await open_store(url).start()
    store = open_store("mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=100")
    with pytest.raises(StoreUnavailable):
        await store.start()
    await store.close()


@pytest.mark.parametrize(
    ("options", "concern"),
    [
        ("retryReads=true", {"w": "majority", "j": True}),
        ("w=1", {"w": 1}),
        ("journal=false", {"j": False}),
    ],
)
async def test_writes_are_confirmed_by_the_majority_and_their_journals(
    server: MongoServer, options: str, concern: dict[str, Any]
) -> None:
    """Unless the URL says how writes are to be confirmed, it is the safest way."""
    url = server.database()
    store = MongoStore(f"{url}{'&' if '?' in url else '?'}{options}")
    await store.start()
    assert store._connection._collection.write_concern.document == concern
    await store.close()


@pytest.mark.usefixtures("broken_sockets")
async def test_a_server_that_stops_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is down the store says so soon; a group that broke off is completed, once."""
    monkeypatch.setattr(mongodb_insert, "CHUNK_ROWS", 20)
    server = MongoServer(tmp_path, own=True)
    assert server.ferretdb is not None
    store = MongoStore(f"{server.database()}?serverSelectionTimeoutMS=300")
    try:
        await store.start()
        batch = batch_of(logs(1_000))
        inserting = asyncio.create_task(store.insert(batch, group=1))
        while not await store._connection.rows():
            assert not inserting.done()
        await asyncio.to_thread(server.ferretdb.stop, kill=True)
        with pytest.raises(StoreUnavailable):
            await inserting
        for ask in (store.ping(), store.insert(batch, group=1, verify=True), store.stats()):
            began_s = time.monotonic()
            with pytest.raises(StoreUnavailable):
                await ask
            assert time.monotonic() - began_s < 30
        await asyncio.to_thread(server.ferretdb.start)
        result = await store.insert(batch, group=1, verify=True)
        assert result.inserted + result.present == 1_000
        assert result.present > 0
        assert (await store.stats()).rows == 1_000
        assert (await store.search(EVERYTHING, ALL_TIME, limit=1)).stats.matched == 1_000
    finally:
        await store.close()
        server.close()


# Size and age


async def test_days_are_counted_again_when_rows_came_late(store: MongoStore) -> None:
    """Rows whose ids are smaller than counted ones are counted by day too."""
    await store.insert(batch_of(logs(10)), group=9)
    assert [day.rows for day in (await store.stats()).days] == [10]
    await store.insert(batch_of(logs(5)), group=10)
    assert [day.rows for day in (await store.stats()).days] == [15]
    await store.insert(batch_of(logs(3)), group=2)
    store._usage._next_full_s = 0.0
    stats = await store.stats()
    assert (stats.rows, [day.rows for day in stats.days]) == (18, [18])


async def test_the_server_expires_records_too_where_it_can(server: MongoServer) -> None:
    """Retention is also the server's, in whole days; not while clocks disagree by a day."""
    url = server.database()
    store = MongoStore(url)
    await store.start()
    now_ns = time.time_ns()
    try:
        far = await expire_after(store._connection, 7 * 86_400, now_ns=now_ns - 10**15)
        assert far
        can = await expire_after(store._connection, 7 * 86_400, now_ns=now_ns)
        with MongoClient[dict[str, Any]](url) as client:
            indexes = client.get_default_database()[COLLECTION].index_information()
        assert indexes[TTL_INDEX].get("expireAfterSeconds") == (8 * 86_400 if can else None)
        assert can != any("expire" in note for note in store.notes)
    finally:
        await store.close()


async def test_starting_again_changes_nothing(server: MongoServer) -> None:
    """A second store on the same database finds what the first one stored, and its indexes."""
    url = server.database()
    for group in (1, 2):
        store = MongoStore(url)
        await store.start()
        await store.insert(batch_of(logs(5)), group=group)
        assert (await store.stats()).rows == 5 * group
        assert store.notes
        await store.close()
        with pytest.raises(StoreUnavailable):
            await store.ping()
