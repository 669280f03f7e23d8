"""Workers on Redis that are killed, stopped and woken: others finish what they had begun."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from logstream.broker.base import Consumer, Group, Position
from logstream.errors import LeaseLost
from logstream.testing.broker_contract import message, read_all
from tests.broker.redis_support import drain, messages_in, redis_broker
from tests.servers.redis import RedisServer

_MB = 1_000_000

_WORKER = """
import asyncio, json, sys
from logstream.broker.redis import RedisBroker
from logstream.errors import LogStreamError

async def main(url, prefix):
    broker = RedisBroker(url, prefix=prefix, capacity_bytes=1 << 30, dedup_window_s=60.0,
                         dead_letter_bytes=1 << 20, lease_s=0.5)
    consumer = await broker.consumer()
    group = await consumer.fix(await consumer.read(max_bytes=100, wait_s=5.0))
    await consumer.read(max_bytes=200, wait_s=5.0)
    places = [[e.position.writer, e.position.sequence] for e in group.entries]
    print(json.dumps([group.number, places]), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    try:
        await consumer.ack(group)
        print("acknowledged", flush=True)
    except LogStreamError as exc:
        print(type(exc).__name__, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


class _Other:
    """A worker in a process of its own, which has fixed a group, read more, and waits."""

    def __init__(self, url: str, prefix: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, url, prefix],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        number, places = json.loads(self.line())
        self.number: int = number
        self.positions = [Position(writer, sequence) for writer, sequence in places]

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def acknowledge(self) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return self.line()

    def end(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.communicate()


async def _taken_over(consumer: Consumer) -> Group:
    async with asyncio.timeout(20):
        while not consumer.has_unfinished():  # noqa: ASYNC110 – others' time, not ours
            await asyncio.sleep(0.02)
    group = await consumer.unfinished()
    assert group is not None
    return group


async def test_a_killed_worker_is_taken_over(redis_server: RedisServer) -> None:
    """kill -9 of a worker that has fixed a group and read more: another one, at work already,
    gets the group with its number and its entries, and what was only read as new."""
    async with (
        redis_broker(redis_server.url, prefix="killed", lease_s=0.5) as broker,
        await broker.producer() as producer,
    ):
        for n in range(30):
            await producer.append(message(n))
        other = await asyncio.to_thread(_Other, redis_server.url, "killed")
        try:
            consumer = await broker.consumer()
            assert await consumer.unfinished() is None
            other.process.kill()
            group = await _taken_over(consumer)
            assert group.replayed
            assert group.number == other.number
            assert [entry.position for entry in group.entries] == other.positions
            await consumer.ack(group)
            rest = await drain(consumer, 30 - len(group.entries), max_bytes=_MB)
            every = messages_in([group, *rest])
            assert sorted(m.received_ns for m in every) == [
                message(n).received_ns for n in range(30)
            ]
            assert (await broker.status()).entries == 0
            await consumer.close()
        finally:
            other.end()


async def test_a_stopped_worker_is_refused_when_it_wakes(redis_server: RedisServer) -> None:
    """SIGSTOP of a worker: its group goes to another; woken, it cannot acknowledge any more, nor
    take anything with it."""
    async with (
        redis_broker(redis_server.url, prefix="stopped", lease_s=0.5) as broker,
        await broker.producer() as producer,
    ):
        for n in range(30):
            await producer.append(message(n))
        other = await asyncio.to_thread(_Other, redis_server.url, "stopped")
        try:
            consumer = await broker.consumer()
            other.process.send_signal(signal.SIGSTOP)
            group = await _taken_over(consumer)
            assert group.number == other.number
            other.process.send_signal(signal.SIGCONT)
            assert await asyncio.to_thread(other.acknowledge) == "LeaseLost"
            await consumer.ack(group)
            rest = await drain(consumer, 30 - len(group.entries), max_bytes=_MB)
            every = messages_in([group, *rest])
            assert sorted(m.received_ns for m in every) == [
                message(n).received_ns for n in range(30)
            ]
            await consumer.close()
        finally:
            other.end()


async def test_a_slow_worker_keeps_its_group(redis_server: RedisServer) -> None:
    """A worker that is alive and takes longer than the lease is left alone."""
    async with (
        redis_broker(redis_server.url, prefix="slow", lease_s=0.2) as broker,
        await broker.producer() as producer,
    ):
        await producer.append(message(0))
        slow, other = await broker.consumer(), await broker.consumer()
        group = await slow.fix(await read_all(slow, 1))
        await asyncio.sleep(0.6)
        assert await other.unfinished() is None
        assert await other.read(max_bytes=_MB, wait_s=0) == []
        await slow.ack(group)
        await slow.close()
        await other.close()


async def test_a_lease_that_was_lost_is_told(redis_server: RedisServer) -> None:
    """Every call of a consumer that was taken for dead says so, and changes nothing."""
    async with (
        redis_broker(redis_server.url, prefix="told") as broker,
        await broker.producer() as producer,
    ):
        for n in range(3):
            await producer.append(message(n))
        first = await broker.consumer()
        group = await first.fix(await first.read(max_bytes=1, wait_s=5.0))
        read = await first.read(max_bytes=1, wait_s=5.0)
        redis_server.ask("ZREM", "{told}:workers", first._lease.worker)
        with pytest.raises(LeaseLost):
            await first.fix(read)
        calls: list[Any] = [first.ack(group), first.unfinished(), first.read(max_bytes=1, wait_s=0)]
        for call in calls:
            with pytest.raises(LeaseLost):
                await call
        await first.close()
        async with await broker.consumer() as second:
            found = await second.unfinished()
            assert found is not None
            assert found.number == group.number
            await second.ack(found)
            assert len(messages_in(await drain(second, 2))) == 2
        assert (await broker.status()).entries == 0


async def test_only_what_is_acknowledged_is_trimmed(redis_server: RedisServer) -> None:
    """What is not acknowledged stays in the stream whatever its age; what is goes, and a follower
    that comes too late is told how much it missed."""
    log = "{trimmed:0}:log"
    async with (
        redis_broker(redis_server.url, prefix="trimmed") as broker,
        await broker.producer() as producer,
        await broker.follower() as follower,
    ):
        for n in range(10):
            await producer.append(message(n))
        consumer = await broker.consumer()
        first = await consumer.fix(await consumer.read(max_bytes=1, wait_s=5.0))
        second = await consumer.fix(await consumer.read(max_bytes=70, wait_s=5.0))
        await consumer.ack(second)
        (reader,) = consumer._readers
        await reader.tidy(tail_s=0, tail_bytes=0)
        assert redis_server.ask("XLEN", log) == "10"
        await consumer.ack(first)
        await reader.tidy(tail_s=0, tail_bytes=0)
        done = len(first.entries) + len(second.entries)
        assert redis_server.ask("XLEN", log) == str(10 - done)
        seen = await follower.read(max_bytes=_MB, wait_s=5.0)
        assert [e.message for e in seen] == [message(n) for n in range(done, 10)]
        assert follower.missed == done
        await consumer.close()
