"""Every store keeps the contract, and they agree with each other."""

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
from tests.store.clickhouse_servers import CLUSTER, Servers
from tests.store.engine import Engines


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """chDB, open for the whole module."""
    engines = Engines(tmp_path_factory.mktemp("chdb"))
    yield engines
    engines.close()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A ClickHouse server, running for the whole module."""
    servers = Servers(tmp_path_factory.mktemp("clickhouse"))
    yield servers
    servers.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A server of our own that is a cluster of one shard."""
    servers = Servers(tmp_path_factory.mktemp("cluster"), own=True)
    yield servers
    servers.close()


class TestMemoryStore(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        store = open_store("memory:")
        await store.start()
        yield store
        await store.close()


class TestChdbStore(StoreContract):
    many_days = 2_000

    @pytest.fixture
    async def store(self, engines: Engines) -> AsyncIterator[Store]:
        store = engines.store()
        await store.start()
        yield store
        await store.close()


class TestClickHouseOverHttp(StoreContract):
    @pytest.fixture
    async def store(self, servers: Servers) -> AsyncIterator[Store]:
        store = servers.store()
        await store.start()
        yield store
        await store.close()


@pytest.mark.parametrize("insert", ["distributed", "local"])
class TestClickHouseCluster(StoreContract):
    """Distributed tables over one shard; Keeper and a second node there are not."""

    @pytest.fixture
    async def store(self, cluster: Servers, insert: str) -> AsyncIterator[Store]:
        store = cluster.store(f"cluster={CLUSTER}", f"insert={insert}", "compression=lz4")
        await store.start()
        yield store
        await store.close()


class TestAgreement:
    """The store on ClickHouse against the store in memory."""

    @given(rows=st.lists(records(), max_size=12), filter=filters(), data=st.data())
    @settings(max_examples=12)  # each opens the engine anew
    def test_same_rows_same_answers(
        self, engines: Engines, rows: list[Record], filter: Filter, data: st.DataObject
    ) -> None:
        """Whatever is stored and asked, both find the same rows in the same order and count."""
        times = sorted({0, 1 << 62, *(row.timestamp_ns for row in rows)})
        start_ns, end_ns = sorted(data.draw(st.sampled_from(times)) for _ in range(2))
        between = TimeRange(start_ns, end_ns)
        fields = ["level", "service", "message", "a", "severity_number", "msg"]

        async def answers(store: Store) -> list[object]:
            await store.start()
            try:
                await store.insert(batch_of(rows), group=3)
                page = await store.search(filter, between, limit=100)
                interval_ns = max((end_ns - start_ns) // 50, 1)
                return [
                    await every_page(store, filter, between, limit=3),
                    page.stats.matched,
                    await store.facets(filter, ALL_TIME, fields=fields, limit=3),
                    await store.histogram(filter, between, interval_ns=interval_ns, by="a"),
                    await store.fields(filter, between),
                ]
            finally:
                await store.close()

        expected = asyncio.run(answers(open_store("memory:")))
        assert asyncio.run(answers(engines.store())) == expected
