"""kill -9 of workers and of Redis between a Redis broker and chDB: each record stored once."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from logstream.broker.redis import RedisBroker
from logstream.settings import Settings
from logstream.store import open_store
from logstream.worker.worker import Worker
from tests.servers.redis import RedisServer
from tests.worker.pipeline import message, stored, until_empty

_WORKER = """
import asyncio, dataclasses, sys
from logstream.broker.redis import RedisBroker
from logstream.settings import Settings
from logstream.store import open_store
from logstream.worker.service import run_worker

async def main(folder, url):
    settings = dataclasses.replace(Settings(), flush_interval_s=0.02)
    broker = RedisBroker(url, capacity_bytes=1 << 30, dedup_window_s=60.0,
                         dead_letter_bytes=1 << 20, lease_s=1.0)
    store = open_store(f"chdb://{folder}/store")
    await store.start()
    print("ready", flush=True)
    await run_worker(broker, store, settings, stop=asyncio.Event())

asyncio.run(main(*sys.argv[1:]))
"""
_KILLS = 3


def _start_worker(folder: Path, url: str) -> subprocess.Popen[bytes]:
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORKER, str(folder), url], stdout=subprocess.PIPE
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    return worker


def test_each_record_once_after_kills(tmp_path: Path, own_redis: RedisServer) -> None:
    """Workers are killed one after the other while records keep coming, and Redis too; a last
    worker, which runs through, leaves exactly what was acknowledged."""
    rng = random.Random(11)

    async def scenario() -> tuple[Counter[str], Counter[str]]:
        sent: Counter[str] = Counter()
        broker = RedisBroker(
            own_redis.url,
            capacity_bytes=1 << 30,
            dedup_window_s=60.0,
            dead_letter_bytes=1 << 20,
            lease_s=1.0,
        )
        async with broker, await broker.producer() as producer:
            for life in range(_KILLS):
                worker = await asyncio.to_thread(_start_worker, tmp_path, own_redis.url)
                try:
                    killed_at = time.monotonic() + rng.uniform(0.1, 0.5)
                    number = 0
                    while time.monotonic() < killed_at:
                        texts = [f"{life}.{number}.{row}" for row in range(50)]
                        await producer.append(message(texts, received_ns=time.time_ns()))
                        sent.update(texts)
                        number += 1
                        if life % 2 and number == 10:
                            await asyncio.to_thread(own_redis.kill)
                            await asyncio.to_thread(own_redis.start)
                        await asyncio.sleep(0.005)
                finally:
                    worker.send_signal(signal.SIGKILL)
                    await asyncio.to_thread(worker.communicate)
            store = open_store(f"chdb://{tmp_path}/store")
            await store.start()
            settings = dataclasses.replace(Settings(), flush_interval_s=0.02)
            last = Worker(broker, store, settings)
            task = asyncio.create_task(last.run())
            await until_empty(broker, timeout_s=60.0)
            last.stop()
            await task
            found = await stored(store)
            await store.close()
        return sent, found

    sent, found = asyncio.run(scenario())
    assert found == sent
    assert sent.total() > 0
