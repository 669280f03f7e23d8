"""The Redis broker on a cluster whose nodes die and whose slots move."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from logstream.broker.base import Producer
from logstream.testing.broker_contract import message
from tests.broker.redis_support import drain, messages_in, patiently, redis_broker
from tests.servers.redis import RedisClusterServers, redis_program

_MESSAGES = 300


@pytest.fixture
def cluster() -> Iterator[RedisClusterServers]:
    """A cluster for one test, which may do anything to it."""
    if redis_program() is None:
        pytest.skip("there is no redis-server")
    servers = RedisClusterServers()
    try:
        servers.start()
        yield servers
    finally:
        servers.close()


async def _append_all(producers: list[Producer]) -> None:
    for n in range(_MESSAGES):
        await patiently(producers[n % len(producers)].append, message(n))
        await asyncio.sleep(0.002)


def _move(cluster: RedisClusterServers, key: str) -> None:
    """Move the slot of a key, with all that is in it, from its node to another."""
    nodes: dict[str, Any] = {
        node.cluster("MYID").decode(): node
        for node in (redis.Redis(port=server.port) for server in cluster.servers)
    }
    slot = next(iter(nodes.values())).cluster("KEYSLOT", key)
    source = next(name for name, node in nodes.items() if node.cluster("COUNTKEYSINSLOT", slot) > 0)
    target = next(name for name in nodes if name != source)
    port = nodes[target].connection_pool.connection_kwargs["port"]
    nodes[target].execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", source)
    nodes[source].execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", target)
    while keys := nodes[source].execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1):
        nodes[source].execute_command("MIGRATE", "127.0.0.1", port, "", 0, 5000, "KEYS", *keys)
    for name in (target, source, *nodes):
        nodes[name].execute_command("CLUSTER", "SETSLOT", slot, "NODE", target)
    for node in nodes.values():
        node.close()


async def test_a_node_dies_and_comes_back(cluster: RedisClusterServers) -> None:
    """kill -9 of one master while entries are appended and read: each is grouped once."""
    async with redis_broker(cluster.url, give_up_s=30.0) as broker:
        producers = [await broker.producer() for _ in range(6)]
        consumer = await broker.consumer()
        writing = asyncio.create_task(_append_all(list(producers)))
        groups = await drain(consumer, 50)
        victim = cluster.servers[1]
        await asyncio.to_thread(victim.kill)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(victim.start)
        groups += await drain(consumer, _MESSAGES - len(messages_in(groups)))
        await writing
        found = sorted(m.received_ns for m in messages_in(groups))
        assert found == [message(n).received_ns for n in range(_MESSAGES)]
        assert (await broker.status()).entries == 0
        await consumer.close()
        for producer in producers:
            await producer.close()


async def test_slots_move(cluster: RedisClusterServers) -> None:
    """Slots of shards and of the workers' agreement move to another node meanwhile."""
    async with redis_broker(cluster.url, give_up_s=30.0) as broker:
        producers = [await broker.producer() for _ in range(6)]
        consumer = await broker.consumer()
        writing = asyncio.create_task(_append_all(list(producers)))
        groups = await drain(consumer, 30)
        for key in ("{logstream:0}:log", "{logstream}:meta", "{logstream:3}:log"):
            await asyncio.to_thread(_move, cluster, key)
            groups += await drain(consumer, 30)
        groups += await drain(consumer, _MESSAGES - len(messages_in(groups)))
        await writing
        found = sorted(m.received_ns for m in messages_in(groups))
        assert found == [message(n).received_ns for n in range(_MESSAGES)]
        await consumer.close()
        for producer in producers:
            await producer.close()
