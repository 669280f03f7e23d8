"""The Redis broker against a real Redis that is killed, full, emptied, demoted, or not heard."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from pathlib import Path

import pytest

from logstream.broker.base import DeadLetter, Message
from logstream.errors import BrokerFull, BrokerUnavailable, LeaseLost
from logstream.testing.broker_contract import message, read_all
from tests.broker.redis_support import (
    drain,
    fill,
    lossy_line,
    messages_in,
    patiently,
    read_on,
    redis_broker,
    until,
)
from tests.servers.redis import RedisServer

_MB = 1_000_000


async def test_kill_9_of_redis_loses_and_doubles_nothing(own_redis: RedisServer) -> None:
    """Redis is killed in the middle of appends and comes back: each message is there once, in
    its writer's order, without anybody having been refused."""
    async with redis_broker(own_redis.url) as broker, await broker.producer() as producer:
        rng = random.Random(3)
        sent = [message(n) for n in range(900)]
        positions = []
        for life in range(3):
            part = sent[life * 300 : life * 300 + 300]
            tasks = []
            killed = rng.randrange(20, 280)
            for n, each in enumerate(part):
                tasks.append(asyncio.create_task(producer.append(each)))
                if n == killed:
                    await asyncio.to_thread(own_redis.kill)
                    await asyncio.to_thread(own_redis.start)
                elif n % 7 == 0:
                    await asyncio.sleep(0)
            positions += await asyncio.gather(*tasks)
        assert [place.sequence for place in positions] == list(range(900))
        async with await broker.consumer() as consumer:
            assert messages_in(await drain(consumer, 900)) == sent
            assert await consumer.read(max_bytes=_MB, wait_s=0.01) == []


async def test_answers_that_never_come(redis_server: RedisServer) -> None:
    """Of all answers one in six is lost after Redis did what was asked: nothing is kept, read or
    grouped twice, nothing is missing, and a writer's order holds."""
    async with (
        lossy_line(redis_server.port, seed=5) as line,
        redis_broker(line.url, prefix="lossy", shards=2) as broker,
    ):
        producers = [await broker.producer() for _ in range(2)]
        consumer = await broker.consumer()
        sent = [message(n, dedup_id=b"%d" % n if n % 3 == 0 else b"") for n in range(200)]
        line.share = 1 / 6
        writing = [
            asyncio.create_task(patiently(producers[n % 2].append, each))
            for n, each in enumerate(sent)
        ]
        groups = await drain(consumer, 200, max_bytes=500)
        await asyncio.gather(*writing)
        line.share = 0
        assert line.lost > 10
        assert await consumer.read(max_bytes=_MB, wait_s=0.01) == []
        found = messages_in(groups)
        assert Counter(m.received_ns for m in found) == Counter(m.received_ns for m in sent)
        for part in range(2):
            own = [
                m.received_ns for m in found if (m.received_ns - sent[0].received_ns) % 2 == part
            ]
            assert own == sorted(own)
        assert sorted({g.number for g in groups}) == [g.number for g in groups]
        assert not any(group.duplicates for group in groups)
        assert (await broker.status()).entries == 0
        await consumer.close()
        for producer in producers:
            await producer.close()


async def test_lost_answers_while_taking_over(redis_server: RedisServer) -> None:
    """What a consumer left is taken over whole though answers are lost meanwhile."""
    async with (
        lossy_line(redis_server.port, seed=9) as line,
        redis_broker(line.url, prefix="lossy2") as broker,
        await broker.producer() as producer,
    ):
        for n in range(60):
            await producer.append(message(n))
        first = await broker.consumer()
        group = await first.fix(await first.read(max_bytes=200, wait_s=5.0))
        await first.read(max_bytes=600, wait_s=5.0)
        await first.close()
        second = await broker.consumer()
        line.share = 1 / 8
        found = await patiently(second.unfinished)
        assert found.entries == group.entries
        assert found.number == group.number
        await patiently(second.ack, found)
        rest = await drain(second, 60 - len(group.entries))
        line.share = 0
        every = [*messages_in([found]), *messages_in(rest)]
        assert sorted(m.received_ns for m in every) == [message(n).received_ns for n in range(60)]
        assert (await broker.status()).entries == 0
        await second.close()


