"""A call of Redis that is cancelled ends its task, whatever it was just doing."""

from __future__ import annotations

import asyncio

import pytest

from logstream.broker.redis.link import Link
from logstream.broker.redis.url import parse
from tests.broker.redis_support import redis_broker
from tests.servers.redis import RedisServer

_TURNS = 40
"""More turns of the loop than a call or two take before they wait for an answer."""


@pytest.mark.parametrize("turns", range(_TURNS))
async def test_a_cancelled_call_ends_its_task(redis_server: RedisServer, turns: int) -> None:
    """A task that calls for ever ends when it is cancelled, at any turn of the loop."""
    link = Link(parse(redis_server.url), timeout_s=5.0)
    await link.command("PING")

    over = asyncio.Event()

    async def call_on() -> None:
        while not over.is_set():
            await link.command("PING")

    task = asyncio.create_task(call_on())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait((task,), timeout=1.0)
    over.set()
    await asyncio.gather(task, return_exceptions=True)
    await link.close()
    assert done, "the cancellation was lost"


async def test_a_consumer_closes_while_its_lease_is_renewed(redis_server: RedisServer) -> None:
    """`close` returns at whichever turn of the loop it is called."""
    async with redis_broker(redis_server.url, prefix="closing", lease_s=0.2) as broker:
        for turns in range(_TURNS):
            consumer = await broker.consumer()
            await asyncio.sleep(0.05)
            for _ in range(turns):
                await asyncio.sleep(0)
            async with asyncio.timeout(5):
                await consumer.close()
