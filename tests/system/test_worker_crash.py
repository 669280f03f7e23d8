"""kill -9 of a worker between a disk broker and chDB: each record in the store exactly once."""

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

from logstream.broker import open_broker
from logstream.settings import Settings
from logstream.store import open_store
from logstream.worker.worker import Worker
from tests.worker.pipeline import message, stored, until_empty

_WORKER = """
import asyncio, dataclasses, sys
from logstream.broker import open_broker
from logstream.settings import Settings
from logstream.store import open_store
from logstream.worker.service import run_worker

async def main(folder):
    settings = dataclasses.replace(Settings(), flush_interval_s=0.02)
    broker = open_broker(f"disk://{folder}/broker", capacity_bytes=1 << 30,
                         segment_bytes=1 << 20, dedup_window_s=60.0, dead_letter_bytes=1 << 20)
    store = open_store(f"chdb://{folder}/store")
    await store.start()
    print("ready", flush=True)
    await run_worker(broker, store, settings, stop=asyncio.Event())

asyncio.run(main(sys.argv[1]))
"""
_KILLS = 3


def _start_worker(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _WORKER, str(folder)], stdout=subprocess.PIPE)


def test_each_record_once_after_kills(tmp_path: Path) -> None:
    """A worker that is killed several times while records keep coming, and a last one that runs
    through, leave exactly what was acknowledged."""
    rng = random.Random(7)

    async def scenario() -> tuple[Counter[str], Counter[str]]:
        broker = open_broker(
            f"disk://{tmp_path}/broker",
            capacity_bytes=1 << 30,
            segment_bytes=1 << 20,
            dedup_window_s=60.0,
            dead_letter_bytes=1 << 20,
        )
        sent: Counter[str] = Counter()
        async with broker, await broker.producer() as producer:
            for life in range(_KILLS):
                worker = await asyncio.to_thread(_start_worker, tmp_path)
                try:
                    assert worker.stdout is not None
                    line = await asyncio.to_thread(worker.stdout.readline)
                    assert line == b"ready\n"
                    killed_at = time.monotonic() + rng.uniform(0.05, 0.4)
                    number = 0
                    while time.monotonic() < killed_at:
                        texts = [f"{life}.{number}.{row}" for row in range(50)]
                        now_ns = time.time_ns()
                        await producer.append(message(texts, received_ns=now_ns))
                        sent.update(texts)
                        number += 1
                        await asyncio.sleep(0.005)
                finally:
                    worker.send_signal(signal.SIGKILL)
                    await asyncio.to_thread(worker.wait)
                    assert worker.stdout is not None
                    worker.stdout.close()
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
