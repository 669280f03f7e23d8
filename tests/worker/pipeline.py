"""A small pipeline for tests: memory broker, memory store, and records that can be told apart."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence

from logstream.broker.base import Broker, Message
from logstream.broker.memory import MemoryBroker
from logstream.clock import Clock
from logstream.query import Everything
from logstream.record import Record, batch_of, encode_batch
from logstream.settings import Settings
from logstream.store.base import Cursor, Store, StoredRecord, TimeRange

QUICK = dataclasses.replace(Settings(), flush_interval_s=0.01, retry_max_s=0.01)
"""Settings with which nothing waits long."""

START_NS = 1_700_000_000_000_000_000
ALWAYS = TimeRange(0, 1 << 62)


def memory_broker(clock: Clock) -> MemoryBroker:
    """An empty broker with plenty of room."""
    return MemoryBroker(
        capacity_bytes=1 << 30, dedup_window_s=3600, dead_letter_bytes=1 << 26, clock=clock
    )


def message(texts: Sequence[str], *, dedup_id: bytes = b"", received_ns: int = START_NS) -> Message:
    """One batch of records with these messages, a microsecond apart."""
    records = [
        Record(timestamp_ns=received_ns + 1000 * i, message=text) for i, text in enumerate(texts)
    ]
    return Message(
        payload=encode_batch(batch_of(records)),
        rows=len(records),
        received_ns=received_ns,
        dedup_id=dedup_id,
    )


async def send(broker: Broker, *batches: Sequence[str], received_ns: int = START_NS) -> None:
    """Append each batch of messages as an entry of one writer."""
    async with await broker.producer() as producer:
        for texts in batches:
            await producer.append(message(texts, received_ns=received_ns))


async def stored_rows(store: Store) -> list[StoredRecord]:
    """Everything in the store, newest first."""
    rows: list[StoredRecord] = []
    cursor: Cursor | None = None
    while True:
        page = await store.search(Everything(), ALWAYS, limit=1000, cursor=cursor)
        rows += page.records
        cursor = page.next_cursor
        if cursor is None:
            return rows


async def stored(store: Store) -> Counter[str]:
    """Messages in the store, and how often each is there."""
    return Counter(row.record.message for row in await stored_rows(store))


async def until(is_so: Callable[[], bool], *, timeout_s: float = 10.0) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110 – anything may make it so
            await asyncio.sleep(0.002)


async def until_empty(broker: Broker, *, timeout_s: float = 20.0) -> None:
    """Let the loop run until everything in the broker is acknowledged."""
    async with asyncio.timeout(timeout_s):
        while (await broker.status()).entries:  # noqa: ASYNC110 – brokers have no such event
            await asyncio.sleep(0.002)
