"""POST /logs: what is answered, and that it is true."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib

import pytest
import zstandard

from logstream.broker.memory import MemoryBroker
from tests.broker.redis_support import redis_broker
from tests.ingest.harness import Service, Start, running
from tests.servers.redis import RedisServer

ONE = '{"message":"one"}'


async def test_a_record_is_acknowledged_when_durable(service: Service) -> None:
    """The answer has exactly the documented members, and the broker has the record."""
    answer = await service.post(ONE)
    assert (answer.status, answer.json) == (
        202,
        {"accepted": 1, "rejected": 0, "errors": [], "ack": "durable"},
    )
    assert await service.messages() == ["one"]


async def test_bad_records_are_named_and_their_neighbours_stored(service: Service) -> None:
    """Each refused record has its index and reason; the others are kept."""
    answer = await service.post('{"message":"a"}\n{"message":\n7\n{"message":"b"}')
    assert answer.status == 202
    assert answer.json == {
        "accepted": 2,
        "rejected": 2,
        "errors": [
            {"index": 1, "reason": "not JSON: it ends too early"},
            {"index": 2, "reason": "a record is a JSON object, this is a number"},
        ],
        "ack": "durable",
    }
    assert await service.messages() == ["a", "b"]


async def test_many_errors_are_counted_beyond_the_list(service: Service) -> None:
    """The list of errors is bounded and says how many more there are."""
    answer = await service.post(ONE + "\n" + "0\n" * 250)
    assert (answer.json["rejected"], len(answer.json["errors"])) == (250, 100)
    assert answer.json["more_errors"] == 150


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "the body is empty"),
        ("  \n ", "there are no records in the body"),
        ("[]", "there are no records in the body"),
        ("hello", "the record was refused: not JSON: invalid character at byte 0 of the record"),
        ("1\n2", "all 2 records were refused: a record is a JSON object, this is a number"),
    ],
)
async def test_nothing_accepted_is_400(service: Service, body: str, message: str) -> None:
    """When no record was accepted the request failed, and the error says why."""
    answer = await service.post(body)
    assert (answer.status, answer.error["message"]) == (400, message)
    assert await service.records() == []


async def test_large_bodies_come_out_in_order(service: Service) -> None:
    """A body of several parts and entries loses, doubles and reorders nothing."""
    lines = [f'{{"message":"{n}","pad":"{"x" * 40}"}}' for n in range(30_000)]
    lines[20_000] = "broken"
    answer = await service.post("\n".join(lines))
    assert (answer.json["accepted"], answer.json["rejected"]) == (29_999, 1)
    assert answer.json["errors"][0]["index"] == 20_000
    expected = [str(n) for n in range(30_000) if n != 20_000]
    assert await service.messages() == expected


async def test_requests_at_once_share_an_entry_and_keep_their_own_answers(
    service: Service,
) -> None:
    """Small bodies decoded and appended together are answered each for itself."""
    bodies = [f'{{"message":"{n}"}}' if n % 5 else "{broken" for n in range(40)]
    answers = await asyncio.gather(*map(service.post, bodies))
    assert [answer.status for answer in answers] == [202 if n % 5 else 400 for n in range(40)]
    assert sorted(map(int, await service.messages())) == [n for n in range(40) if n % 5]


@pytest.mark.parametrize("ack", ["queued", "durable"])
async def test_the_ack_asked_for_is_the_ack_given(service: Service, ack: str) -> None:
    """``?ack=`` decides when the answer is sent, and the answer says which it is."""
    answer = await service.post(ONE, f"/logs?ack={ack}")
    assert answer.json["ack"] == ack
    for _ in range(100):
        if await service.messages():
            break
        await asyncio.sleep(0.01)
    assert await service.messages() == ["one"]


async def test_stored_waits_for_the_store(service: Service) -> None:
    """``?ack=stored`` is answered once the worker has acknowledged the record's group."""
    asked = asyncio.create_task(service.post(ONE, "/logs?ack=stored"))
    while not await service.messages():
        assert not asked.done()
        await asyncio.sleep(0.01)
    assert (await asked).json["ack"] == "stored"