async def test_a_redis_that_is_away_is_said(own_redis: RedisServer) -> None:
    """While Redis is away appends are refused after a while and early, status and read say so;
    afterwards everything goes on by itself."""
    async with redis_broker(own_redis.url, give_up_s=0.1) as broker:
        producer, consumer = await broker.producer(), await broker.consumer()
        await producer.append(message(0))
        await asyncio.to_thread(own_redis.kill)
        with pytest.raises(BrokerUnavailable, match="does not answer"):
            await producer.append(message(1))
        with pytest.raises(BrokerUnavailable):
            producer.check_room()
        with pytest.raises(BrokerUnavailable):
            await consumer.read(max_bytes=_MB, wait_s=0)
        with pytest.raises(BrokerUnavailable):
            await broker.status()
        await asyncio.to_thread(own_redis.start)
        await patiently(producer.append, message(2))
        producer.check_room()
        found = messages_in(await drain(consumer, 2))
        assert found == [message(0), message(2)]
        await consumer.close()
        await producer.close()


async def test_a_redis_that_is_loading(own_redis: RedisServer) -> None:
    """A Redis that still reads its data back is waited for."""
    async with redis_broker(own_redis.url, give_up_s=20.0) as broker:
        producer = await broker.producer()
        for n in range(3):
            await producer.append(message(n))
        own_redis.ask("BGREWRITEAOF")
        await until(lambda: "aof_rewrite_in_progress:0" in own_redis.ask("INFO", "persistence"))
        await asyncio.to_thread(own_redis.kill)
        own_redis._options += ["--key-load-delay", "50000"]
        await asyncio.to_thread(own_redis.start, wait=False)
        seen = ""
        async with asyncio.timeout(10):
            while "LOADING" not in seen:
                with contextlib.suppress(OSError):
                    seen = await asyncio.to_thread(own_redis.ask, "PING")
        await producer.append(message(3))
        async with await broker.consumer() as consumer:
            assert messages_in(await drain(consumer, 4)) == [message(n) for n in range(4)]
        await producer.close()


async def test_out_of_memory_refuses_and_recovers(own_redis: RedisServer) -> None:
    """At its maxmemory Redis refuses appends, which is said as such; the consumer goes on all
    the same, and makes room."""
    used = int(own_redis.ask("INFO", "memory").split("used_memory:")[1].split("\r")[0])
    own_redis.ask("CONFIG", "SET", "maxmemory", used + 6 * _MB)
    async with redis_broker(own_redis.url) as broker, await broker.producer() as producer:
        kept = await fill(producer, size=200_000)
        assert 5 < kept < 100
        with pytest.raises(BrokerFull) as refusal:
            await producer.append(message(0, size=200_000))
        assert "maxmemory" in refusal.value.hint
        assert refusal.value.retry_after_s > 0
        with pytest.raises(BrokerFull):
            producer.check_room()
        async with await broker.consumer() as consumer:
            groups = await drain(consumer, kept, max_bytes=_MB)
            assert messages_in(groups) == [message(n, size=200_000) for n in range(kept)]
            async with asyncio.timeout(20):
                while True:
                    try:
                        producer.check_room()
                        await producer.append(message(1000))
                        break
                    except BrokerFull:
                        await asyncio.sleep(0.02)
            assert messages_in(await drain(consumer, 1)) == [message(1000)]


async def test_a_full_redis_that_somebody_else_filled(own_redis: RedisServer) -> None:
    """Groups can be fixed and acknowledged with not a byte of memory left."""
    async with redis_broker(own_redis.url) as broker, await broker.producer() as producer:
        for n in range(5):
            await producer.append(message(n, dedup_id=b"%d" % n))
        own_redis.ask("CONFIG", "SET", "maxmemory", 1)
        async with await broker.consumer() as consumer:
            with pytest.raises(BrokerFull):
                await producer.append(message(6))
            assert len(messages_in(await drain(consumer, 5))) == 5
        assert (await broker.status()).entries == 0


