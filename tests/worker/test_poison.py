"""One record among a hundred thousand that the store refuses, at full size, on the real parts."""

from __future__ import annotations

import asyncio
from pathlib import Path

from logstream.broker import open_broker_of
from logstream.broker.base import Broker
from logstream.query import parse
from logstream.record import decode_batch
from logstream.settings import Settings
from logstream.store import open_store
from logstream.store.base import Store
from logstream.testing.faults import FaultyStore
from logstream.worker.replay import replay_dead_letters
from logstream.worker.worker import Worker
from tests.worker.pipeline import ALWAYS, send, until_empty

ROWS, ENTRY_ROWS, POISONED = 100_000, 1_000, 61_803


async def drain(broker: Broker, store: Store, settings: Settings) -> None:
    """Run a worker until the broker is empty."""
    worker = Worker(broker, store, settings)
    task = asyncio.create_task(worker.run())
    await until_empty(broker, timeout_s=300)
    worker.stop()
    await task


async def counts(store: Store) -> tuple[int, int]:
    """Records in the store, and how many of them differ."""
    table = await store.table(parse("* | stats count(), uniq(message)"), ALWAYS)
    ((rows, different),) = table.rows
    assert isinstance(rows, int)
    assert isinstance(different, int)
    return rows, different


async def test_one_poison_record_costs_no_other(tmp_path: Path) -> None:
    """99 999 are stored once, that one is a dead letter with its reason; once the store takes it,
    its replay is stored too and the dead-letter area is empty."""
    settings = Settings(data_dir=tmp_path)
    texts = [f"record {n}" for n in range(ROWS)]
    texts[POISONED] = "POISON"
    async with open_broker_of(settings) as broker:
        inner = open_store(settings.store_url)
        store = FaultyStore(inner, poison="POISON")
        await store.start()
        try:
            await send(broker, *(texts[at : at + ENTRY_ROWS] for at in range(0, ROWS, ENTRY_ROWS)))
            await drain(broker, store, settings)
            assert await counts(inner) == (ROWS - 1, ROWS - 1)
            (letter,) = await broker.dead_letters(limit=9)
            assert decode_batch(letter.payload).column("Body").to_pylist() == ["POISON"]
            assert "POISON" in letter.reason
            assert len(store.inserts) < 60

            store.poison = ""
            async with await broker.producer() as producer:
                done = await replay_dead_letters(broker, producer)
            await drain(broker, store, settings)
            assert (done.letters, done.records) == (1, 1)
            assert await counts(inner) == (ROWS, ROWS)
            assert await broker.dead_letters(limit=9) == []
        finally:
            await store.close()
