"""Queries that wait for the store: how many there may be, and whose."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from logstream.dashboard.queue import QueryQueue
from logstream.errors import TooManyRequests
from logstream.settings import Settings
from logstream.store.base import SearchPage
from logstream.store.memory import MemoryStore
from tests.dashboard.support import assert_error, make_services, open_client


class HeldStore(MemoryStore):
    """A store whose searches wait until it lets them go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.asked = 0

    async def search(self, *args: Any, **kwargs: Any) -> SearchPage:
        self.asked += 1
        await self.go.wait()
        return await super().search(*args, **kwargs)

    async def until_asked(self, times: int) -> None:
        async with asyncio.timeout(10):
            while self.asked < times:  # noqa: ASYNC110 – a count, not an event
                await asyncio.sleep(0)


async def test_one_client_cannot_fill_the_queue() -> None:
    """Over its half a client gets 429 with Retry-After; others are served, and it is again once
    its queries are answered."""
    store = HeldStore()
    settings = Settings(query_queue=4, api_keys=("key-one-is-long-enough", "key-two-is-long-too"))
    async with (
        make_services(store=store, settings=settings) as services,
        open_client(services) as client,
    ):
        greedy, other = ({"x-api-key": key} for key in settings.api_keys)

        def search(headers: dict[str, str]) -> asyncio.Task[httpx.Response]:
            return asyncio.create_task(client.get("/api/v1/search", headers=headers))

        held = [search(greedy), search(greedy)]
        await store.until_asked(2)
        refused = await search(greedy)
        error = assert_error(refused, 429, "too_many_requests", "2 of your queries")
        assert refused.headers["retry-after"] == "1"
        assert "query_queue" in error["hint"]
        held.append(search(other))
        await store.until_asked(3)
        health = await client.get("/api/v1/info", headers=greedy)
        assert health.status_code == 200
        store.go.set()
        assert [(await each).status_code for each in held] == [200] * 3
        assert (await search(greedy)).status_code == 200


async def test_a_query_that_is_given_up_leaves_the_queue() -> None:
    """Queries that fail, or whose client goes, make room as those that are answered do."""
    store = HeldStore()
    async with (
        make_services(store=store, settings=Settings(query_queue=2)) as services,
        open_client(services) as client,
    ):
        for _ in range(3):
            assert_error(await client.get("/api/v1/search?query=("), 400, "bad_query")
        for turn in range(1, 4):
            gone = asyncio.create_task(client.get("/api/v1/search"))
            await store.until_asked(turn)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        store.go.set()
        assert (await client.get("/api/v1/search")).status_code == 200


def test_the_queue_has_an_end_for_all_together() -> None:
    """Many clients within their shares do not exceed the whole, and nothing is kept of those who
    left."""
    queue = QueryQueue(4)
    for client in "abcd":
        queue.enter(client)
    with pytest.raises(TooManyRequests, match="4 queries"):
        queue.enter("e")
    for client in "abcd":
        queue.leave(client)
    queue.enter("e")
    queue.leave("e")
    assert queue.clients == 0