async def test_a_lost_consumer_group_loses_and_doubles_nothing(redis_server: RedisServer) -> None:
    """XGROUP DESTROY, with one group acknowledged, one fixed before it and not, and entries read:
    a new consumer gets the fixed one with its number, the rest once, the acknowledged one never."""
    async with (
        redis_broker(redis_server.url, prefix="nogroup") as broker,
        await broker.producer() as producer,
    ):
        for n in range(12):
            await producer.append(message(n))
        consumer = await broker.consumer()
        groups = []
        for _ in range(3):
            entries = await consumer.read(max_bytes=50, wait_s=5.0)
            groups.append(await consumer.fix(entries))
        await consumer.ack(groups[1])
        await consumer.read(max_bytes=50, wait_s=5.0)
        name = f"workers-{consumer._lease.epoch}"
        assert redis_server.ask("XGROUP", "DESTROY", "{nogroup:0}:log", name) == "1"
        with pytest.raises(LeaseLost):
            await read_on(consumer)
        with pytest.raises(LeaseLost):
            await consumer.ack(groups[0])
        await consumer.close()
        async with await broker.consumer() as again:
            for group in (groups[0], groups[2]):
                found = await again.unfinished()
                assert found is not None
                assert (found.number, found.entries) == (group.number, group.entries)
                await again.ack(found)
            assert await again.unfinished() is None
            seen = sum(len(group.entries) for group in groups)
            rest = messages_in(await drain(again, 12 - seen))
            assert rest == [message(n) for n in range(seen, 12)]
            assert await again.read(max_bytes=_MB, wait_s=0.01) == []
        assert (await broker.status()).entries == 0


async def test_a_newcomer_sees_that_a_consumer_group_was_lost(redis_server: RedisServer) -> None:
    """A worker that joins before anybody else has noticed does not put the consumer group back as
    if nothing had been read: what another holds would be in two hands."""
    async with (
        redis_broker(redis_server.url, prefix="newcomer") as broker,
        await broker.producer() as producer,
    ):
        for n in range(12):
            await producer.append(message(n))
        holder = await broker.consumer()
        fixed = await holder.fix(await holder.read(max_bytes=50, wait_s=5.0))
        in_hand = await holder.read(max_bytes=50, wait_s=5.0)
        name = f"workers-{holder._lease.epoch}"
        assert redis_server.ask("XGROUP", "DESTROY", "{newcomer:0}:log", name) == "1"
        async with await broker.consumer() as again:
            with pytest.raises(LeaseLost):
                await holder.fix(in_hand)
            await holder.close()
            found = await again.unfinished()
            assert found is not None
            assert (found.number, found.entries) == (fixed.number, fixed.entries)
            await again.ack(found)
            rest = messages_in(await drain(again, 12 - len(fixed.entries)))
            assert rest == [message(n) for n in range(len(fixed.entries), 12)]
            assert await again.read(max_bytes=_MB, wait_s=0.01) == []
        assert (await broker.status()).entries == 0


async def test_what_an_unheard_answer_handed_out_again_is_let_go(redis_server: RedisServer) -> None:
    """Entries of a group that is done, handed out once more by a new epoch in an answer that never
    came, are acknowledged: they would be waited for, and nothing trimmed, for ever."""
    async with (
        redis_broker(redis_server.url, prefix="unheard") as broker,
        await broker.producer() as producer,
    ):
        for n in range(3):
            await producer.append(message(n))
        consumer = await broker.consumer()
        await consumer.fix(await read_all(consumer, 3))
        log, name = "{unheard:0}:log", f"workers-{consumer._lease.epoch}"
        assert redis_server.ask("XGROUP", "DESTROY", log, name) == "1"
        with pytest.raises(LeaseLost):
            await read_on(consumer)
        await consumer.close()
        async with await broker.consumer() as again:
            found = await again.unfinished()
            assert found is not None
            await again.ack(found)
            mine = (f"workers-{again._lease.epoch}", again._lease.worker)
            redis_server.ask("XREADGROUP", "GROUP", *mine, "STREAMS", log, ">")
            again._readers[0].doubtful = True
            assert await again.read(max_bytes=_MB, wait_s=0.01) == []
            assert (await broker.status()).entries == 0


