"""Queries that are watched while they run, and stopped with what they have found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logstream.dashboard.running import RunningQuery
from logstream.dashboard.services import Services
from logstream.dashboard.stepwise import search_by_steps
from logstream.query import Everything, Filter, Query, parse
from logstream.record import Record, batch_of
from logstream.store.base import (
    Cursor,
    QueryLimits,
    QueryProgress,
    SearchPage,
    TableResult,
    TimeRange,
)
from logstream.store.memory import MemoryStore
from tests.dashboard.support import NOW_NS, S, assert_error, make_services, open_client
from tests.dashboard.test_search import SEARCH

ID = "a-query-of-mine"
LIMITS = QueryLimits()


class WatchedStore(MemoryStore):
    """A store whose queries wait until they may go on, and which tells how far they are."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self.go_on = asyncio.Semaphore(0)
        self.read = 0
        self.names: set[str] = set()

    async def search(
        self,
        where: Filter,
        between: TimeRange,
        *,
        limit: int,
        cursor: Cursor | None = None,
        count: bool = True,
        limits: QueryLimits = LIMITS,
    ) -> SearchPage:
        self.names.add(limits.name)
        self.steps += 1
        await self.go_on.acquire()
        return await super().search(
            where, between, limit=limit, cursor=cursor, count=count, limits=limits
        )

    async def table(
        self, query: Query, between: TimeRange, *, limits: QueryLimits = LIMITS
    ) -> TableResult:
        self.names.add(limits.name)
        await self.go_on.acquire()
        return await super().table(query, between, limits=limits)

    async def progress(self, name: str) -> QueryProgress | None:
        if name not in self.names:
            return None
        return QueryProgress(read_rows=self.read, total_rows=100, elapsed_s=0.1)


@pytest.fixture
async def store() -> WatchedStore:
    made = WatchedStore()
    records = [
        Record(timestamp_ns=NOW_NS - ago * S, message=f"{ago} s ago") for ago in range(1, 900)
    ]
    await made.insert(batch_of(records), group=1)
    return made


@pytest.fixture
async def services(store: WatchedStore) -> AsyncIterator[Services]:
    async with make_services(store=store) as made:
        yield made


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(services) as opened:
        yield opened


