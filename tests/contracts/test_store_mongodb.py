"""The store on MongoDB keeps the contract, and agrees with the store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logstream.query import Filter
from logstream.record import Record, batch_of
from logstream.store import open_store
from logstream.store.base import Store, TimeRange
from logstream.testing.query_strategies import filters, records
from logstream.testing.store_contract import ALL_TIME, StoreContract, every_page
from tests.store.mongodb_server import MongoServer, mongo_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A MongoDB server, running for the whole module."""
    yield from mongo_server(tmp_path_factory.mktemp("mongodb"))


class TestMongoStore(StoreContract):
    @pytest.fixture
    async def store(self, server: MongoServer) -> AsyncIterator[Store]:
        store = server.store()
        await store.start()
        yield store
        await store.close()


@given(rows=st.lists(records(), max_size=10), filter=filters(), data=st.data())
@settings(max_examples=15)
def test_same_rows_same_answers(
    server: MongoServer, rows: list[Record], filter: Filter, data: st.DataObject
) -> None:
    """Whatever is stored and asked, MongoDB and memory find, count and name the same."""
    times = sorted({0, 1 << 62, *(row.timestamp_ns for row in rows)})
    start_ns, end_ns = sorted(data.draw(st.sampled_from(times)) for _ in range(2))
    between = TimeRange(start_ns, end_ns)
    interval_ns = data.draw(st.sampled_from((1, 10**9, 60 * 10**9))) * max(
        (end_ns - start_ns) // (50 * 60 * 10**9), 1
    )
    fields = ["level", "service", "message", "a", "severity_number", "msg", "severityNumber"]

    async def answers(store: Store) -> list[object]:
        await store.start()
        try:
            await store.insert(batch_of(rows), group=3)
            page = await store.search(filter, between, limit=100)
            return [
                await every_page(store, filter, between, limit=3),
                page.stats.matched,
                await store.facets(filter, ALL_TIME, fields=fields, limit=3),
                *[
                    await store.histogram(filter, between, interval_ns=interval_ns, by=by)
                    for by in ("level", "a", "severityNumber")
                    if (end_ns - start_ns) / interval_ns <= 10_000
                ],
                await store.fields(filter, between),
            ]
        finally:
            await store.close()

    expected = asyncio.run(answers(open_store("memory:")))
    assert asyncio.run(answers(server.store())) == expected
