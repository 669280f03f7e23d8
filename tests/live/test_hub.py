"""The hub over the real memory broker, and the real worker and memory store where they matter."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream import metrics
from logstream.broker.base import Broker, Entry, Follower, Message
from logstream.broker.memory import MemoryBroker
from logstream.clock import SYSTEM_CLOCK
from logstream.errors import QueryError, TooManyRequests
from logstream.live.events import Event, Rows, Status, TailRow
from logstream.live.hub import Hub
from logstream.live.tail import Tail
from logstream.query import CANONICAL, Equals, Everything, FieldFilter, Word
from logstream.settings import Settings
from logstream.store.base import Store
from logstream.store.memory import MemoryStore
from logstream.testing.faults import FaultyStore
from logstream.worker.worker import Worker
from tests.worker.pipeline import QUICK, START_NS, memory_broker, message, send, until, until_empty


@pytest.fixture
def broker() -> MemoryBroker:
    return memory_broker(SYSTEM_CLOCK)


@asynccontextmanager
async def hub_of(
    broker: Broker,
    store: Store | None = None,
    settings: Settings = QUICK,
    *,
    told: bool = True,
    ring_bytes: int = 1 << 24,
) -> AsyncIterator[Hub]:
    hub = Hub(broker, store, settings, told=told, ring_bytes=ring_bytes)
    await hub.start()
    try:
        yield hub
    finally:
        await hub.close()


@asynccontextmanager
async def working(broker: Broker, store: Store, hub: Hub) -> AsyncIterator[None]:
    """A worker that moves everything into the store and tells the hub."""
    worker = Worker(broker, store, QUICK, listeners=[hub])
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


async def rows_of(tail: Tail, count: int, *, timeout_s: float = 10.0) -> list[TailRow]:
    """The next ``count`` rows."""
    rows: list[TailRow] = []
    async with asyncio.timeout(timeout_s):
        while len(rows) < count:
            event = await anext(tail)
            if isinstance(event, Rows):
                rows += event.rows
    return rows


def texts(rows: list[TailRow]) -> list[str]:
    return [row.record.message for row in rows]


class TestFollowing:
    async def test_a_tail_sees_all_that_matches(self, broker: MemoryBroker) -> None:
        """At a moderate rate every matching record comes once, in order, and the counts say so."""
        async with hub_of(broker) as hub, await hub.open(Word("yes")) as tail:
            for i in range(50):
                await send(broker, [f"yes {i}", f"no {i}"])
            rows = await rows_of(tail, 50)
            status = tail.status()
        assert texts(rows) == [f"yes {i}" for i in range(50)]
        assert (status.matched, status.sent, status.dropped, status.sample) == (50, 50, 0, 1)

    async def test_rows_say_when_they_were_received(self, broker: MemoryBroker) -> None:
        """A row carries the time of its arrival and a key of its own."""
        async with hub_of(broker) as hub, await hub.open(Everything()) as tail:
            async with await broker.producer() as producer:
                await producer.append(message(["a", "b"], received_ns=77))
            rows = await rows_of(tail, 2)
        assert [row.received_ns for row in rows] == [77, 77]
        assert len({row.key for row in rows}) == 2

    async def test_each_tail_has_its_own_filter(self, broker: MemoryBroker) -> None:
        """Tails share the reading, not the rows."""
        async with hub_of(broker) as hub:
            a, b = await hub.open(Word("a")), await hub.open(Word("b"))
            await send(broker, ["a 1", "b 1"], ["b 2"])
            assert texts(await rows_of(a, 1)) == ["a 1"]
            assert texts(await rows_of(b, 2)) == ["b 1", "b 2"]

    async def test_the_first_event_is_a_status(self, broker: MemoryBroker) -> None:
        """A client knows at once that it is connected."""
        async with hub_of(broker) as hub, await hub.open(Everything()) as tail:
            assert isinstance(await anext(tail), Status)

    async def test_a_repeated_request_is_shown_once(self, broker: MemoryBroker) -> None:
        """What the worker will leave out as a repetition, the tail leaves out too."""
        async with hub_of(broker) as hub, await hub.open(Everything()) as tail:
            async with await broker.producer() as producer:
                for _ in range(3):
                    await producer.append(message(["a"], dedup_id=b"1"))
                await producer.append(message(["end"]))
            assert texts(await rows_of(tail, 2)) == ["a", "end"]

    async def test_a_payload_that_is_no_batch_is_passed_over(self, broker: MemoryBroker) -> None:
        """Rubbish in the broker does not end a tail."""
        async with hub_of(broker) as hub, await hub.open(Everything()) as tail:
            async with await broker.producer() as producer:
                await producer.append(message(["a"]))
                await producer.append(Message(payload=b"rubbish", rows=3, received_ns=1))
                await producer.append(message(["b"]))
            assert texts(await rows_of(tail, 2)) == ["a", "b"]


class _Stumbling(MemoryBroker):
    """Its followers fail, as no contract lets them, while ``broken``."""

    broken = False
    opened = 0

    async def follower(self) -> Follower:
        self.opened += 1
        outer, follower = self, await super().follower()
        read = follower.read

        async def stumble(*, max_bytes: int, wait_s: float) -> list[Entry]:
            if outer.broken:
                raise RuntimeError("a disk that answers nonsense")
            return await read(max_bytes=max_bytes, wait_s=wait_s)

        follower.read = stumble  # type: ignore[method-assign]  # all else is as it was
        return follower


class TestUnexpectedErrors:
    async def test_following_goes_on_and_says_what_lacks(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An error that nobody expected is logged and counted; after pauses that grow the hub
        follows again. Tails end then, and who goes on from a place of before is told of the gap."""
        monkeypatch.setattr("logstream.live.feed._FIRST_PAUSE_S", 0.02)
        broker = _Stumbling(capacity_bytes=1 << 30, dedup_window_s=3600, dead_letter_bytes=1 << 20)
        before = next(iter(metrics.TAIL_FAILURES.collect())).samples[0].value
        async with hub_of(broker, MemoryStore()) as hub:
            tail = await hub.open(Everything())
            await send(broker, ["seen"])
            assert texts(await rows_of(tail, 1)) == ["seen"]
            place = tail.status().resume
            broker.broken = True
            await until(lambda: "broke off, it begins anew in 0.04 s" in caplog.text)
            await send(broker, ["meanwhile"])
            broker.broken, opened = False, broker.opened
            await until(lambda: broker.opened > opened)
            assert [event async for event in tail] == []
            resumed = await hub.open(Everything(), resume=place)
            assert resumed.status().gap
            await send(broker, ["after"])
            assert texts(await rows_of(resumed, 1)) == ["after"]
            again = await hub.open(Everything(), backfill=10)
            assert not again.status().backfill_complete
            assert texts(await rows_of(again, 1)) == ["after"]
        assert "a disk that answers nonsense" in caplog.text
        assert 2 <= next(iter(metrics.TAIL_FAILURES.collect())).samples[0].value - before <= 6

    async def test_a_filter_that_fails_ends_its_own_tail(
        self, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The reader of that tail is raised the error; the others go on."""
        async with hub_of(broker) as hub:
            bad, good = await hub.open(Word("bad")), await hub.open(Everything())

            def fail(*_: object) -> None:
                raise RuntimeError("a kernel that is missing")

            monkeypatch.setattr(hub._tails[bad], "select", fail)
            await send(broker, ["bad"])
            assert texts(await rows_of(good, 1)) == ["bad"]
            with pytest.raises(RuntimeError, match="a kernel that is missing"):
                await rows_of(bad, 1)
            assert [event async for event in bad] == []
            assert list(hub._tails) == [good]


class TestLimits:
    async def test_a_slow_reader_loses_the_oldest_and_is_told(self, broker: MemoryBroker) -> None:
        """Beyond the buffer the oldest rows are dropped, and every matching record is either
        sent or counted as dropped."""
        settings = dataclasses.replace(QUICK, tail_buffer_records=25)
        async with hub_of(broker, settings=settings) as hub, await hub.open(Everything()) as tail:
            for i in range(10):
                await send(broker, [f"{i}.{j}" for j in range(10)])
            await until(lambda: tail.status().matched == 100)
            assert tail.status().waiting == 25
            rows = await rows_of(tail, 25)
            status = tail.status()
        assert texts(rows)[-1] == "9.9"
        assert (status.sent, status.dropped, status.waiting) == (25, 75, 0)
        assert status.sent + status.dropped == status.matched

    async def test_a_flood_is_sampled_and_says_so(self, broker: MemoryBroker) -> None:
        """Above 5 000 matching records a second one in N is shown, N is told, and the counts add
        up."""
        async with hub_of(broker) as hub, await hub.open(Everything()) as tail:
            await send(broker, [f"{i}" for i in range(30_000)])
            await until(lambda: tail.status().matched == 30_000)
            status = tail.status()
            rows = await rows_of(tail, status.waiting)
            end = tail.status()
        assert status.sample == 6
        assert len(rows) == 5_000
        assert end.matched == end.sent + end.dropped + end.sampled_out

    async def test_only_so_many_tails(self, broker: MemoryBroker) -> None:
        """One tail more than may be is refused; closing one makes room."""
        settings = dataclasses.replace(QUICK, tail_clients=2)
        async with hub_of(broker, settings=settings) as hub:
            first = await hub.open(Everything())
            await hub.open(Everything())
            with pytest.raises(TooManyRequests):
                await hub.open(Everything())
            first.close()
            await hub.open(Everything())

    async def test_a_filter_that_cannot_be_run_is_refused(self, broker: MemoryBroker) -> None:
        """The caller learns of it before the tail is open."""
        async with hub_of(broker) as hub:
            with pytest.raises(QueryError):
                await hub.open(FieldFilter(CANONICAL["level"], Equals("loud")))


class TestClosing:
    async def test_closing_ends_the_iteration(self, broker: MemoryBroker) -> None:
        """A reader that waits is let go when its tail is closed, and nothing is offered to it
        afterwards."""
        async with hub_of(broker) as hub:
            tail = await hub.open(Everything())
            events: list[Event] = []

            async def read() -> None:
                events.extend([event async for event in tail])

            reader = asyncio.create_task(read())
            await asyncio.sleep(0.01)
            tail.close()
            tail.close()
            await send(broker, ["late"])
            await reader
        assert [type(event) for event in events] == [Status]

    async def test_a_cancelled_reader_closes_its_tail(self, broker: MemoryBroker) -> None:
        """`async with` lets go of the tail however the reader ends."""
        settings = dataclasses.replace(QUICK, tail_clients=1)
        async with hub_of(broker, settings=settings) as hub:

            async def read() -> None:
                async with await hub.open(Everything()) as tail:
                    async for _ in tail:
                        pass

            reader = asyncio.create_task(read())
            await asyncio.sleep(0.01)
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            (await hub.open(Everything())).close()

    async def test_closing_the_hub_ends_every_tail(self, broker: MemoryBroker) -> None:
        """Nobody is left waiting when the process stops."""
        async with hub_of(broker) as hub:
            tail = await hub.open(Everything())
        assert [event async for event in tail] == []


class TestResuming:
    async def test_nothing_is_lost_or_repeated(self, broker: MemoryBroker) -> None:
        """A client that comes back with the place of its last event goes on right behind it,
        even in the middle of an entry."""
        async with hub_of(broker) as hub:
            tail = await hub.open(Everything())
            await send(broker, [f"{i}" for i in range(700)])
            await until(lambda: tail.status().matched == 700)
            event = await anext(tail)
            while not isinstance(event, Rows):
                event = await anext(tail)
            tail.close()
            await send(broker, ["after"])
            again = await hub.open(Everything(), resume=event.resume)
            rows = await rows_of(again, 201)
            assert not again.status().gap
        assert len(event.rows) == 500
        assert texts(rows) == [*(f"{i}" for i in range(500, 700)), "after"]

    async def test_a_hub_closed_while_a_tail_resumes(self, broker: MemoryBroker) -> None:
        """The tail is opened and has ended, like every other one."""
        async with hub_of(broker) as hub:
            async with await hub.open(Everything()) as tail:
                await send(broker, ["a"])
                await rows_of(tail, 1)
            opening = asyncio.create_task(hub.open(Everything(), resume=f"{hub.name}.0.0"))
            await asyncio.sleep(0)
            await hub.close()
            assert [event async for event in await opening] == []

    @pytest.mark.parametrize("resume", ["", "rubbish", "0.0.0", "-1.2.x", "٣.٣.٣"])
    async def test_an_unknown_place_is_a_gap(self, broker: MemoryBroker, resume: str) -> None:
        """A place of another hub, or none at all, is answered by saying that there is a gap."""
        async with hub_of(broker) as hub, await hub.open(Everything(), resume=resume) as tail:
            assert tail.status().gap == bool(resume)
            await send(broker, ["a"])
            assert texts(await rows_of(tail, 1)) == ["a"]

    async def test_a_place_too_long_ago_is_a_gap(self, broker: MemoryBroker) -> None:
        """Once the ring has forgotten what came next, the client is told so."""
        async with hub_of(broker, ring_bytes=10_000) as hub:
            tail = await hub.open(Everything())
            place = tail.status().resume
            for i in range(100):
                await send(broker, [f"{i}"])
            await until(lambda: tail.status().matched == 100)
            again = await hub.open(Everything(), resume=place)
            assert again.status().gap

    @given(breaks=st.lists(st.integers(1, 40), max_size=4), per_entry=st.integers(1, 9))
    async def test_breaking_off_anywhere(self, breaks: list[int], per_entry: int) -> None:
        """However often a client breaks off and comes back while records flow, it sees each
        matching one exactly once."""
        broker = memory_broker(SYSTEM_CLOCK)
        wanted = [f"yes {i}" for i in range(60)]
        seen: list[str] = []
        async with hub_of(broker) as hub:
            tail = await hub.open(Word("yes"))

            async def write() -> None:
                for start in range(0, len(wanted), per_entry):
                    await send(broker, [*wanted[start : start + per_entry], "no"])
                    await asyncio.sleep(0)

            writer = asyncio.create_task(write())
            place = tail.status().resume
            for pause in [*breaks, 10_000]:
                until_break = pause
                while until_break > 0 and len(seen) < len(wanted):
                    event = await anext(tail)
                    place = event.resume
                    if isinstance(event, Rows):
                        seen += texts(list(event.rows))
                    until_break -= 1
                tail.close()
                tail = await hub.open(Word("yes"), resume=place)
            await writer
        assert seen == wanted


class TestBackfill:
    async def test_from_the_ring_alone(self, broker: MemoryBroker) -> None:
        """The last matching records come first, marked as backfill, then live ones."""
        async with hub_of(broker) as hub:
            await send(broker, ["yes 1", "no", "yes 2"], ["yes 3"])
            await asyncio.sleep(0.02)
            tail = await hub.open(Word("yes"), backfill=2)
            await send(broker, ["yes 4"])
            assert texts(await rows_of(tail, 3)) == ["yes 2", "yes 3", "yes 4"]
            assert tail.status().sent == 1
            assert tail.status().backfill_complete

    async def test_from_store_and_ring(self, broker: MemoryBroker) -> None:
        """What has left the ring, or was there before the hub, comes from the store."""
        store = MemoryStore()
        async with hub_of(broker, store, ring_bytes=1) as hub, working(broker, store, hub):
            for i in range(5):
                await send(broker, [f"{i}"])
                await until_empty(broker)
            tail = await hub.open(Everything(), backfill=10)
            rows = await rows_of(tail, 5)
            assert sorted(texts(rows)) == ["0", "1", "2", "3", "4"]
            assert tail.status().backfill_complete
            assert [row.received_ns is None for row in rows] == [row.id is not None for row in rows]

    async def test_from_a_store_that_nobody_tells_of(self, broker: MemoryBroker) -> None:
        """Beside another worker too: what is older than the ring comes from the store, what is in
        both comes once, and what comes live does not come before."""
        store = FaultyStore(MemoryStore())
        async with hub_of(broker, told=True) as other, working(broker, store, other):
            await send(broker, ["old", "twin"], ["twin"])
            await until_empty(broker)
            async with hub_of(broker, store, told=False) as hub:
                await send(broker, ["in both", "twin"])
                await until_empty(broker)
                store.gate.clear()
                await send(broker, ["not yet stored"], received_ns=START_NS + 1)
                await asyncio.sleep(0.02)
                tail = await hub.open(Everything(), backfill=10)
                assert tail.status().backfill_complete
                store.gate.set()
                await send(broker, ["live"], received_ns=START_NS + 2)
                rows = texts(await rows_of(tail, 7))
                assert sorted(rows[:3]) == ["old", "twin", "twin"]
                assert rows[3:] == ["in both", "twin", "not yet stored", "live"]
                assert texts(await rows_of(await hub.open(Everything(), backfill=2), 2)) == [
                    "not yet stored",
                    "live",
                ]

    async def test_what_waited_before_the_hub_makes_it_incomplete(
        self, broker: MemoryBroker
    ) -> None:
        """What neither the ring nor the store has yet is said to be missing; so is all that a
        store that is down would have."""
        store = FaultyStore(MemoryStore())
        await send(broker, ["waits"])
        async with hub_of(broker, store, told=False) as hub:
            await send(broker, ["seen"], received_ns=START_NS + 1)
            await asyncio.sleep(0.02)
            tail = await hub.open(Everything(), backfill=10)
            assert texts(await rows_of(tail, 1)) == ["seen"]
            assert not tail.status().backfill_complete
            store.down = True
            tail = await hub.open(Everything(), backfill=10)
            assert texts(await rows_of(tail, 1)) == ["seen"]
            assert not tail.status().backfill_complete

    @given(data=st.data(), seed=st.integers(0, 1000))
    async def test_untold_no_repetition(self, data: st.DataObject, seed: int) -> None:
        """Opened at any moment while others write the store, nothing is shown twice, and what was
        sent since the hub began is all there."""
        broker, store = memory_broker(SYSTEM_CLOCK), MemoryStore()
        before, opened_at, total = (data.draw(st.integers(0, 12)) for _ in range(3))
        chance = random.Random(seed)

        async def sending(numbers: range) -> None:
            for number in numbers:
                await send(broker, [f"{number}"])
                await asyncio.sleep(chance.choice((0, 0, 0.001)))

        async with hub_of(broker) as other, working(broker, store, other):
            await sending(range(before))
            await until_empty(broker)
            async with hub_of(broker, store, told=False) as hub:
                await sending(range(before, before + opened_at))
                rest = asyncio.create_task(
                    sending(range(before + opened_at, before + opened_at + total))
                )
                tail = await hub.open(Everything(), backfill=100)
                await rest
                count = before + opened_at + total
                rows = texts(await rows_of(tail, count)) if count else []
                assert sorted(rows, key=int) == [f"{number}" for number in range(count)]
                tail.close()

    async def test_twins_are_both_shown(self, broker: MemoryBroker) -> None:
        """Equal records, one stored and one not yet, are two records."""
        inner = MemoryStore()
        store = FaultyStore(inner)
        async with hub_of(broker, store) as hub, working(broker, store, hub):
            await send(broker, ["twin"])
            await until_empty(broker)
            store.gate.clear()
            await send(broker, ["twin"])
            await until(lambda: len(store.inserts) == 2)
            tail = await hub.open(Everything(), backfill=10)
            assert texts(await rows_of(tail, 2)) == ["twin", "twin"]
            store.gate.set()

    async def test_a_group_stored_during_the_search(self, broker: MemoryBroker) -> None:
        """A record that reaches the store between the look at the ring and the search is not
        shown again."""

        class Slow(FaultyStore):
            async def search(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]  # adds a wait, keeps the rest
                self.gate.set()
                await until_empty(broker)
                return await super().search(*args, **kwargs)  # type: ignore[arg-type]  # as above

        store = Slow(MemoryStore())
        async with hub_of(broker, store) as hub, working(broker, store, hub):
            store.gate.clear()
            await send(broker, ["a"], ["b"])
            await until(lambda: len(store.inserts) == 1)
            tail = await hub.open(Everything(), backfill=10)
            await send(broker, ["c"])
            assert texts(await rows_of(tail, 3)) == ["a", "b", "c"]

    async def test_a_store_that_is_down_makes_it_incomplete(self, broker: MemoryBroker) -> None:
        """The tail opens all the same, with what the ring has, and says that more may be."""
        store = FaultyStore(MemoryStore())
        async with hub_of(broker, store) as hub:
            await send(broker, ["a"])
            await asyncio.sleep(0.02)
            store.down = True
            tail = await hub.open(Everything(), backfill=10)
            assert texts(await rows_of(tail, 1)) == ["a"]
            assert not tail.status().backfill_complete

    @given(data=st.data(), seed=st.integers(0, 1000))
    async def test_no_gap_and_no_repetition(self, data: st.DataObject, seed: int) -> None:
        """Opened at any moment while records are written, grouped and stored, a tail with a long
        enough backfill shows every record exactly once, whatever the ring still holds."""
        rng = random.Random(seed)
        ring_bytes = data.draw(st.sampled_from([1, 1 << 24]))
        count = data.draw(st.integers(1, 30))
        opened_after = data.draw(st.integers(0, count))
        broker, store = memory_broker(SYSTEM_CLOCK), MemoryStore()
        sent = [f"{i}" for i in range(count)]
        async with hub_of(broker, store, ring_bytes=ring_bytes) as hub, working(broker, store, hub):

            async def write() -> None:
                for i, text in enumerate(sent):
                    await send(broker, [text, "twin"])
                    if i % 3 == 0:
                        await asyncio.sleep(rng.choice([0, 0.001, 0.005]))

            writer = asyncio.create_task(write())
            for _ in range(opened_after):
                await asyncio.sleep(0)
            tail = await hub.open(Everything(), backfill=1000)
            await writer
            complete = tail.status().backfill_complete
            seen: Counter[str] = Counter()
            keys: list[str] = []
            async with asyncio.timeout(10):
                while seen.total() < 2 * count:
                    event = await anext(tail)
                    if isinstance(event, Rows):
                        seen.update(texts(list(event.rows)))
                        keys += [row.key for row in event.rows]
                    elif not complete and event.waiting == 0:
                        break
            await until_empty(broker)
        assert len(keys) == len(set(keys))
        expected = Counter([*sent, *["twin"] * count])
        assert seen <= expected
        if complete:
            assert seen == expected
