from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from logstream.broker.base import DeadLetter, Producer
from logstream.broker.memory import MemoryBroker
from logstream.clock import SYSTEM_CLOCK
from logstream.errors import BrokerFull
from logstream.store.memory import MemoryStore
from logstream.testing.faults import FaultyStore
from logstream.worker.replay import replay_dead_letters
from logstream.worker.worker import Worker
from tests.worker.pipeline import QUICK, memory_broker, message, send, stored, until_empty


async def keep(broker: MemoryBroker, *letters: DeadLetter) -> None:
    async with await broker.consumer() as consumer:
        await consumer.dead_letter(letters)


def letter(*texts: str) -> DeadLetter:
    sent = message(texts)
    return DeadLetter(payload=sent.payload, rows=sent.rows, reason="because", at_ns=1)


async def drain(broker: MemoryBroker, store: FaultyStore | MemoryStore) -> None:
    worker = Worker(broker, store, QUICK)
    task = asyncio.create_task(worker.run())
    await until_empty(broker)
    worker.stop()
    await task


async def test_what_was_rejected_is_stored_once_the_store_takes_it() -> None:
    """Letters go through the pipeline again and are gone from the dead-letter area."""
    broker, inner = memory_broker(SYSTEM_CLOCK), MemoryStore()
    store = FaultyStore(inner, poison="POISON")
    await send(broker, ["a", "POISON", "b"])
    await drain(broker, store)
    store.poison = ""
    async with await broker.producer() as producer:
        done = await replay_dead_letters(broker, producer)
    await drain(broker, store)
    assert (done.letters, done.records, done.unreadable) == (1, 1, ())
    assert await stored(inner) == Counter(["a", "POISON", "b"])
    assert await broker.dead_letters(limit=9) == []


async def test_only_the_letters_asked_for() -> None:
    """Named letters are replayed, the others stay."""
    broker = memory_broker(SYSTEM_CLOCK)
    await keep(broker, letter("a"), letter("b"))
    newest, oldest = await broker.dead_letters(limit=9)
    async with await broker.producer() as producer:
        await replay_dead_letters(broker, producer, ids={oldest.id})
    assert await broker.dead_letters(limit=9) == [newest]


async def test_letters_that_cannot_be_read_are_kept_and_named() -> None:
    """A corrupt payload stays for a person to look at; the others are replayed."""
    broker = memory_broker(SYSTEM_CLOCK)
    await keep(broker, DeadLetter(payload=b"rubbish", rows=1, reason="r", at_ns=1), letter("a"))
    async with await broker.producer() as producer:
        done = await replay_dead_letters(broker, producer)
    (left,) = await broker.dead_letters(limit=9)
    assert done.unreadable == (left.id,)
    assert done.letters == 1


async def test_a_broken_off_replay_can_be_repeated() -> None:
    """A letter that was appended but not removed is stored once, however often it is sent."""
    broker, store = memory_broker(SYSTEM_CLOCK), MemoryStore()
    await keep(broker, letter(*(f"{i}" for i in range(25_000))))
    (kept,) = await broker.dead_letters(limit=9)
    async with await broker.producer() as producer:

        class BreaksOff(Producer):
            calls = 0

            async def append(self, message):  # type: ignore[no-untyped-def]  # as in Producer
                self.calls += 1
                if self.calls == 3:
                    raise BrokerFull("full, on purpose")
                return await producer.append(message)

            check_room = wait_stored = close = None  # type: ignore[assignment]  # not called

        with pytest.raises(BrokerFull):
            await replay_dead_letters(broker, BreaksOff())
        assert await broker.dead_letters(limit=9) == [kept]
        await replay_dead_letters(broker, producer)
    await drain(broker, store)
    assert len(await stored(store)) == 25_000
