"""The Redis broker when a master dies for good and its replica is promoted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from logstream.broker.base import Producer
from logstream.broker.redis import RedisBroker
from logstream.errors import BrokerUnavailable, LeaseLost
from logstream.testing.broker_contract import message
from tests.broker.redis_support import (
    drain,
    lossy_line,
    messages_in,
    patiently,
    redis_broker,
    until,
)
from tests.servers.redis import RedisClusterServers, RedisServer, redis_program

_MESSAGES = 600


@pytest.fixture
def cluster() -> Iterator[RedisClusterServers]:
    """Three masters, each with a replica."""
    if redis_program() is None:
        pytest.skip("there is no redis-server")
    servers = RedisClusterServers(replicated=True)
    try:
        servers.start()
        yield servers
    finally:
        servers.close()


async def _append_all(producers: list[Producer]) -> int:
    """Append every message until it is acknowledged; how often that was refused meanwhile."""
    refused = 0
    for n in range(_MESSAGES):
        while True:
            try:
                await producers[n % len(producers)].append(message(n))
                break
            except BrokerUnavailable:
                refused += 1
        await asyncio.sleep(0.001)
    return refused


async def _promoted(cluster: RedisClusterServers, victim: int) -> None:
    replica = cluster.replicas[victim]
    await until(lambda: "role:master" in replica.ask("INFO", "replication"), timeout_s=60.0)


async def _group_all(broker: RedisBroker, found: set[int]) -> None:
    """Read, fix and acknowledge for ever, as the worker does; ``found`` grows."""
    while True:
        consumer = await patiently(broker.consumer)
        try:
            while True:
                group = await patiently(consumer.unfinished)
                if group is None:
                    entries = await patiently(consumer.read, max_bytes=2000, wait_s=0.5)
                    if not entries:
                        continue
                    group = await patiently(consumer.fix, entries)
                await patiently(consumer.ack, group)
                found |= {entry.message.received_ns for entry in group.entries}
        except LeaseLost:
            continue
        finally:
            await consumer.close()


@asynccontextmanager
async def _reading(broker: RedisBroker) -> AsyncIterator[set[int]]:
    """What was grouped so far, while the block runs."""
    found: set[int] = set()
    task = asyncio.create_task(_group_all(broker, found))
    try:
        yield found
    finally:
        task.cancel()
        [ended] = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended


@pytest.mark.parametrize("victim", [0, 1, 2])
async def test_nothing_acknowledged_is_lost_over_a_failover(
    cluster: RedisClusterServers, victim: int
) -> None:
    """kill -9 of a master under load: with ``wait_replicas`` appends to it are refused until its
    replica was promoted and has a replica itself; what was acknowledged is all there."""
    async with redis_broker(cluster.url, wait_replicas=1, give_up_s=0.5, timeout_s=2.0) as broker:
        producers = [await broker.producer() for _ in range(6)]
        async with _reading(broker) as found:
            writing = asyncio.create_task(_append_all(list(producers)))
            await until(lambda: len(found) > 100, timeout_s=60.0)
            await asyncio.to_thread(cluster.servers[victim].kill)
            await _promoted(cluster, victim)
            await asyncio.to_thread(cluster.servers[victim].start)
            wanted = {message(n).received_ns for n in range(_MESSAGES)}
            await until(lambda: wanted <= found, timeout_s=60.0)
            assert await writing > 0
        for producer in producers:
            await producer.close()


async def test_a_promoted_replica_is_found(cluster: RedisClusterServers) -> None:
    """A master that never comes back: the broker finds its replica by itself. Without
    ``wait_replicas`` what was acknowledged just before may be gone; nothing later is."""
    async with redis_broker(cluster.url, give_up_s=0.5, timeout_s=2.0) as broker:
        producers = [await broker.producer() for _ in range(6)]
        async with _reading(broker) as found:
            writing = asyncio.create_task(_append_all(list(producers)))
            await until(lambda: len(found) > 50, timeout_s=60.0)
            await asyncio.to_thread(cluster.servers[1].kill)
            await _promoted(cluster, 1)
            await writing
            later = [message(_MESSAGES + n) for n in range(12)]
            for n, each in enumerate(later):
                await patiently(producers[n % len(producers)].append, each)
            wanted = {each.received_ns for each in later}
            await until(lambda: wanted <= found, timeout_s=60.0)
        for producer in producers:
            await producer.close()


def _has_all(replica: RedisServer, master: RedisServer) -> bool:
    """Whether the replica has everything that its master has written."""
    offsets = [
        next(line for line in server.ask("INFO", "replication").splitlines() if name in line)
        for server, name in ((replica, "slave_repl_offset"), (master, "master_repl_offset"))
    ]
    return offsets[0].partition(":")[2] == offsets[1].partition(":")[2]


@pytest.mark.parametrize("same_writer", [False, True])
async def test_what_a_failover_lost_is_never_called_stored(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture, *, same_writer: bool
) -> None:
    """Entries that the promoted replica lacks are told to be lost to whoever waits for the store,
    also when later ones are stored; those that it has are stored, whoever wrote on."""
    second = RedisServer()
    own_redis.ask("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    try:
        await asyncio.to_thread(second.start)
        second.ask("REPLICAOF", "127.0.0.1", own_redis.port)
        async with (
            lossy_line(own_redis.port, seed=1) as line,
            redis_broker(line.url) as broker,
            await broker.producer() as producer,
            await broker.producer() as other,
        ):
            kept = await producer.append(message(0))
            await until(lambda: own_redis.ask("WAIT", 1, 100) == "1", timeout_s=60.0)
            await until(lambda: _has_all(second, own_redis), timeout_s=60.0)
            second.ask("REPLICAOF", "NO", "ONE")
            lost = await producer.append(message(1))
            waiting = asyncio.create_task(producer.wait_stored(lost, timeout_s=60.0))
            await asyncio.sleep(0.05)
            line.lead_to(second.port)
            await asyncio.to_thread(own_redis.kill)
            later = await patiently((producer if same_writer else other).append, message(2))
            consumer = await patiently(broker.consumer)
            assert messages_in(await drain(consumer, 2)) == [message(0), message(2)]
            with pytest.raises(BrokerUnavailable, match="has lost") as told:
                await waiting
            assert told.value.maybe_kept
            for timeout_s in (0.0, 60.0):
                with pytest.raises(BrokerUnavailable, match="has lost"):
                    await producer.wait_stored(lost, timeout_s=timeout_s)
            assert await producer.wait_stored(kept, timeout_s=60.0)
            assert await (producer if same_writer else other).wait_stored(later, timeout_s=60.0)
            assert ("lost 1 entries" in caplog.text) == same_writer
            await consumer.close()
    finally:
        second.close()


@pytest.mark.parametrize("wait_replicas", [0, 1])
async def test_a_replica_that_was_promoted_by_hand(
    own_redis: RedisServer, wait_replicas: int
) -> None:
    """One Redis under one name: its replica is promoted, the name leads there, and the old one is
    made its replica. Connections to the old one are given up; nothing is lost."""
    second, third = (RedisServer(("--repl-diskless-sync-delay", "0")) for _ in range(2))
    own_redis.ask("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    try:
        for server, master in ((second, own_redis), (third, second)):
            await asyncio.to_thread(server.start)
            server.ask("REPLICAOF", "127.0.0.1", master.port)
        # The old one has to send all it has before it is one of those that are waited for.
        await until(lambda: own_redis.ask("WAIT", 1, 100) == "1", timeout_s=60.0)
        async with (
            lossy_line(own_redis.port, seed=1) as line,
            redis_broker(line.url, wait_replicas=wait_replicas) as broker,
        ):
            producer, consumer = await broker.producer(), await broker.consumer()
            for n in range(20):
                await patiently(producer.append, message(n))
            groups = await drain(consumer, 5)
            await until(lambda: _has_all(second, own_redis), timeout_s=60.0)
            second.ask("REPLICAOF", "NO", "ONE")
            own_redis.ask("REPLICAOF", "127.0.0.1", second.port)
            line.lead_to(second.port)
            for n in range(20, 40):
                await patiently(producer.append, message(n))
            groups += await drain(consumer, 40 - len(messages_in(groups)))
            found = [m.received_ns for m in messages_in(groups)]
            assert found == [message(n).received_ns for n in range(40)]
            await consumer.close()
            await producer.close()
    finally:
        second.close()
        third.close()
