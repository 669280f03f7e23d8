"""Workers on Redis, as many as one likes: each record is stored exactly once."""

from __future__ import annotations

import asyncio
import dataclasses

from logstream.broker.redis import RedisBroker
from logstream.store.memory import MemoryStore
from logstream.worker.worker import Worker
from tests.servers.redis import RedisServer
from tests.worker.pipeline import QUICK, message, stored, until_empty


def _broker(redis: RedisServer, prefix: str) -> RedisBroker:
    return RedisBroker(
        redis.url,
        prefix=prefix,
        capacity_bytes=1 << 30,
        dedup_window_s=60.0,
        dead_letter_bytes=1 << 20,
        lease_s=1.0,
    )


async def test_two_workers_share(redis_server: RedisServer) -> None:
    """Two workers on one broker and one store store everything once."""
    store = MemoryStore()
    async with _broker(redis_server, "share") as broker, await broker.producer() as producer:
        workers = [Worker(broker, store, QUICK) for _ in range(2)]
        tasks = [asyncio.create_task(worker.run()) for worker in workers]
        texts = [[f"{n}.{i}" for i in range(5)] for n in range(100)]
        for part in texts:
            await producer.append(message(part))
        await until_empty(broker)
        for worker in workers:
            worker.stop()
        await asyncio.gather(*tasks)
    assert await stored(store) == {text: 1 for part in texts for text in part}


async def test_a_worker_takes_over_while_it_works(redis_server: RedisServer) -> None:
    """A group that another worker fixed and left is written by one that has been running."""
    store = MemoryStore()
    async with _broker(redis_server, "running") as broker, await broker.producer() as producer:
        other = await broker.consumer()
        await producer.append(message(["left behind"]))
        await other.fix(await other.read(max_bytes=1 << 20, wait_s=5.0))
        worker = Worker(broker, store, QUICK)
        task = asyncio.create_task(worker.run())
        await producer.append(message(["new"]))
        async with asyncio.timeout(10):
            while not await stored(store):  # noqa: ASYNC110 – stores have no such event
                await asyncio.sleep(0.01)
        await other.close()
        await until_empty(broker)
        worker.stop()
        await task
    assert await stored(store) == {"left behind": 1, "new": 1}


async def test_a_worker_that_loses_its_lease_begins_anew(redis_server: RedisServer) -> None:
    """Taken for dead again and again while records come, a worker goes on, and each record is
    stored once."""
    store = MemoryStore()
    async with _broker(redis_server, "anew") as broker, await broker.producer() as producer:
        settings = dataclasses.replace(QUICK, flush_rows=20)
        worker = Worker(broker, store, settings)
        task = asyncio.create_task(worker.run())
        texts = [[f"{n}.{i}" for i in range(3)] for n in range(120)]
        for n, part in enumerate(texts):
            await producer.append(message(part))
            if n % 30 == 10:
                redis_server.ask("DEL", "{anew}:workers")
            await asyncio.sleep(0.002)
        await until_empty(broker)
        worker.stop()
        await task
    assert await stored(store) == {text: 1 for part in texts for text in part}