async def test_flushall_is_survived(own_redis: RedisServer) -> None:
    """A Redis that was emptied is begun anew: what is appended afterwards comes, numbers of
    groups go on growing, and a follower goes on."""
    async with redis_broker(own_redis.url) as broker, await broker.producer() as producer:
        consumer, follower = await broker.consumer(), await broker.follower()
        await producer.append(message(0))
        first = await consumer.fix(await read_all(consumer, 1))
        assert len(await follower.read(max_bytes=_MB, wait_s=5.0)) == 1
        own_redis.ask("FLUSHALL")
        with pytest.raises(LeaseLost):
            await read_on(consumer)
        await consumer.close()
        consumer = await broker.consumer()
        await producer.append(message(1))
        group = await consumer.fix(await read_all(consumer, 1))
        assert [e.message for e in group.entries] == [message(1)]
        assert group.number > first.number
        await consumer.ack(group)
        assert [e.message for e in await follower.read(max_bytes=_MB, wait_s=5.0)] == [message(1)]
        await consumer.close()
        await follower.close()


async def test_a_demoted_redis(own_redis: RedisServer) -> None:
    """A server that became a replica refuses writes; once it is a master again all goes on."""
    async with redis_broker(own_redis.url, give_up_s=0.2) as broker:
        producer = await broker.producer()
        await producer.append(message(0))
        own_redis.ask("REPLICAOF", "127.0.0.1", 1)
        with pytest.raises(BrokerUnavailable, match="replica"):
            await producer.append(message(1))
        own_redis.ask("REPLICAOF", "NO", "ONE")
        place = await patiently(producer.append, message(2))
        assert place.sequence == 1
        async with await broker.consumer() as consumer:
            assert messages_in(await drain(consumer, 2)) == [message(0), message(2)]
        await producer.close()