RANGE = {"from": str((NOW_NS - 900 * S) // S), "to": str(NOW_NS // S)}


def _ask(client: httpx.AsyncClient, **params: str | int) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(client.get(SEARCH, params={**RANGE, "query_id": ID, **params}))


async def _until_running(store: WatchedStore, steps: int) -> None:
    while store.steps < steps:  # noqa: ASYNC110 - the store has no event for it
        await asyncio.sleep(0)


async def _events(client: httpx.AsyncClient, query_id: str = ID) -> list[tuple[str, object]]:
    """All that is told until the query has ended; the test client gives them together."""
    response = await client.get(f"/api/v1/queries/{query_id}/progress")
    assert response.headers["content-type"].startswith("text/event-stream")
    blocks = [block.split("\n") for block in response.text.split("\n\n") if "event:" in block]
    return [
        (lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: ")))
        for lines in blocks
    ]


async def test_a_search_tells_how_far_it_is(client: httpx.AsyncClient, store: WatchedStore) -> None:
    """Rows read, records found and the time searched so far come while it runs; then its end."""
    asking = _ask(client, count="false", limit=1_000)
    await _until_running(store, 1)
    store.go_on.release()
    await _until_running(store, 2)
    store.read = 40
    told = asyncio.create_task(_events(client))
    for _ in range(5):
        await asyncio.sleep(0.01)
    for _ in range(9):
        store.go_on.release()
    page = (await asking).json()
    events = await told
    assert [name for name, _ in events] == ["progress", "ended"]
    progress = events[0][1]
    assert isinstance(progress, dict)
    assert progress["found"] == 56
    assert progress["read_rows"] > 40
    assert progress["total_rows"] is None
    assert progress["searched_from"].startswith("2023-11-14T22:12:23")
    assert len(page["records"]) == 899
    assert page["next_cursor"] is None
    assert "stopped" not in page


async def test_a_stopped_search_answers_what_it_has(
    client: httpx.AsyncClient, store: WatchedStore
) -> None:
    """Stopped in its second part it answers the first one's records; its cursor goes on with
    everything else, once."""
    asking = _ask(client, count="false", limit=1_000)
    await _until_running(store, 1)
    store.go_on.release()
    await _until_running(store, 2)
    answer = await client.post(f"/api/v1/queries/{ID}/stop")
    assert answer.json() == {"running": True}
    page = (await asking).json()
    assert page["stopped"] is True
    assert [row["message"] for row in page["records"]] == [f"{n} s ago" for n in range(1, 57)]
    store.go_on.release()
    rest = await client.get(
        SEARCH, params={**RANGE, "limit": 1_000, "count": "false", "cursor": page["next_cursor"]}
    )
    messages = [row["message"] for row in rest.json()["records"]]
    assert messages == [f"{n} s ago" for n in range(57, 900)]


async def test_stopped_before_anything_was_found(
    client: httpx.AsyncClient, store: WatchedStore
) -> None:
    """Then there are no records, and the cursor begins at the very start."""
    asking = _ask(client, count="false", limit=1_000)
    await _until_running(store, 1)
    await client.post(f"/api/v1/queries/{ID}/stop")
    page = (await asking).json()
    assert (page["records"], page["stopped"]) == ([], True)
    store.go_on.release()
    params = {**RANGE, "limit": 1_000, "count": "false", "cursor": page["next_cursor"]}
    rest = await client.get(SEARCH, params=params)
    assert len(rest.json()["records"]) == 899


@pytest.mark.parametrize("params", [{"query": "* | stats count()"}, {"count": "true"}])
async def test_what_has_no_parts_is_stopped_with_an_error(
    client: httpx.AsyncClient, store: WatchedStore, params: dict[str, str]
) -> None:
    """A table or a counted search tells of its total, and stopped has nothing to answer."""
    asking = _ask(client, **params)
    while not store.names:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0)
    told = asyncio.create_task(_events(client))
    for _ in range(5):
        await asyncio.sleep(0.01)
    await client.post(f"/api/v1/queries/{ID}/stop")
    assert_error(await asking, 499, "query_cancelled")
    (name, progress), ended = await told
    assert name == "progress"
    assert isinstance(progress, dict)
    assert (progress["read_rows"], progress["total_rows"]) == (0, 100)
    assert (progress["found"], progress["searched_from"]) == (None, None)
    assert ended == ("ended", {"ended": True})


async def test_ids(client: httpx.AsyncClient, services: Services, store: WatchedStore) -> None:
    """An id names one running query of one client; of what does not run there is only its end."""
    assert await _events(client, "nobody-knows-it") == [("ended", {"ended": True})]
    answer = await client.post("/api/v1/queries/nobody-knows-it/stop")
    assert answer.json() == {"running": False}
    for wrong in ("short", "with spaces in it", "x" * 65):
        response = await client.get(SEARCH, params={"query_id": wrong})
        assert_error(response, 400, "bad_request", "query_id")
    asking = _ask(client, count="false")
    await _until_running(store, 1)
    twice = await client.get(SEARCH, params={"query_id": ID})
    assert_error(twice, 400, "bad_request", "already")
    async with open_client(services) as other:
        headers = {"x-api-key": "k" * 32}
        answer = await other.post(f"/api/v1/queries/{ID}/stop", headers=headers)
        assert answer.json() == {"running": False}
    for _ in range(9):
        store.go_on.release()
    assert (await asking).status_code == 200


@given(
    offsets=st.lists(st.integers(0, 99), max_size=30),
    start=st.integers(0, 60),
    width=st.integers(1, 40),
    limit=st.integers(1, 12),
)
@settings(max_examples=60, deadline=None)
def test_steps_find_what_one_search_finds(
    offsets: Sequence[int], start: int, width: int, limit: int
) -> None:
    """Whatever the records, the range and the limit: the same pages to the end."""

    async def check() -> None:
        store = MemoryStore()
        if offsets:
            records = [Record(timestamp_ns=at, message="odd" if at % 2 else "") for at in offsets]
            await store.insert(batch_of(records), group=1)
        between = TimeRange(start, start + width)
        for where in (Everything(), parse("odd").filter):
            after: Cursor | None = None
            for _ in range(len(offsets) // limit + 2):
                whole = await store.search(where, between, limit=limit, cursor=after, count=False)
                page, stopped = await search_by_steps(
                    store, where, between, after, limit=limit, limits=LIMITS,
                    query=RunningQuery(True),
                )  # fmt: skip
                assert not stopped
                assert page.records == whole.records
                assert page.next_cursor == whole.next_cursor
                after = page.next_cursor
                if after is None:
                    break

    asyncio.run(check())
