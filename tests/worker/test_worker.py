"""The worker between the real memory broker and the real memory store."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.broker.base import Broker, Message
from logstream.broker.memory import MemoryBroker
from logstream.clock import SYSTEM_CLOCK
from logstream.errors import StoreUnavailable
from logstream.record import decode_batch
from logstream.settings import Settings
from logstream.store.base import ROW_BITS, Store
from logstream.store.memory import MemoryStore
from logstream.testing.clock import FakeClock
from logstream.testing.faults import Fault, FaultyStore
from logstream.worker.worker import Worker
from logstream.worker.write import PART_BITS, SUSPECT_TRIES, ids_of_group
from tests.worker.pipeline import (
    QUICK,
    memory_broker,
    message,
    send,
    stored,
    stored_rows,
    until,
    until_empty,
)


@asynccontextmanager
async def running(
    broker: Broker, store: Store, settings: Settings = QUICK
) -> AsyncIterator[Worker]:
    """A worker at work; stopped and awaited at the end."""
    worker = Worker(broker, store, settings, rng=random.Random(1))
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await task


async def kill(task: asyncio.Task[None]) -> None:
    """End a worker in the middle of things, as a crash would: nothing is finished."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def broker() -> MemoryBroker:
    return memory_broker(SYSTEM_CLOCK)