async def test_stored_that_takes_too_long_says_durable(start: Start) -> None:
    """When the store does not come in time the answer is what is true by then."""
    async with start(request_timeout_s=0.1) as service:
        answer = await service.post(ONE, "/logs?ack=stored")
        assert (answer.status, answer.json["ack"]) == (202, "durable")


@pytest.mark.parametrize("query", ["akc=stored", "ack=stored&pretty", "Ack=stored", "=x"])
async def test_a_parameter_that_there_is_not_is_400(service: Service, query: str) -> None:
    """A misspelt ack would promise less than was asked; the hint names the one that there is."""
    answer = await service.post(ONE, f"/logs?{query}")
    assert (answer.status, answer.error["code"]) == (400, "bad_request")
    assert answer.error["message"].startswith("there is no parameter ")
    assert answer.error["hint"] == "the only one is ack: one of queued, durable, stored"
    assert await service.records() == []


async def test_an_unknown_ack_is_400(service: Service) -> None:
    """A misspelt ack is not quietly taken for the default."""
    answer = await service.post(ONE, "/logs?ack=fast")
    assert (answer.status, answer.error["message"]) == (400, "ack cannot be 'fast'")
    assert answer.error["hint"] == "give one of queued, durable, stored"


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", gzip.compress(ONE.encode())),
        ("x-gzip", gzip.compress(b"") + gzip.compress(ONE.encode()) + b"\0" * 100),
        ("deflate", zlib.compress(ONE.encode())),
        ("deflate", zlib.compress(ONE.encode(), wbits=-15)),
        ("zstd", zstandard.compress(ONE[:7].encode()) + zstandard.compress(ONE[7:].encode())),
        ("identity", ONE.encode()),
        ("GZIP, identity", gzip.compress(ONE.encode())),
    ],
)
async def test_compressed_bodies_are_read(service: Service, coding: str, data: bytes) -> None:
    """gzip, both kinds of deflate, and zstd, of one member or several."""
    answer = await service.post(data, content_encoding=coding)
    assert answer.status == 202
    assert await service.messages() == ["one"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("content_encoding", "br", "content encoding 'br' is not read here"),
        ("content_encoding", "gzip, gzip", "content encoding 'gzip, gzip' is not read here"),
        ("content_type", "application/xml", "content type 'application/xml' is not read here"),
        ("content_type", "text/plain; charset=l1", "charset 'l1' is not read here, send UTF-8"),
    ],
)  # fmt: skip
async def test_what_nobody_reads_here_is_415(
    service: Service, name: str, value: str, message: str
) -> None:
    """An unknown coding, type or charset is refused with what to send instead."""
    answer = await service.post(ONE, **{name: value})
    assert (answer.status, answer.error["message"]) == (415, message)


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/x-ndjson; charset=UTF-8", "text/plain",
     "application/octet-stream"],
)  # fmt: skip
async def test_usual_content_types_are_taken(service: Service, kind: str) -> None:
    """The type is a courtesy: the body tells what it is."""
    assert (await service.post(ONE, content_type=kind)).status == 202


async def test_a_repeated_key_is_answered_again_and_stored_once(service: Service) -> None:
    """The same request with the same key gives the same answer, and says that it is one."""
    first = await service.post(ONE, idempotency_key="k")
    again = await service.post(ONE, idempotency_key="k")
    assert (first.status, first.body) == (again.status, again.body)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await service.messages() == ["one"]


async def test_a_key_repeated_at_once_is_stored_once(service: Service) -> None:
    """Repetitions that overtake the first request wait for its answer."""
    answers = await asyncio.gather(*(service.post(ONE, idempotency_key="k") for _ in range(20)))
    assert {answer.body for answer in answers} == {answers[0].body}
    assert await service.messages() == ["one"]


async def test_another_process_takes_a_repetition_for_what_it_is(start: Start) -> None:
    """A process that never saw the key leaves it to the broker, which keeps the request once."""
    async with start() as one, start(broker=one.broker) as other:
        assert (await one.post(ONE, idempotency_key="k")).status == 202
        assert (await other.post(ONE, idempotency_key="k")).status == 202
        assert await one.messages() == ["one"]


