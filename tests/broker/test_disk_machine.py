"""The disk broker against a plain model, under crashes, power cuts and a failing disk."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from logstream.broker.base import Entry, Group, Message
from logstream.broker.disk.recovery import ACKED, MARK
from logstream.errors import BrokerUnavailable
from tests.broker.support import (
    RefusingDisk,
    crash_consumer,
    crash_producer,
    leave_unsynced,
    make_broker,
    segments,
)

_Result = TypeVar("_Result")

# Logic is what is tested here: a folder in memory spares the disk some ten thousand syncs.
_IN_MEMORY = Path("/dev/shm")
_WRITERS = 2
_SIZES = st.lists(st.integers(0, 150), min_size=1, max_size=4)
_IDS = st.sampled_from([b"", b"", b"a", b"b", b"c"])


class DiskBrokerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None))
        self.loop = asyncio.new_event_loop()
        self.disk = RefusingDisk()
        self.count = 0
        self.promised: dict[str, list[bytes]] = {}  # by writer, in order
        self.sent: set[bytes] = set()
        self.grouped: list[Entry] = []  # of all groups ever fixed, without the replays
        self.dropped = 0
        self.open_groups: list[Group] = []
        self.read_entries: list[Entry] = []
        self.last_number = 0
        self.start()

    def run(self, call: Coroutine[Any, Any, _Result]) -> _Result:
        return self.loop.run_until_complete(call)

    def start(self) -> None:
        self.broker = make_broker(self.folder / "broker", segment_bytes=500, disk=self.disk)
        self.producers = [self.run(self.broker.producer()) for _ in range(_WRITERS)]
        self.consumer = self.run(self.broker.consumer())

    def message(self, size: int, dedup_id: bytes = b"") -> Message:
        self.count += 1
        payload = b"%d." % self.count + b"x" * size
        self.sent.add(payload)
        return Message(payload=payload, rows=1, received_ns=self.count % 5, dedup_id=dedup_id)

    async def append(self, which: int, messages: list[Message]) -> None:
        results = await asyncio.gather(
            *(self.producers[which].append(each) for each in messages), return_exceptions=True
        )
        for message, result in zip(messages, results, strict=True):
            if isinstance(result, BaseException):
                assert isinstance(result, BrokerUnavailable), result
            else:
                self.promised.setdefault(result.writer, []).append(message.payload)

    # What a healthy system does

    @rule(which=st.integers(0, _WRITERS - 1), sizes=_SIZES, dedup_id=_IDS)
    def appends(self, which: int, sizes: list[int], dedup_id: bytes) -> None:
        self.run(self.append(which, [self.message(size, dedup_id) for size in sizes]))

    @rule(max_bytes=st.integers(1, 1000))
    def reads(self, max_bytes: int) -> None:
        self.read_entries += self.run(self.consumer.read(max_bytes=max_bytes, wait_s=0))

    @precondition(lambda self: self.read_entries)
    @rule()
    def fixes(self) -> None:
        group = self.run(self.consumer.fix(self.read_entries))
        assert group.number > self.last_number
        assert len(group.entries) + group.duplicates == len(self.read_entries)
        self.last_number = group.number
        self.grouped += group.entries
        self.dropped += group.duplicates
        self.open_groups.append(group)
        self.read_entries = []

    @precondition(lambda self: self.open_groups)
    @rule(which=st.integers(0, 2))
    def acknowledges(self, which: int) -> None:
        group = self.open_groups.pop(which % len(self.open_groups))
        self.run(self.consumer.ack(group))

    # What goes wrong

    @rule(
        which=st.integers(0, _WRITERS - 1),
        sizes=_SIZES,
        call=st.sampled_from(["create", "write", "sync", "sync_folder"]),
    )
    def appends_to_a_failing_disk(self, which: int, sizes: list[int], call: str) -> None:
        self.disk.refuses = call
        self.run(self.append(which, [self.message(size) for size in sizes]))
        self.disk.refuses = ""
        assert self.disk.synced_after_failure == []

    @rule()
    def consumer_crashes(self) -> None:
        crash_consumer(self.consumer)
        self.consumer = self.run(self.broker.consumer())
        self.check_replay()

    @rule(which=st.integers(0, _WRITERS - 1), sizes=_SIZES, keep=st.floats(0, 1))
    def producer_crashes(self, which: int, sizes: list[int], keep: float) -> None:
        leave_unsynced(self.producers[which], [self.message(size) for size in sizes], keep)
        crash_producer(self.producers[which])
        self.disk.forget()
        self.producers[which] = self.run(self.broker.producer())

    @rule(
        sizes=_SIZES,
        keep=st.floats(0, 1),
        marks_lost=st.booleans(),
        consumer_first=st.booleans(),
    )
    def power_fails(
        self, sizes: list[int], keep: float, marks_lost: bool, consumer_first: bool
    ) -> None:
        for producer in self.producers:
            leave_unsynced(producer, [self.message(size) for size in sizes], keep)
            crash_producer(producer)
        crash_consumer(self.consumer)
        self.disk.forget()
        self.run(self.broker.close())
        if marks_lost:
            for name in (MARK, ACKED):
                for path in (self.folder / "broker" / "writers").glob(f"*/{name}"):
                    path.write_bytes(b"")
        if consumer_first:
            broker = make_broker(self.folder / "broker", disk=self.disk)
            crash_consumer(self.run(broker.consumer()))
            self.run(broker.close())
        self.start()
        self.check_replay()

    def check_replay(self) -> None:
        """What was fixed and not acknowledged comes back equal; what was only read is forgotten."""
        self.read_entries = []
        replayed = []
        while (group := self.run(self.consumer.unfinished())) is not None:
            assert group.replayed
            replayed.append((group.number, group.entries, group.duplicates))
            self.run(self.consumer.ack(group))
        expected = [(each.number, each.entries, each.duplicates) for each in self.open_groups]
        assert replayed == sorted(expected)
        self.open_groups = []

    @invariant()
    def nothing_is_called_damaged(self) -> None:
        assert self.broker._folder.quarantine.count() == 0

    def teardown(self) -> None:
        try:
            self.drain()
            self.check_ledger()
        finally:
            for end in (*self.producers, self.consumer, self.broker):
                self.run(end.close())
            self.loop.close()
            shutil.rmtree(self.folder)

    def drain(self) -> None:
        while entries := self.run(self.consumer.read(max_bytes=1000, wait_s=0)):
            self.read_entries += entries
        if self.read_entries:
            self.fixes()
        while self.open_groups:
            self.acknowledges(0)
        status = self.run(self.broker.status())
        assert (status.entries, status.rows, status.bytes) == (0, 0, 0)
        for producer in self.producers:
            assert len(segments(self.folder / "broker", producer._slot)) <= 1

    def check_ledger(self) -> None:
        """Every promise was kept, in order, and nothing came twice or from nowhere."""
        payloads = [entry.message.payload for entry in self.grouped]
        assert len(payloads) == len(set(payloads))
        assert set(payloads) <= self.sent
        ids = [e.message.dedup_id for e in self.grouped if e.message.dedup_id]
        assert len(ids) == len(set(ids))
        found: dict[str, list[bytes]] = {}
        for entry in self.grouped:
            found.setdefault(entry.position.writer, []).append(entry.message.payload)
        missing = 0
        for writer, promised in self.promised.items():
            got = set(found.get(writer, []))
            kept = [payload for payload in promised if payload in got]
            wanted = set(promised)
            assert [p for p in found.get(writer, []) if p in wanted] == kept
            missing += len(promised) - len(kept)
        assert missing <= self.dropped
        if not self.dropped:
            assert missing == 0


@pytest.mark.timeout(300)
def test_any_sequence_keeps_the_contract() -> None:
    """Any sequence of appends, reads, groups, crashes and failures keeps the contract."""
    run_state_machine_as_test(
        DiskBrokerMachine,
        settings=settings(
            max_examples=80,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