class TestMoving:
    async def test_everything_arrives_once(self, broker: MemoryBroker) -> None:
        """Each record of each entry is stored exactly once, twins included."""
        store = MemoryStore()
        async with running(broker, store):
            await send(broker, ["a", "twin"], ["twin", "twin"], ["b"])
            await until_empty(broker)
        assert await stored(store) == Counter({"a": 1, "b": 1, "twin": 3})

    async def test_small_entries_share_an_insert(self, broker: MemoryBroker) -> None:
        """What arrives within the flush interval is one group."""
        store = FaultyStore(MemoryStore())
        await send(broker, *([f"{i}"] for i in range(500)))
        settings = dataclasses.replace(QUICK, flush_interval_s=0.1)
        async with running(broker, store, settings):
            await until_empty(broker)
        assert [call.rows for call in store.inserts] == [500]

    async def test_the_interval_is_measured_on_the_monotonic_clock(self) -> None:
        """A group is written when the interval has passed, not before, and a wall clock that
        jumps changes nothing."""
        clock = FakeClock()
        broker, store = memory_broker(clock), FaultyStore(MemoryStore())
        worker = Worker(broker, store, Settings(), clock=clock, sleep=clock.sleep)
        task = asyncio.create_task(worker.run())
        await send(broker, ["a"])
        clock.jump(86_400)
        await asyncio.sleep(0.05)
        assert store.inserts == []
        clock.advance(1.5)
        await until_empty(broker)
        worker.stop()
        await task

    async def test_while_one_insert_runs_the_next_group_grows(self, broker: MemoryBroker) -> None:
        """A slow store gets fewer and larger inserts, one at a time."""
        store = FaultyStore(MemoryStore())
        async with running(broker, store) as worker:
            store.gate.clear()
            await send(broker, ["first"])
            await until(lambda: len(store.inserts) == 1)
            for i in range(20):
                await send(broker, [f"{i}"])
                await asyncio.sleep(0.002)
            await until(lambda: worker._waiting.rows == 20)
            assert len(store.inserts) == 1
            store.gate.set()
            await until_empty(broker)
        assert [call.rows for call in store.inserts] == [1, 20]

    async def test_a_full_group_stops_the_reading(self, broker: MemoryBroker) -> None:
        """Behind a store that hangs the worker holds two groups and leaves the rest in the
        broker; afterwards all of it arrives."""
        settings = dataclasses.replace(QUICK, flush_rows=5, group_max_rows=10)
        inner = MemoryStore()
        store = FaultyStore(inner)
        store.gate.clear()
        big = ["x" * 1000] * 10
        async with running(broker, store, settings) as worker:
            for _ in range(50):
                await send(broker, big)
                await asyncio.sleep(0.002)
            await until(lambda: len(store.inserts) == 1)
            assert worker._waiting.rows < 400
            store.gate.set()
            await until_empty(broker)
        assert sum((await stored(inner)).values()) == 500

    async def test_a_repeated_request_is_stored_once(self, broker: MemoryBroker) -> None:
        """Of entries with one deduplication id only the first is stored, in whatever group."""
        store = MemoryStore()
        async with running(broker, store), await broker.producer() as producer:
            await producer.append(message(["a"], dedup_id=b"1"))
            await producer.append(message(["b"]))
            await producer.append(message(["a"], dedup_id=b"1"))
            await until_empty(broker)
            await producer.append(message(["a"], dedup_id=b"1"))
            await until_empty(broker)
        assert await stored(store) == Counter({"a": 1, "b": 1})

    async def test_listeners_hear_of_groups_in_order(self, broker: MemoryBroker) -> None:
        """Each group is told when fixed and when stored, with its ids and how far it went."""
        heard: list[tuple[str, int, dict[str, int]]] = []

        class Listener:
            def group_fixed(self, first_id: int) -> None:
                heard.append(("fixed", first_id, {}))

            def group_stored(self, end_id: int, upto: Mapping[str, int]) -> None:
                heard.append(("stored", end_id, dict(upto)))

        store = MemoryStore()
        worker = Worker(broker, store, QUICK, listeners=[Listener()])
        task = asyncio.create_task(worker.run())
        await send(broker, ["a"], ["b"])
        await until_empty(broker)
        worker.stop()
        await task
        ids = [row.id for row in await stored_rows(store)]
        assert [what for what, _, _ in heard] == ["fixed", "stored"]
        assert heard[0][1] <= min(ids) <= max(ids) < heard[1][1]
        assert heard[1][2] == {"0000": 1}

    async def test_more_rows_than_one_number_holds(
        self, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A group of more rows than the store numbers in one goes in parts, and what is beyond
        even those is dead-lettered, not lost."""
        monkeypatch.setattr("logstream.worker.write.ROW_BITS", 2)
        monkeypatch.setattr("logstream.worker.write.MAX_GROUP_ROWS", 16)
        store = FaultyStore(MemoryStore())
        await send(broker, [f"{i}" for i in range(18)])
        async with running(broker, store):
            await until_empty(broker)
        group = store.inserts[0].group >> PART_BITS
        assert [(call.group, call.rows) for call in store.inserts] == [
            (group << PART_BITS | part, 4) for part in range(4)
        ]
        letters = await broker.dead_letters(limit=9)
        assert [letter.rows for letter in letters] == [2]

    def test_ids_of_neighbouring_groups_touch(self) -> None:
        """Groups' id ranges neither overlap nor leave room between."""
        assert ids_of_group(7).stop == ids_of_group(8).start
        assert len(ids_of_group(7)) == 1 << (ROW_BITS + PART_BITS)


class TestStoreDown:
    @given(
        faults=st.lists(st.sampled_from(Fault), max_size=12),
        sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    )
    async def test_each_record_once_whatever_fails(
        self, faults: list[Fault], sizes: list[int]
    ) -> None:
        """Under any schedule of failed, half-done and unanswered inserts the store ends with
        exactly what was sent."""
        broker, inner = memory_broker(SYSTEM_CLOCK), MemoryStore()
        store = FaultyStore(inner, schedule=faults)
        settings = dataclasses.replace(QUICK, flush_interval_s=0.001, retry_max_s=0.001)
        texts = [[f"{i}.{j}" for j in range(size)] for i, size in enumerate(sizes)]
        async with running(broker, store, settings):
            for batch in texts:
                await send(broker, batch, ["twin"])
                await asyncio.sleep(0)
            await until_empty(broker)
        expected = Counter(text for batch in texts for text in batch)
        expected["twin"] = len(sizes)
        assert await stored(inner) == expected

    async def test_a_retry_verifies(self, broker: MemoryBroker) -> None:
        """The first try is the fast one; any later one looks what is there already."""
        store = FaultyStore(MemoryStore(), schedule=[Fault.DOWN, Fault.LOST_ANSWER])
        async with running(broker, store):
            await send(broker, ["a"])
            await until_empty(broker)
        assert [call.verify for call in store.inserts] == [False, True, True]

    async def test_it_waits_longer_each_time_and_logs_changes_only(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An outage of an hour is tried through with growing pauses up to `retry_max_s`, and is
        two lines in the log."""
        clock = FakeClock()
        broker, store = memory_broker(clock), FaultyStore(MemoryStore())
        store.down = True
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            await clock.sleep(seconds)

        worker = Worker(broker, store, QUICK_RETRY, clock=clock, sleep=sleep, rng=random.Random(2))
        with caplog.at_level(logging.WARNING):
            task = asyncio.create_task(worker.run())
            await send(broker, ["a"])
            for _ in range(120):
                await asyncio.sleep(0)
                clock.advance(30)
                await asyncio.sleep(0.002)
            store.down = False
            while (await broker.status()).entries:
                clock.advance(30)
                await asyncio.sleep(0.002)
            worker.stop()
            await task
        assert len(slept) > 20
        assert max(slept) <= 30
        assert max(slept[10:]) > max(slept[:4])
        assert ["again" in record.message for record in caplog.records] == [False, True]

    async def test_stopping_during_an_outage_is_prompt(self, broker: MemoryBroker) -> None:
        """The worker gives up after the shutdown time; the group waits in the broker and is
        written, verified, by the next worker."""
        inner = MemoryStore()
        store = FaultyStore(inner)
        store.down = True
        settings = dataclasses.replace(QUICK, shutdown_timeout_s=0.05, retry_max_s=30.0)
        async with running(broker, store, settings):
            await send(broker, ["a"])
            await until(lambda: len(store.inserts) >= 1)
        assert (await broker.status()).entries == 1
        store.down = False
        async with running(broker, store):
            await until_empty(broker)
        assert store.inserts[-1].verify
        assert await stored(inner) == Counter({"a": 1})

    async def test_a_bug_is_not_taken_for_an_outage(self, broker: MemoryBroker) -> None:
        """An error that is not one of ours ends `run` instead of being tried for ever."""

        class Broken(FaultyStore):
            async def insert(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]  # the point of it
                raise ZeroDivisionError

        await send(broker, ["a"])
        with pytest.raises(ZeroDivisionError):
            await Worker(broker, Broken(MemoryStore()), QUICK).run()


QUICK_RETRY = dataclasses.replace(QUICK, retry_max_s=30.0)


class TestStopping:
    async def test_what_was_read_is_written(self, broker: MemoryBroker) -> None:
        """A stop does not wait for the interval, and leaves nothing behind that was read."""
        inner = MemoryStore()
        worker = Worker(broker, inner, dataclasses.replace(Settings(), flush_interval_s=3600))
        task = asyncio.create_task(worker.run())
        await send(broker, ["a"], ["b"])
        await until(lambda: worker._waiting.rows == 2)
        worker.stop()
        await task
        assert await stored(inner) == Counter({"a": 1, "b": 1})
        assert (await broker.status()).entries == 0

    async def test_the_insert_under_way_is_finished(self, broker: MemoryBroker) -> None:
        """A group that is being written is acknowledged before the worker ends."""
        store = FaultyStore(MemoryStore())
        store.gate.clear()
        worker = Worker(broker, store, QUICK)
        task = asyncio.create_task(worker.run())
        await send(broker, ["a"])
        await until(lambda: len(store.inserts) == 1)
        worker.stop()
        await asyncio.sleep(0.01)
        assert not task.done()
        store.gate.set()
        await task
        assert (await broker.status()).entries == 0


class TestCrash:
    async def test_before_anything_was_fixed(self, broker: MemoryBroker) -> None:
        """Entries that were only read are read again."""
        store = MemoryStore()
        worker = Worker(broker, store, dataclasses.replace(QUICK, flush_interval_s=3600))
        task = asyncio.create_task(worker.run())
        await send(broker, ["a"])
        await until(lambda: worker._waiting.rows == 1)
        await kill(task)
        async with running(broker, store):
            await until_empty(broker)
        assert await stored(store) == Counter({"a": 1})

    @pytest.mark.parametrize("fault", [Fault.DOWN, Fault.PARTLY, Fault.LOST_ANSWER])
    async def test_after_a_group_was_fixed(self, broker: MemoryBroker, fault: Fault) -> None:
        """A group not inserted, half inserted or inserted and not acknowledged comes back with
        its number, is verified, and ends in the store once."""
        inner = MemoryStore()
        store = FaultyStore(inner, schedule=[fault])
        settings = dataclasses.replace(QUICK, retry_max_s=3600.0)
        worker = Worker(broker, store, settings, sleep=FakeClock().sleep)
        task = asyncio.create_task(worker.run())
        await send(broker, ["a", "b", "c", "d"])
        await until(lambda: len(store.inserts) == 1 and not store.schedule)
        await asyncio.sleep(0.01)
        await kill(task)
        async with running(broker, store):
            await send(broker, ["e"])
            await until_empty(broker)
        assert store.inserts[1].verify
        assert store.inserts[1].group == store.inserts[0].group
        assert store.inserts[2].group > store.inserts[1].group
        assert await stored(inner) == Counter("abcde")

    @given(cuts=st.lists(st.integers(0, 12), max_size=5), faults=st.lists(st.sampled_from(Fault)))
    async def test_at_any_moment(self, cuts: list[int], faults: list[Fault]) -> None:
        """Workers that are ended one after the other at random moments, over a store that fails
        at random, leave each record in the store once."""
        broker, inner = memory_broker(SYSTEM_CLOCK), MemoryStore()
        store = FaultyStore(inner, schedule=faults)
        settings = dataclasses.replace(QUICK, flush_interval_s=0.001, retry_max_s=0.001)
        for i, turns in enumerate(cuts):
            await send(broker, [f"{i}.{j}" for j in range(4)], ["twin"])
            task = asyncio.create_task(Worker(broker, store, settings).run())
            for _ in range(turns):
                await asyncio.sleep(0.0005)
            await kill(task)
        await send(broker, ["last"])
        async with running(broker, store, settings):
            await until_empty(broker)
        expected = Counter(f"{i}.{j}" for i in range(len(cuts)) for j in range(4))
        expected.update({"twin": len(cuts), "last": 1} if cuts else {"last": 1})
        assert await stored(inner) == expected


class TestPoison:
    async def test_one_bad_in_a_thousand(self, broker: MemoryBroker) -> None:
        """The bad record goes to the dead letters with its reason, its 999 neighbours and what
        came before and after are stored."""
        inner = MemoryStore()
        store = FaultyStore(inner, poison="POISON")
        texts = [f"{i}" for i in range(1000)]
        texts[321] = "this is POISON"
        async with running(broker, store):
            await send(broker, ["before"], texts, ["after"])
            await until_empty(broker)
        expected = Counter(["before", *texts, "after"])
        del expected["this is POISON"]
        assert await stored(inner) == expected
        (letter,) = await broker.dead_letters(limit=10)
        assert letter.reason == "a message holds 'POISON'"
        assert decode_batch(letter.payload).column("Body").to_pylist() == ["this is POISON"]
        assert len(store.inserts) <= 1 + 2 * 11

    async def test_a_record_that_fails_for_an_unknown_cause(self, broker: MemoryBroker) -> None:
        """From a store that is there, the same unknown failure so many times in a row means bad
        records: the one is found and dead-lettered, and costs no such patience again."""
        inner = MemoryStore()
        store = FaultyStore(inner, riddle="RIDDLE")
        texts = [f"{i}" for i in range(100)]
        async with running(broker, store):
            await send(broker, [*texts, "a RIDDLE"], ["after"])
            await until_empty(broker)
        assert await stored(inner) == Counter([*texts, "after"])
        (letter,) = await broker.dead_letters(limit=10)
        assert letter.reason == "nobody knows what this is"
        assert decode_batch(letter.payload).column("Body").to_pylist() == ["a RIDDLE"]
        assert len(store.inserts) <= SUSPECT_TRIES + 2 * 8 + 2

    async def test_an_unknown_cause_while_the_store_is_away(self, broker: MemoryBroker) -> None:
        """As long as the store does not answer otherwise, no record is blamed, however often an
        unknown failure comes back."""
        inner = MemoryStore()
        store = FaultyStore(inner, riddle="kept")

        async def no_ping() -> None:
            raise StoreUnavailable("away")

        store.ping = no_ping  # type: ignore[method-assign]  # the store that is away
        async with running(broker, store):
            await send(broker, ["kept"])
            await until(lambda: len(store.inserts) > 3 * SUSPECT_TRIES)
            assert await broker.dead_letters(limit=10) == []
            store.riddle = ""
            await until_empty(broker)
        assert await stored(inner) == Counter({"kept": 1})

    async def test_poison_over_a_store_that_fails(self, broker: MemoryBroker) -> None:
        """Outages in the middle of the search for a bad record lose and double nothing."""
        inner = MemoryStore()
        faults = [Fault.NONE, Fault.LOST_ANSWER, Fault.PARTLY, Fault.DOWN] * 6
        store = FaultyStore(inner, schedule=faults, poison="POISON")
        texts = [f"{i}" for i in range(64)]
        async with running(broker, store):
            await send(broker, [*texts, "POISON 1", "POISON 2"])
            await until_empty(broker)
        assert await stored(inner) == Counter(texts)
        assert sum(letter.rows for letter in await broker.dead_letters(limit=10)) == 2

    async def test_a_payload_that_is_no_batch(self, broker: MemoryBroker) -> None:
        """It is kept as it is among the dead letters; entries around it are stored."""
        store = MemoryStore()
        async with running(broker, store), await broker.producer() as producer:
            await producer.append(message(["a"]))
            await producer.append(Message(payload=b"rubbish", rows=3, received_ns=1))
            await producer.append(message(["b"]))
            await until_empty(broker)
        assert await stored(store) == Counter({"a": 1, "b": 1})
        (letter,) = await broker.dead_letters(limit=10)
        assert (letter.payload, letter.rows) == (b"rubbish", 3)

    async def test_nothing_but_rubbish(self, broker: MemoryBroker) -> None:
        """A group without a single row is acknowledged without an insert."""
        store = FaultyStore(MemoryStore())
        async with running(broker, store), await broker.producer() as producer:
            await producer.append(Message(payload=b"", rows=1, received_ns=1))
            await until_empty(broker)
        assert store.inserts == []

    async def test_a_few_records_all_bad_do_not_hold_up(self, broker: MemoryBroker) -> None:
        """A wholly rejected group is dead-lettered and the next one gets its turn."""
        inner = MemoryStore()
        store = FaultyStore(inner, poison="POISON")
        async with running(broker, store):
            await send(broker, ["POISON"] * 3)
            await until_empty(broker)
            await send(broker, ["good"])
            await until_empty(broker)
        assert await stored(inner) == Counter({"good": 1})

    async def test_a_store_that_rejects_everything_is_not_believed(
        self, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """From some number of rejected rows on, none stored between, records are kept in the
        broker instead of becoming dead letters, and stored once the store takes them again."""
        monkeypatch.setattr("logstream.worker.write.REJECTED_RUN_ROWS", 10)
        inner = MemoryStore()
        store = FaultyStore(inner, poison=".")
        async with running(broker, store):
            await send(broker, ["dead."] * 10)
            await until_empty(broker)
            await send(broker, ["kept."] * 10)
            await until(lambda: len(store.inserts) > 60)
            assert (await broker.status()).entries == 1
            store.poison = ""
            await until_empty(broker)
        assert await stored(inner) == Counter({"kept.": 10})
        assert sum(letter.rows for letter in await broker.dead_letters(limit=99)) == 10

    async def test_a_crash_may_repeat_a_letter_and_loses_none(self, broker: MemoryBroker) -> None:
        """Ended between dead-lettering and acknowledging, the group is searched again."""
        inner = MemoryStore()
        store = FaultyStore(inner, poison="POISON")
        await send(broker, ["a", "POISON", "b"])
        consumer = await broker.consumer()
        group = await consumer.fix(await consumer.read(max_bytes=1 << 20, wait_s=0))
        await consumer.close()
        assert not group.replayed
        async with running(broker, store):
            await until_empty(broker)
        assert await stored(inner) == Counter({"a": 1, "b": 1})
        assert len(await broker.dead_letters(limit=9)) == 1