async def test_keys_belong_to_their_body_and_sender(start: Start) -> None:
    """The same key with another body or another access key is another request."""
    async with start(api_keys=("a", "b")) as service:
        for body, key in ((ONE, "a"), ('{"message":"two"}', "a"), (ONE, "b")):
            answer = await service.post(body, idempotency_key="k", x_api_key=key)
            assert "idempotency-replayed" not in answer.headers
        assert sorted(await service.messages()) == ["one", "one", "two"]


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_has_1_to_255_characters(service: Service, key: str) -> None:
    """Anything else is refused."""
    answer = await service.post(ONE, idempotency_key=key)
    assert (answer.status, answer.error["message"]) == (
        400, "an Idempotency-Key has 1 to 255 characters",
    )  # fmt: skip


async def test_a_full_broker_is_503_with_retry_after(start: Start) -> None:
    """Over the high-water mark nothing is taken, and /ready says so too."""
    async with start(broker_capacity_bytes=4_000) as service:
        statuses = [(await service.post(ONE)).status for _ in range(20)]
        assert statuses == sorted(statuses)
        answer = await service.post(ONE)
        assert (answer.status, answer.error["code"]) == (503, "broker_full")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await service.request("GET", "/ready")).status == 503
        assert len(await service.messages()) == statuses.count(202)
        assert (await service.post(ONE)).status == 202


def _three_entries(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A body that becomes three entries in the broker."""
    monkeypatch.setattr("logstream.ingest.intake.ENTRY_ROWS", 1)
    lines = [b'{"message":"%d %s"}' % (n, b"x" * 600_000) for n in range(3)]
    return b"\n".join(lines)


async def test_a_body_kept_in_part_says_so(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the broker is full in the middle of a large body the answer says that some of it may
    have been kept; repeated with its key, each record is stored once."""
    body = _three_entries(monkeypatch)
    async with start(broker_capacity_bytes=3_000) as service:
        answer = await service.post(body, idempotency_key="k")
        assert (answer.status, answer.error["code"]) == (503, "broker_full")
        assert "may have been kept" in answer.error["hint"]
        assert "Idempotency-Key" in answer.error["hint"]
        told = await service.post(ONE)
        assert (told.status, "may have been kept" in told.error["hint"]) == (503, False)
        assert 0 < len(await service.messages()) < 3
        assert isinstance(service.broker, MemoryBroker)
        service.broker._capacity_bytes = 1 << 30
        assert (await service.post(body, idempotency_key="k")).status == 202
        assert sorted(text[0] for text in await service.messages()) == ["0", "1", "2"]


async def test_stored_means_all_of_a_large_body(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many workers a later entry may be stored before an earlier one of the same request."""
    body = _three_entries(monkeypatch)
    async with (
        running(redis_broker(redis_server.url, prefix="large")) as service,
        await service.broker.consumer() as consumer,
    ):
        asked = asyncio.create_task(service.post(body, "/logs?ack=stored"))
        groups = []
        for _ in range(3):
            entries = await consumer.read(max_bytes=1, wait_s=20.0)
            groups.append(await consumer.fix(entries))
        await consumer.ack(groups[2])
        await consumer.ack(groups[0])
        await asyncio.sleep(0.1)
        assert not asked.done()
        await consumer.ack(groups[1])
        assert (await asked).json["ack"] == "stored"


async def test_json_lines_of_a_real_shape_survive(service: Service) -> None:
    """A record with everything in it arrives as it was sent."""
    sent = {
        "timestamp": "2026-01-01T00:00:00Z",
        "level": "error",
        "service": "pay",
        "trace_id": "t",
        "message": "no",
        "http": {"status": 500},
    }
    async with asyncio.timeout(5):
        sent["timestamp"] = "now"
        answer = await service.post(json.dumps(sent))
        assert answer.status == 400
        del sent["timestamp"]
        await service.post(json.dumps(sent))
    (record,) = await service.records()
    assert (record.level, record.service, record.trace_id) == ("error", "pay", "t")
    assert record.attributes["http.status"] == "500"