async def test_waiting_for_replicas(own_redis: RedisServer) -> None:
    """With ``wait_replicas`` an append returns when a replica has it, and is refused, though
    perhaps kept, when none is there."""
    own_redis.ask("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    replica = RedisServer(("--replicaof", f"127.0.0.1 {own_redis.port}"))
    try:
        await asyncio.to_thread(replica.start)
        await until(lambda: "master_link_status:up" in replica.ask("INFO", "replication"))
        async with redis_broker(own_redis.url, wait_replicas=1, timeout_s=10.0) as broker:
            async with await broker.producer() as producer:
                await producer.append(message(0))
                assert replica.ask("XLEN", "{logstream:0}:log") == "1"
            assert "1 replicas" in (await broker.status()).durability
        await asyncio.to_thread(replica.kill)
        async with (
            redis_broker(own_redis.url, wait_replicas=1, timeout_s=0.2, give_up_s=0.1) as broker,
            await broker.producer() as producer,
        ):
            with pytest.raises(BrokerUnavailable, match="replicas"):
                await producer.append(message(1))
    finally:
        replica.close()


async def test_what_an_acknowledgement_rests_on(own_redis: RedisServer) -> None:
    """status() tells Redis's own persistence, and warns of memory alone and of eviction; where
    CONFIG is forbidden it tells what INFO knows."""
    async with redis_broker(own_redis.url) as broker:
        status = await broker.status()
        assert status.durability == "Redis: fsynced before it is acknowledged"
        assert status.warnings == ()
    own_redis.ask("CONFIG", "SET", "appendonly", "no")
    own_redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    async with redis_broker(own_redis.url) as broker:
        status = await broker.status()
        assert "memory alone" in status.durability
        assert any("appendonly" in text for text in status.warnings)
        assert any("noeviction" in text for text in status.warnings)
    own_redis.ask("CONFIG", "SET", "appendonly", "yes")
    own_redis.ask("ACL", "SETUSER", "app", "on", ">hunter2", "~*", "+@all", "-config")
    async with redis_broker(own_redis.url.replace("//", "//app:hunter2@")) as broker:
        assert "append-only file" in (await broker.status()).durability


async def test_passwords_are_never_shown(own_redis: RedisServer, tmp_path: Path) -> None:
    """A login that fails is said without the password."""
    own_redis.ask("CONFIG", "SET", "requirepass", "right")
    async with redis_broker(own_redis.url.replace("//", "//:s3cret@")) as broker:
        with pytest.raises(BrokerUnavailable, match="login") as refusal:
            await broker.producer()
    assert "s3cret" not in refusal.value.message + refusal.value.hint
    assert "***" in refusal.value.message


async def test_what_is_not_ours_is_left_out(redis_server: RedisServer) -> None:
    """An entry that somebody else put into the stream stops nobody."""
    async with (
        redis_broker(redis_server.url, prefix="foreign") as broker,
        await broker.producer() as producer,
        await broker.follower() as follower,
        await broker.consumer() as consumer,
    ):
        await producer.append(message(0))
        redis_server.ask("XADD", "{foreign:0}:log", "*", "a", "b")
        await producer.append(message(1))
        assert messages_in(await drain(consumer, 2)) == [message(0), message(1)]
        seen: list[Message] = []
        while len(seen) < 2:
            seen += [e.message for e in await follower.read(max_bytes=_MB, wait_s=5.0)]
        assert seen == [message(0), message(1)]


async def test_who_gave_up_is_not_asked_for_any_more(redis_server: RedisServer) -> None:
    """Requests that waited in vain for the store leave nothing behind that goes on asking Redis,
    or that would make later ones wait."""
    async with redis_broker(redis_server.url) as broker, await broker.producer() as producer:
        places = [await producer.append(message(n)) for n in range(3)]
        waits = [producer.wait_stored(place, timeout_s=0.05) for place in places + places]
        assert await asyncio.gather(*waits) == [False] * 6
        await asyncio.sleep(0.05)
        redis_server.ask("CONFIG", "RESETSTAT")
        await asyncio.sleep(0.1)
        assert "cmdstat_hget:" not in str(redis_server.ask("INFO", "commandstats"))
        waiting = asyncio.create_task(producer.wait_stored(places[2], timeout_s=10))
        async with await broker.consumer() as consumer:
            await drain(consumer, 3)
        assert await waiting


async def test_a_writer_that_was_silent_for_long_has_lost_nothing(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Redis forgets writers after a time: nobody is told then that entries were lost."""
    monkeypatch.setattr("logstream.broker.redis.producer._WRITER_TTL_MS", 60)
    async with redis_broker(redis_server.url) as broker, await broker.producer() as producer:
        await producer.append(message(0))
        await asyncio.sleep(0.1)
        await producer.append(message(1))
        async with await broker.consumer() as consumer:
            assert messages_in(await drain(consumer, 2)) == [message(0), message(1)]
    assert "lost" not in caplog.text


async def test_the_documented_rights_suffice(own_redis: RedisServer) -> None:
    """A user with the rights that the operations guide names can do everything."""
    guide = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    line = next(line for line in guide.splitlines() if line.startswith("ACL SETUSER logstream "))
    assert own_redis.ask(*line.split()) == "OK"
    own_redis.ask("ACL", "SETUSER", "default", "off")
    url = own_redis.url.replace("//", "//logstream:PASSWORD@")
    async with (
        redis_broker(url) as broker,
        await broker.producer() as producer,
        await broker.follower() as follower,
    ):
        place = await producer.append(message(0, dedup_id=b"1"))
        assert not await producer.wait_stored(place, timeout_s=0)
        first = await broker.consumer()
        await first.fix(await first.read(max_bytes=_MB, wait_s=5.0))
        await producer.append(message(1))
        await first.read(max_bytes=_MB, wait_s=5.0)
        await first.close()
        async with await broker.consumer() as consumer:
            group = await consumer.unfinished()
            assert group is not None
            await consumer.ack(group)
            assert len(await drain(consumer, 1)) == 1
            await consumer.dead_letter([DeadLetter(payload=b"", rows=1, reason="no", at_ns=1)])
            (reader,) = consumer._readers
            await reader.tidy(tail_s=0, tail_bytes=0)
        assert len(await broker.dead_letters(limit=5)) == 1
        assert (await broker.status()).durability == "Redis: fsynced before it is acknowledged"
        await follower.read(max_bytes=_MB, wait_s=0)
