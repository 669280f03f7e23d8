"""HTTP on one connection: order, keeping it open, cutting it, and what is not HTTP at all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.ingest.harness import Answer, Service, Start, read_answer

ONE = b'{"message":"one"}'
HEAD = b"POST /logs HTTP/1.1\r\nhost: x\r\n"


def post(message: str, *more: str) -> bytes:
    body = b'{"message":"%s"}' % message.encode()
    lines = "".join(f"{line}\r\n" for line in more).encode()
    return HEAD + b"content-length: %d\r\n" % len(body) + lines + b"\r\n" + body


@contextlib.asynccontextmanager
async def connected(
    service: Service,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def answers(reader: asyncio.StreamReader, count: int) -> list[Answer]:
    found = [await read_answer(reader) for _ in range(count)]
    assert None not in found
    return [answer for answer in found if answer is not None]


async def test_a_connection_is_kept_for_the_next_request(service: Service) -> None:
    """One connection carries many requests, refused ones among them when their body is there."""
    async with connected(service) as (reader, writer):
        for sent, status in ((post("a"), 202), (post("b", "content-encoding: br"), 415)):
            for _ in range(2):
                writer.write(sent)
                (answer,) = await answers(reader, 1)
                assert answer.status == status
                assert "connection" not in answer.headers
    assert await service.messages() == ["a", "a"]


async def test_requests_sent_ahead_are_answered_in_order(service: Service) -> None:
    """A sender need not wait for an answer before its next request; bad ones keep their turn."""
    burst = b"".join(post(f"m{n}") for n in range(50))
    async with connected(service) as (reader, writer):
        writer.write(burst + b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n" + post("last"))
        found = await answers(reader, 52)
    assert [answer.status for answer in found] == [202] * 50 + [404, 202]
    assert await service.messages() == [f"m{n}" for n in range(50)] + ["last"]


async def test_rubbish_behind_a_request_does_not_take_its_answer(service: Service) -> None:
    """What came before it is answered, then it, in the JSON shape, then the connection ends."""
    async with connected(service) as (reader, writer):
        writer.write(post("good") + b"\x00\x01\x02 rubbish\r\n\r\n")
        good, bad = await answers(reader, 2)
        assert await reader.read() == b""
    assert (good.status, bad.status, bad.error["code"]) == (202, 400, "bad_request")
    assert bad.error["message"].startswith("this is not HTTP/1.1: ")
    assert bad.headers["connection"] == "close"
    assert await service.messages() == ["good"]


@pytest.mark.parametrize(
    "bad",
    [
        b"content-length: abc\r\n",
        b"content-length: -5\r\n",
        b"content-length: 3\r\ncontent-length: 17\r\n",
        b"content-length: 17\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked, identity\r\n",
        b"bad header: x\r\n",
        b"x: a\x00b\r\n",
    ],
)
async def test_a_head_that_could_be_read_in_two_ways_is_400(service: Service, bad: bytes) -> None:
    """Nothing that a proxy might read differently is guessed at."""
    answer = await service.raw(HEAD + bad + b"\r\n" + ONE)
    assert answer is not None
    assert (answer.status, answer.error["code"]) == (400, "bad_request")
    assert answer.headers["connection"] == "close"
    assert await service.records() == []


async def test_a_head_without_end_is_431(service: Service) -> None:
    """Headers are bounded; the answer says by how much."""
    answer = await service.raw(HEAD + b"x-long: " + b"a" * 200_000)
    assert answer is not None
    assert (answer.status, answer.error["code"]) == (431, "headers_too_large")
    assert answer.error["message"] == "the head is more than 65536 bytes"


async def test_a_sender_that_asks_first_is_told_to_go_on(service: Service) -> None:
    """With Expect: 100-continue the body is asked for, or refused before it is sent."""
    async with connected(service) as (reader, writer):
        writer.write(HEAD + b"content-length: 17\r\nexpect: 100-continue\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(ONE)
        (answer,) = await answers(reader, 1)
        assert answer.status == 202
    refused = await service.raw(
        HEAD + b"content-length: 17\r\nexpect: 100-continue\r\ncontent-encoding: br\r\n\r\n"
    )
    assert refused is not None
    assert refused.status == 415


async def test_trailers_are_read_over(service: Service) -> None:
    """Headers behind the last chunk change nothing."""
    chunk = b"%x\r\n%s\r\n" % (len(ONE), ONE)
    async with connected(service) as (reader, writer):
        for _ in range(2):
            writer.write(
                HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunk
                + b"0\r\ncontent-encoding: gzip\r\n\r\n"
            )  # fmt: skip
            (answer,) = await answers(reader, 1)
            assert answer.status == 202
    assert await service.messages() == ["one", "one"]


async def test_another_protocol_is_not_changed_to(service: Service) -> None:
    """A request to upgrade is refused, and its body is not taken for one."""
    answer = await service.raw(post("one", "connection: upgrade", "upgrade: websocket"))
    assert answer is not None
    assert (answer.status, answer.error["message"]) == (400, "this port speaks HTTP/1.1 only")
    assert answer.headers["connection"] == "close"
    assert await service.records() == []


async def test_http_1_0_is_answered_and_closed(service: Service) -> None:
    """Without keep-alive the connection ends behind the answer."""
    async with connected(service) as (reader, writer):
        writer.write(post("old").replace(b"HTTP/1.1", b"HTTP/1.0"))
        (answer,) = await answers(reader, 1)
        assert (answer.status, answer.headers["connection"]) == (202, "close")
        assert await reader.read() == b""


async def test_a_sender_that_stops_sending_still_hears_its_answer(service: Service) -> None:
    """Closing one's own side behind the request is no reason not to answer."""
    answer = await service.raw(post("half"), end=True)
    assert answer is not None
    assert answer.status == 202
    assert await service.messages() == ["half"]


