"""The Redis broker against a plain model: workers die, Redis dies, groups and answers are lost."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    rule,
    run_state_machine_as_test,
)

from logstream.broker.base import Entry, Group, Message
from logstream.broker.redis.consumer import RedisConsumer
from logstream.errors import LeaseLost
from tests.broker.redis_support import LossyLine, patiently, redis_broker
from tests.servers.redis import RedisServer

_Result = TypeVar("_Result")

_PRODUCERS = 2
_WORKERS = 2
_SHARDS = 2
_SIZES = st.lists(st.integers(0, 150), min_size=1, max_size=4)
_IDS = st.sampled_from([b"", b"", b"a", b"b", b"c"])
_WHO = st.integers(0, _WORKERS - 1)
_PREFIXES = itertools.count()


class RedisBrokerMachine(RuleBasedStateMachine):
    server: RedisServer

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.line = LossyLine(self.server.port, seed=1)
        self.run(self.line.open())
        self.prefix = f"machine{next(_PREFIXES)}"
        self.broker = redis_broker(
            self.line.url, prefix=self.prefix, shards=_SHARDS, lease_s=60.0, give_up_s=20.0
        )
        self.count = 0
        self.promised: set[bytes] = set()
        self.sent: set[bytes] = set()
        self.grouped: list[Entry] = []
        self.dropped = 0
        self.last_number = 0
        self.orphans: dict[int, Group] = {}
        self.doubtful: list[list[Entry]] = []
        self.perhaps_done: set[int] = set()
        self.open: list[dict[int, Group]] = [{} for _ in range(_WORKERS)]
        self.read: list[list[Entry]] = [[] for _ in range(_WORKERS)]
        self.producers = [self.run(self.broker.producer()) for _ in range(_PRODUCERS)]
        self.consumers = [self.join() for _ in range(_WORKERS)]

    def run(self, call: Coroutine[Any, Any, _Result]) -> _Result:
        return self.loop.run_until_complete(call)

    def join(self) -> RedisConsumer:
        while True:
            try:
                consumer = self.run(patiently(self.broker.consumer))
            except LeaseLost:
                continue
            assert isinstance(consumer, RedisConsumer)
            return consumer

    def ask(self, who: int, call: Callable[..., Awaitable[Any]], *args: Any, **named: Any) -> Any:
        """What a worker's call answers; ``None`` when it lost its lease, and was replaced."""
        try:
            return self.run(patiently(call, *args, **named))
        except LeaseLost:
            self.run(self.consumers[who].close())
            self.replace(who)
            return None

    def replace(self, who: int) -> None:
        self.orphans |= self.open[who]
        self.open[who], self.read[who] = {}, []
        self.consumers[who] = self.join()

    @rule(which=st.integers(0, _PRODUCERS - 1), sizes=_SIZES, dedup_id=_IDS)
    def appends(self, which: int, sizes: list[int], dedup_id: bytes) -> None:
        messages = []
        for size in sizes:
            self.count += 1
            payload = b"%d." % self.count + b"x" * size
            messages.append(
                Message(payload=payload, rows=1, received_ns=self.count, dedup_id=dedup_id)
            )
        self.sent |= {each.payload for each in messages}

        async def append() -> None:
            await asyncio.gather(*(self.producers[which].append(each) for each in messages))

        self.run(append())
        self.promised |= {each.payload for each in messages}

    @rule(who=_WHO, max_bytes=st.integers(1, 1000))
    def reads(self, who: int, max_bytes: int) -> None:
        entries = self.ask(who, self.consumers[who].read, max_bytes=max_bytes, wait_s=0)
        self.read[who] += entries or []

    @rule(who=_WHO)
    def fixes(self, who: int) -> None:
        if not self.read[who]:
            return
        read = self.read[who]
        group = self.ask(who, self.consumers[who].fix, read)
        if group is None:
            self.doubtful.append(read)
            return
        assert group.number > self.last_number
        assert len(group.entries) + group.duplicates == len(read)
        self.last_number = group.number
        self.grouped += group.entries
        self.dropped += group.duplicates
        self.open[who][group.number] = group
        self.read[who] = []

    @rule(who=_WHO, which=st.integers(0, 3))
    def acknowledges(self, who: int, which: int) -> None:
        if self.open[who]:
            number = sorted(self.open[who])[which % len(self.open[who])]
            self.acknowledge(who, self.open[who][number])

    def acknowledge(self, who: int, group: Group) -> None:
        async def ack() -> bool:
            await self.consumers[who].ack(group)
            return True

        self.perhaps_done.add(group.number)
        if self.ask(who, ack):
            self.perhaps_done.discard(group.number)
            self.open[who].pop(group.number, None)

    @rule(who=_WHO)
    def takes_over(self, who: int) -> None:
        group = self.ask(who, self.consumers[who].unfinished)
        if group is None:
            return
        expected = self.orphans.pop(group.number, None)
        for held in self.open:  # of a worker that has not heard yet that its lease is lost
            expected = expected or held.pop(group.number, None)
        if expected is None:
            expected = self.fixed_unheard(group)
        assert group.replayed
        assert (group.entries, group.duplicates) == (expected.entries, expected.duplicates)
        self.open[who][group.number] = expected
        self.acknowledge(who, group)

    def fixed_unheard(self, group: Group) -> Group:
        """Its worker lost the answer, and then its lease before it could ask again."""
        places = {entry.position for entry in group.entries}
        count = len(group.entries) + group.duplicates
        assert any(
            count == len(read) and places <= {entry.position for entry in read}
            for read in self.doubtful
        )
        self.grouped += group.entries
        self.dropped += group.duplicates
        self.last_number = max(self.last_number, group.number)
        return group

    @rule(who=_WHO)
    def worker_dies(self, who: int) -> None:
        """Nothing is said to Redis; that its lease runs out comes at once."""
        consumer = self.consumers[who]
        assert consumer._keeper is not None
        consumer._keeper.cancel()
        self.server.ask("ZREM", f"{{{self.prefix}}}:workers", consumer._lease.worker)
        self.replace(who)

    @rule()
    def redis_dies(self) -> None:
        self.server.kill()
        self.server.start()

    @rule(shard=st.integers(0, _SHARDS - 1))
    def a_consumer_group_is_lost(self, shard: int) -> None:
        epoch = self.server.ask("HGET", f"{{{self.prefix}}}:meta", "epoch")
        self.server.ask("XGROUP", "DESTROY", f"{{{self.prefix}:{shard}}}:log", f"workers-{epoch}")

    @rule(share=st.sampled_from([0.0, 0.2, 0.2]))
    def the_line_changes(self, share: float) -> None:
        self.line.share = share

    def teardown(self) -> None:
        try:
            self.line.share = 0.0
            self.drain()
            self.check_ledger()
        finally:
            for end in (*self.producers, *self.consumers, self.broker):
                self.run(end.close())
            self.run(self.line.close())
            self.run(asyncio.sleep(0))
            self.loop.close()

    def drain(self) -> None:
        for _ in range(200):
            for who in range(_WORKERS):
                self.takes_over(who)
                self.reads(who, 100_000)
                self.fixes(who)
                for group in list(self.open[who].values()):
                    self.acknowledge(who, group)
            status = self.run(patiently(self.broker.status))
            left = self.orphans.keys() - self.perhaps_done
            if not status.entries and not left and not any(self.read):
                break
        assert (status.entries, status.rows, status.bytes) == (0, 0, 0)
        assert not left

    def check_ledger(self) -> None:
        """Every promise was kept, and nothing came twice or from nowhere."""
        payloads = [entry.message.payload for entry in self.grouped]
        assert len(payloads) == len(set(payloads))
        assert set(payloads) <= self.sent
        ids = [e.message.dedup_id for e in self.grouped if e.message.dedup_id]
        assert len(ids) == len(set(ids))
        missing = self.promised - set(payloads)
        assert len(missing) == self.dropped


@pytest.mark.timeout(300)
def test_any_sequence_keeps_the_contract(own_redis: RedisServer) -> None:
    """Any sequence of appends, reads, groups, deaths and losses keeps the contract."""
    machine = type("Machine", (RedisBrokerMachine,), {"server": own_redis})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=60,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # What the line loses is not the same again: there is nothing to shrink or to repeat.
            phases=[Phase.generate],
            database=None,
        ),
    )
