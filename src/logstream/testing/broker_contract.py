"""The broker's laws as tests: subclass `BrokerContract` and say how a broker is made.

::

    class TestMyBroker(BrokerContract):
        @pytest.fixture
        def make(self, tmp_path): ...
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import pytest

from logstream.broker.base import Broker, Consumer, DeadLetter, Entry, Group, Message, Position
from logstream.clock import NS_PER_S
from logstream.errors import BrokerFull, BrokerUnavailable, LogStreamError

__all__ = ["BrokerContract", "HandClock", "MakeBroker", "message", "read_all"]

_MB = 1_000_000
_READ_S = 5.0


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start_ns: int = 1_700_000_000 * NS_PER_S) -> None:
        self.now_ns = start_ns
        self.elapsed_s = 0.0

    def time_ns(self) -> int:
        return self.now_ns

    def monotonic_s(self) -> float:
        return self.elapsed_s

    def pass_s(self, seconds: float) -> None:
        self.elapsed_s += seconds
        self.now_ns += int(seconds * NS_PER_S)


class MakeBroker(Protocol):
    """Makes brokers; each call within a test opens the *same* data again."""

    def __call__(
        self,
        *,
        capacity_bytes: int = 100 * _MB,
        dedup_window_s: float = 3600.0,
        dead_letter_bytes: int = _MB,
        clock: HandClock | None = None,
    ) -> Broker: ...


def message(number: int, *, dedup_id: bytes = b"", size: int = 20) -> Message:
    """A message that can be told from others by its payload."""
    return Message(
        payload=b"%d." % number + b"x" * size,
        rows=number % 7 + 1,
        received_ns=1_700_000_000 * NS_PER_S + number,
        dedup_id=dedup_id,
    )


async def read_all(consumer: Consumer, count: int, *, max_bytes: int = 10 * _MB) -> list[Entry]:
    """Read until there are ``count`` entries, or nothing comes for a long time."""
    entries: list[Entry] = []
    while len(entries) < count:
        more = await consumer.read(max_bytes=max_bytes, wait_s=_READ_S)
        if not more:
            break
        entries += more
    return entries


def messages_of(entries: Sequence[Entry]) -> list[Message]:
    return [entry.message for entry in entries]


class BrokerContract:
    """Every law of `logstream.broker.base`, one test each."""

    many_consumers = False
    """Whether several consumers may be open at once."""

    @pytest.fixture
    def make(self) -> MakeBroker:
        raise NotImplementedError("say how this broker is made")

    # No loss, order

    async def test_what_was_appended_is_read(self, make: MakeBroker) -> None:
        """Messages come out whole, in the order of their appends, numbered from 0."""
        sent = [message(n, dedup_id=b"%d" % n if n % 2 else b"") for n in range(50)]
        async with make() as broker, await broker.producer() as producer:
            places = await asyncio.gather(*(producer.append(each) for each in sent))
            async with await broker.consumer() as consumer:
                entries = await read_all(consumer, 50)
        assert messages_of(entries) == sent
        assert [entry.position for entry in entries] == places
        assert [place.sequence for place in places] == list(range(50))

    async def test_submitting_is_appending(self, make: MakeBroker) -> None:
        """What is handed over with a call-back is told once where it stands, in its turn."""
        sent = [message(n) for n in range(50)]
        told: list[Position | LogStreamError] = []
        async with make() as broker, await broker.producer() as producer:
            for each in sent:
                producer.submit(each, told.append)
            assert not told, "told before the call returned"
            async with await broker.consumer() as consumer:
                entries = await read_all(consumer, 50)
        assert messages_of(entries) == sent
        assert told == [entry.position for entry in entries]

    async def test_empty_and_large_payloads(self, make: MakeBroker) -> None:
        """A payload may be empty or of megabytes."""
        sent = [message(1, size=3 * _MB), Message(payload=b"", rows=0, received_ns=0)]
        async with make() as broker, await broker.producer() as producer:
            for each in sent:
                await producer.append(each)
            async with await broker.consumer() as consumer:
                assert messages_of(await read_all(consumer, 2)) == sent

    async def test_writers_are_read_together(self, make: MakeBroker) -> None:
        """The entries of several producers all come, each producer's in order."""
        async with make() as broker:
            producers = [await broker.producer() for _ in range(3)]
            for n in range(30):
                await producers[n % 3].append(message(n))
            async with await broker.consumer() as consumer:
                entries = await read_all(consumer, 30, max_bytes=100)
            for producer in producers:
                await producer.close()
        writers = {entry.position.writer for entry in entries}
        assert len(writers) == 3
        for writer in writers:
            own = [e.position.sequence for e in entries if e.position.writer == writer]
            assert own == list(range(10))
        assert sorted(m.received_ns for m in messages_of(entries)) == [
            message(n).received_ns for n in range(30)
        ]

    async def test_reading_waits_for_the_first(self, make: MakeBroker) -> None:
        """A read that finds nothing returns when something comes, or empty when time is up."""
        async with (
            make() as broker,
            await broker.producer() as producer,
            await broker.consumer() as consumer,
        ):
            assert await consumer.read(max_bytes=_MB, wait_s=0.01) == []
            reading = asyncio.create_task(consumer.read(max_bytes=_MB, wait_s=_READ_S))
            await asyncio.sleep(0)
            await producer.append(message(1))
            assert messages_of(await reading) == [message(1)]

    async def test_reads_are_bounded(self, make: MakeBroker) -> None:
        """A read returns at most the bytes asked for, but one entry at least."""
        async with make() as broker, await broker.producer() as producer:
            for n in range(4):
                await producer.append(message(n, size=1000))
            async with await broker.consumer() as consumer:
                assert len(await consumer.read(max_bytes=1, wait_s=_READ_S)) == 1
                assert len(await consumer.read(max_bytes=2500, wait_s=_READ_S)) == 2

    # Groups

    async def test_a_group_is_what_was_read(self, make: MakeBroker) -> None:
        """fix() takes all that was read, in reading order, under a number that grows."""
        async with (
            make() as broker,
            await broker.producer() as producer,
            await broker.consumer() as consumer,
        ):
            numbers = []
            for n in range(3):
                await producer.append(message(n))
                entries = await read_all(consumer, 1)
                group = await consumer.fix(entries)
                assert group == Group(number=group.number, entries=tuple(entries))
                numbers.append(group.number)
                await consumer.ack(group)
        assert sorted(set(numbers)) == numbers
        assert all(0 < number < 1 << 44 for number in numbers)

    async def test_only_what_was_read_can_be_fixed(self, make: MakeBroker) -> None:
        """fix() of nothing, of a part, or of something else is a mistake that is told."""
        async with make() as broker, await broker.producer() as producer:
            await producer.append(message(1))
            await producer.append(message(2))
            async with await broker.consumer() as consumer:
                entries = await read_all(consumer, 2)
                for wrong in ([], entries[:1], entries[::-1]):
                    with pytest.raises(ValueError, match="entries"):
                        await consumer.fix(wrong)
                assert (await consumer.fix(entries)).entries == tuple(entries)

    async def test_an_unfinished_group_comes_back(self, make: MakeBroker) -> None:
        """A group fixed and not acknowledged comes back the same, marked, before anything new."""
        async with make() as broker:
            producers = [await broker.producer() for _ in range(2)]
            consumer = await broker.consumer()
            assert await consumer.unfinished() is None
            entries = []
            for n in range(0, 20, 2):
                # Out of order of receipt between the writers, so that the order must be kept.
                await producers[0].append(message(n))
                await producers[1].append(message(20 - n))
                entries += await consumer.read(max_bytes=_MB, wait_s=_READ_S)
            entries += await read_all(consumer, 20 - len(entries))
            group = await consumer.fix(entries)
            await producers[0].append(message(99))
            await consumer.close()
            async with await broker.consumer() as again:
                found = await again.unfinished()
                assert found == Group(number=group.number, entries=group.entries, replayed=True)
                await again.ack(found)
                assert await again.unfinished() is None
                assert messages_of(await read_all(again, 1)) == [message(99)]
            for producer in producers:
                await producer.close()

    async def test_what_was_read_and_not_fixed_is_read_again(self, make: MakeBroker) -> None:
        """Reading alone decides nothing."""
        async with make() as broker, await broker.producer() as producer:
            await producer.append(message(1))
            async with await broker.consumer() as consumer:
                first = await read_all(consumer, 1)
            async with await broker.consumer() as consumer:
                assert await consumer.unfinished() is None
                assert await read_all(consumer, 1) == first

    async def test_acknowledged_is_never_read_again(self, make: MakeBroker) -> None:
        """After ack() the entries are gone, for this consumer and the next, and from status."""
        async with make() as broker, await broker.producer() as producer:
            await producer.append(message(1))
            async with await broker.consumer() as consumer:
                group = await consumer.fix(await read_all(consumer, 1))
                await consumer.ack(group)
                await consumer.ack(group)
                assert await consumer.read(max_bytes=_MB, wait_s=0.01) == []
            async with await broker.consumer() as consumer:
                assert await consumer.unfinished() is None
                assert await consumer.read(max_bytes=_MB, wait_s=0.01) == []
            assert (await broker.status()).entries == 0

    async def test_groups_may_overlap(self, make: MakeBroker) -> None:
        """Several groups may be under way; one acknowledged early is not replayed."""
        async with make() as broker, await broker.producer() as producer:
            consumer = await broker.consumer()
            groups = []
            for n in range(3):
                await producer.append(message(n))
                groups.append(await consumer.fix(await read_all(consumer, 1)))
            await consumer.ack(groups[1])
            # Some brokers let entries go only with all that stand before them.
            assert (await broker.status()).entries in (2, 3)
            await consumer.close()
            async with await broker.consumer() as again:
                for expected in (groups[0], groups[2]):
                    found = await again.unfinished()
                    assert found is not None
                    assert found.entries == expected.entries
                    await again.ack(found)
                assert await again.unfinished() is None
                assert await again.read(max_bytes=_MB, wait_s=0.01) == []
            assert (await broker.status()).entries == 0

    async def test_one_consumer_at_a_time(self, make: MakeBroker) -> None:
        """A second consumer is refused with words, until the first is closed."""
        if self.many_consumers:
            pytest.skip("this broker has many consumers")
        async with make() as broker:
            first = await broker.consumer()
            with pytest.raises(BrokerUnavailable, match="process"):
                await broker.consumer()
            await first.close()
            await (await broker.consumer()).close()

    async def test_many_consumers_share(self, make: MakeBroker) -> None:
        """Where there are many consumers each entry is given to one, and their groups' numbers
        differ; a group that one leaves behind comes to another while that is at work."""
        if not self.many_consumers:
            pytest.skip("this broker has one consumer")
        async with make() as broker, await broker.producer() as producer:
            sent = [message(n, size=1000) for n in range(20)]
            for each in sent:
                await producer.append(each)
            first, second = await broker.consumer(), await broker.consumer()
            ones = await first.read(max_bytes=4000, wait_s=_READ_S)
            others = await read_all(second, 1, max_bytes=2000)
            left = await first.fix(ones)
            await first.close()
            kept = await second.fix(others)
            assert left.number != kept.number
            assert not {e.position for e in ones} & {e.position for e in others}
            async with asyncio.timeout(_READ_S):
                while not second.has_unfinished():  # noqa: ASYNC110 – others' time, not ours
                    await asyncio.sleep(0.01)
            found = await second.unfinished()
            assert found == Group(number=left.number, entries=left.entries, replayed=True)
            await second.ack(found)
            assert await second.unfinished() is None
            await second.ack(kept)
            rest = await read_all(second, 20 - len(ones) - len(others))
            all_read = messages_of([*ones, *others, *rest])
            assert sorted(m.received_ns for m in all_read) == [m.received_ns for m in sent]
            await second.close()

    # Dedup ids

    async def test_a_repeated_request_is_left_out(self, make: MakeBroker) -> None:
        """Of entries with one dedup id the first is in a group, later ones are counted."""
        async with (
            make() as broker,
            await broker.producer() as producer,
            await broker.consumer() as consumer,
        ):
            for n in range(3):
                await producer.append(message(n, dedup_id=b"same"))
            first = await consumer.fix(await read_all(consumer, 3))
            assert messages_of(first.entries) == [message(0, dedup_id=b"same")]
            assert first.duplicates == 2
            await consumer.ack(first)
            await producer.append(message(3, dedup_id=b"same"))
            second = await consumer.fix(await read_all(consumer, 1))
            assert (second.entries, second.duplicates) == ((), 1)
            await consumer.ack(second)

    async def test_a_replay_leaves_out_the_same(self, make: MakeBroker) -> None:
        """What was left out of a group is left out of its replay; what was in it stays in."""
        async with make() as broker, await broker.producer() as producer:
            for n in range(4):
                await producer.append(message(n, dedup_id=b"%d" % (n % 2)))
            consumer = await broker.consumer()
            group = await consumer.fix(await read_all(consumer, 4))
            await consumer.close()
            async with await broker.consumer() as again:
                found = await again.unfinished()
                assert found is not None
                assert found.entries == group.entries
                assert found.duplicates == group.duplicates == 2

    async def test_equal_messages_without_an_id_are_both_kept(self, make: MakeBroker) -> None:
        """Nothing is ever called a duplicate for its content."""
        async with make() as broker, await broker.producer() as producer:
            await producer.append(message(1))
            await producer.append(message(1))
            async with await broker.consumer() as consumer:
                group = await consumer.fix(await read_all(consumer, 2))
                assert messages_of(group.entries) == [message(1), message(1)]

    async def test_dedup_ids_are_forgotten_after_the_window(self, make: MakeBroker) -> None:
        """An id may be used again when the window is over, and not a moment before."""
        clock = HandClock()
        async with (
            make(clock=clock, dedup_window_s=60) as broker,
            await broker.producer() as producer,
            await broker.consumer() as consumer,
        ):
            duplicates = []
            for pause_s in (0, 59, 2, 59):
                clock.pass_s(pause_s)
                await producer.append(message(1, dedup_id=b"id"))
                group = await consumer.fix(await read_all(consumer, 1))
                duplicates.append(group.duplicates)
                await consumer.ack(group)
        assert duplicates == [0, 1, 0, 1]

    # Backpressure

    async def test_a_full_broker_refuses(self, make: MakeBroker) -> None:
        """From the high-water mark on nothing is taken and nothing dropped, until there is room."""
        async with make(capacity_bytes=10_000) as broker, await broker.producer() as producer:
            producer.check_room()
            kept = 0
            while (await broker.status()).bytes < 10_000:
                await producer.append(message(kept, size=1000))
                kept += 1
            assert 8 <= kept <= 10
            with pytest.raises(BrokerFull) as refusal:
                await producer.append(message(99))
            assert refusal.value.retry_after_s > 0
            assert "broker_capacity" in refusal.value.hint
            with pytest.raises(BrokerFull):
                producer.check_room()
            async with await broker.consumer() as consumer:
                group = await consumer.fix(await read_all(consumer, kept))
                assert messages_of(group.entries) == [message(n, size=1000) for n in range(kept)]
                with pytest.raises(BrokerFull):
                    await producer.append(message(100))
                await consumer.ack(group)
                place = await producer.append(message(101))
                producer.check_room()
                assert place.sequence == kept
                assert messages_of(await read_all(consumer, 1)) == [message(101)]

    async def test_early_refusal_ends_by_itself(self, make: MakeBroker) -> None:
        """check_room() lets requests in again without anybody having appended."""
        async with make(capacity_bytes=1000) as broker, await broker.producer() as producer:
            await producer.append(message(1, size=1000))
            with pytest.raises(BrokerFull):
                producer.check_room()
            async with await broker.consumer() as consumer:
                await consumer.ack(await consumer.fix(await read_all(consumer, 1)))
            async with asyncio.timeout(_READ_S):
                while True:
                    try:
                        producer.check_room()
                        break
                    except BrokerFull:
                        await asyncio.sleep(0.01)

    # Waiting until stored

    async def test_wait_stored(self, make: MakeBroker) -> None:
        """wait_stored() answers true once the group is acknowledged, false when time is up."""
        async with make() as broker, await broker.producer() as producer:
            place = await producer.append(message(1))
            assert not await producer.wait_stored(place, timeout_s=0.01)
            async with await broker.consumer() as consumer:
                waiting = asyncio.create_task(producer.wait_stored(place, timeout_s=_READ_S))
                group = await consumer.fix(await read_all(consumer, 1))
                assert not waiting.done()
                await consumer.ack(group)
                assert await waiting
            assert await producer.wait_stored(place, timeout_s=0)
            later = Position(place.writer, place.sequence + 1)
            assert not await producer.wait_stored(later, timeout_s=0)

    # Followers

    async def test_a_follower_sees_all_from_now_on(self, make: MakeBroker) -> None:
        """A follower reads what comes after it was opened, once, and takes nothing away."""
        async with make() as broker, await broker.producer() as producer:
            await producer.append(message(0))
            async with await broker.follower() as follower, await broker.consumer() as consumer:
                for n in range(1, 5):
                    await producer.append(message(n))
                async with await broker.producer() as late:
                    await late.append(message(5))
                seen: list[Entry] = []
                while len(seen) < 5:
                    seen += await follower.read(max_bytes=50, wait_s=_READ_S)
                assert await follower.read(max_bytes=_MB, wait_s=0.01) == []
                assert sorted(m.received_ns for m in messages_of(seen)) == [
                    message(n).received_ns for n in range(1, 6)
                ]
                assert follower.missed == 0
                assert len(await read_all(consumer, 6)) == 6

    # Status, dead letters, the end

    async def test_status_counts_what_is_not_acknowledged(self, make: MakeBroker) -> None:
        """status() counts entries, rows and bytes until they are acknowledged."""
        async with make(capacity_bytes=_MB) as broker, await broker.producer() as producer:
            empty = await broker.status()
            assert (empty.entries, empty.rows, empty.bytes) == (0, 0, 0)
            assert empty.oldest_received_ns is None
            assert empty.capacity_bytes == _MB
            assert empty.durability
            sent = [message(n) for n in range(3)]
            for each in sent:
                await producer.append(each)
            async with await broker.consumer() as consumer:
                entries = await consumer.read(max_bytes=len(sent[0].payload), wait_s=_READ_S)
                group = await consumer.fix(entries)
                full = await broker.status()
                assert full.entries == 3
                assert full.rows == sum(each.rows for each in sent)
                assert full.bytes >= sum(len(each.payload) for each in sent)
                assert full.oldest_received_ns == sent[0].received_ns
                await consumer.ack(group)
                less = await broker.status()
                assert less.entries == 2
                assert less.rows == sent[1].rows + sent[2].rows
                assert less.oldest_received_ns == sent[1].received_ns

    async def test_dead_letters(self, make: MakeBroker) -> None:
        """Letters are kept newest first, found again by id, removed once; the oldest give way."""
        letters = [
            DeadLetter(payload=b"x" * 100, rows=n, reason="no", at_ns=n) for n in range(1, 6)
        ]
        async with make(dead_letter_bytes=350) as broker:
            assert await broker.dead_letters(limit=10) == []
            async with await broker.consumer() as consumer:
                await consumer.dead_letter(letters[:2])
                await consumer.dead_letter(letters[2:])
            found = await broker.dead_letters(limit=10)
            assert [letter.rows for letter in found] == [5, 4, 3]
            assert found[0].payload == b"x" * 100
            assert found[0].reason == "no"
            assert [x.rows for x in await broker.dead_letters(limit=1)] == [5]
            status = await broker.status()
            assert status.dead_letters == 3
            assert any("dead_letter_bytes" in warning for warning in status.warnings)
            assert await broker.remove_dead_letters([found[1].id, "no such letter"]) == 1
            assert await broker.remove_dead_letters([found[1].id]) == 0
            assert [letter.rows for letter in await broker.dead_letters(limit=10)] == [5, 3]

    async def test_closing_finishes_what_was_promised(self, make: MakeBroker) -> None:
        """close() lets appends under way be kept, may be called again, and ends the rest."""
        async with make() as broker:
            producer = await broker.producer()
            under_way = [asyncio.create_task(producer.append(message(n))) for n in range(5)]
            await asyncio.sleep(0)
            await producer.close()
            await producer.close()
            assert len(await asyncio.gather(*under_way)) == 5
            with pytest.raises(BrokerUnavailable):
                await producer.append(message(9))
            with pytest.raises(BrokerUnavailable):
                producer.check_room()
            consumer = await broker.consumer()
            assert len(await read_all(consumer, 5)) == 5
            await consumer.close()
            await consumer.close()
            with pytest.raises(BrokerUnavailable):
                await consumer.read(max_bytes=1, wait_s=0)
            follower = await broker.follower()
            await follower.close()
            await follower.close()
            with pytest.raises(BrokerUnavailable):
                await follower.read(max_bytes=1, wait_s=0)

    async def test_a_caller_that_gives_up_disturbs_nobody(self, make: MakeBroker) -> None:
        """A cancelled append may be kept or not; its neighbours are."""
        async with make() as broker, await broker.producer() as producer:
            tasks = [asyncio.create_task(producer.append(message(n))) for n in range(3)]
            await asyncio.sleep(0)
            tasks[1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            async with await broker.consumer() as consumer:
                found = messages_of(await read_all(consumer, 2))
                found += messages_of(await consumer.read(max_bytes=_MB, wait_s=0.01))
        assert message(0) in found
        assert message(2) in found