async def test_requests_in_pieces_of_one_byte_are_requests(service: Service) -> None:
    """Where packets are cut means nothing."""
    async with connected(service) as (reader, writer):
        for byte in post("tiny") + post("tiny"):
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0)
        assert [answer.status for answer in await answers(reader, 2)] == [202, 202]
    assert await service.messages() == ["tiny", "tiny"]


async def test_memory_of_refused_bodies_is_given_back(start: Start) -> None:
    """However a body ends, what it held of the limit is free again."""
    async with start(max_pending_bytes=2000, max_body_bytes=1500, request_timeout_s=0.2) as service:
        async with connected(service) as (_, writer):
            writer.write(HEAD + b"content-length: 1400\r\n\r\n" + ONE)
            await writer.drain()
            writer.transport.abort()
        for sent, end in (
            (HEAD + b"content-length: 1400\r\n\r\n" + ONE, True),
            (HEAD + b"content-length: 1400\r\n\r\n" + ONE, False),
            (HEAD + b"transfer-encoding: chunked\r\n\r\n3ff\r\n" + b" " * 500, True),
        ):
            assert await service.raw(sent, end=end) is not None
        answer = await service.post(b" " * 1400 + ONE)
        assert answer.status == 202


async def test_answers_that_nobody_takes_do_not_pile_up(start: Start) -> None:
    """A sender that reads no answers is not read from either; when it reads, it gets them all."""
    count = 150
    async with (
        start(send_buffer_bytes=4096) as service,
        connected(service) as (reader, writer),
    ):
        before = await _answered(service)
        writer.write(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n" * count)
        for _ in range(count):  # each waits its turn behind what the loop has to do
            asked = await _answered(service) - before
        assert 1 < asked < count + count / 2
        assert [answer.status for answer in await answers(reader, count)] == [200] * count


async def _answered(service: Service) -> float:
    """Answers with status 200 in this process so far."""
    text = (await service.request("GET", "/metrics")).body.decode()
    name = 'logstream_ingest_requests_total{status="200"}'
    return sum(float(line.split()[1]) for line in text.splitlines() if line.startswith(name))


async def test_idle_connections_end_when_the_service_stops(start: Start) -> None:
    """A kept connection is closed at once; it does not hold up the stop."""
    async with (
        start(shutdown_timeout_s=60.0) as service,
        connected(service) as (reader, writer),
    ):
        writer.write(post("one"))
        await answers(reader, 1)
        service.stop.set()
        assert await asyncio.wait_for(reader.read(), 10) == b""


async def test_more_connections_than_there_may_be_end_at_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are served go on being served."""
    monkeypatch.setattr("logstream.ingest.listener.MAX_CONNECTIONS", 1)
    async with start() as service, connected(service) as (reader, writer):
        writer.write(post("first"))
        await answers(reader, 1)
        assert await service.raw(post("second")) is None
        writer.write(post("third"))
        await answers(reader, 1)
    assert writer.is_closing()
