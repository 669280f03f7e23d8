"""Requests cut, joined, mutated and broken off anywhere, sent to the running service."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logstream.ingest.request import Pending
from tests.ingest.harness import Answer, Service, read_answer, running

KEY = b"x-api-key: k\r\n"
HEAD = b"POST /logs HTTP/1.1\r\nhost: x\r\n" + KEY
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
ONE = b'{"message":"one"}'
LONG_B = 70_000

T = TypeVar("T")
modest = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Api:
    """The service on the event loop that it has in production, and its count of bytes in work."""

    def __init__(self, runner: asyncio.Runner, service: Service, pending: Pending) -> None:
        self._runner = runner
        self.service = service
        self.pending = pending
        self._alone: dict[bytes, int] = {}

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(asyncio.wait_for(what, 20))

    async def alone(self, sent: bytes) -> int:
        """The status of one request on a connection of its own."""
        if sent not in self._alone:
            answer = await self.service.raw(sent, head=sent.startswith(b"HEAD"))
            assert answer is not None
            self._alone[sent] = answer.status
        return self._alone[sent]

    async def well(self) -> None:
        """It answers as ever, and holds nothing of what was sent before."""
        answer = await self.service.post(ONE, x_api_key="k")
        assert answer.status == 202
        for _ in range(2000):
            if not self.pending.used_bytes:
                return
            await asyncio.sleep(0.001)
        assert self.pending.used_bytes == 0

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.service.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """One service for all examples."""
    made: list[Pending] = []

    def make(limit_bytes: int) -> Pending:
        made.append(Pending(limit_bytes))
        return made[-1]

    with (
        pytest.MonkeyPatch.context() as patch,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        patch.setattr("logstream.ingest.server.Pending", make)
        stack = contextlib.AsyncExitStack()
        start = running(api_keys=("k",), max_body_bytes=100_000)
        service = runner.run(stack.enter_async_context(start))
        yield Api(runner, service, made[0])
        runner.run(stack.aclose())


# Requests

BODIES = [
    ONE,
    b'[{"message":"a"},{"message":"b"}]',
    b'{"message":"a"}\n{"message":"b"}\n{"mess',
    b'{"message":',
    b"[]",
    b" ",
    b'{"message":"%s"}' % (b"x" * 20_000),
]
EXTRAS = [
    b"",
    b"x-empty:\r\n",
    b"content-type: application/x-ndjson\r\n",
    b"content-type: text/html\r\n",
    b"idempotency-key: same\r\n",
    b"content-encoding: br\r\n",
    b"connection: close\r\n",
]
PLAIN = [
    b"GET /health HTTP/1.1\r\n\r\n",
    b"HEAD /health HTTP/1.1\r\n\r\n",
    b"GET /ready HTTP/1.1\r\n" + KEY + b"\r\n",
    b"HEAD /nowhere HTTP/1.1\r\n" + KEY + b"\r\n",
    b"DELETE /logs HTTP/1.1\r\n" + KEY + b"\r\n",
    b"POST /logs HTTP/1.1\r\nhost: x\r\ncontent-length: 17\r\n\r\n" + ONE,
    b"POST http://h:1/logs HTTP/1.1\r\n" + KEY + b"content-length: 17\r\n\r\n" + ONE,
    b"POST /logs?ack=queued HTTP/1.1\r\n" + KEY + b"content-length: 17\r\n\r\n" + ONE,
    b"POST /logs?ack=no HTTP/1.1\r\n" + KEY + b"content-length: 17\r\n\r\n" + ONE,
    b"POST //logs HTTP/1.1\r\n" + KEY + b"content-length: 17\r\n\r\n" + ONE,
    b"POST /%6cogs HTTP/1.1\r\n" + KEY + b"content-length: 17\r\n\r\n" + ONE,
    HEAD + b"\r\n",
    HEAD + b"content-length: 0\r\n\r\n",
    HEAD + KEY + b"content-length: 17\r\n\r\n" + ONE,
]


@st.composite
def posts(draw: st.DrawFn) -> bytes:
    body = draw(st.sampled_from(BODIES))
    extra = draw(st.sampled_from(EXTRAS))
    if draw(st.booleans()):
        body, extra = gzip.compress(body, mtime=0), extra + b"content-encoding: gzip\r\n"
    if not draw(st.booleans()):
        return HEAD + extra + b"content-length: %d\r\n\r\n" % len(body) + body
    ends = sorted(draw(st.sets(st.integers(1, len(body)), max_size=6)) | {len(body)})
    chunks = b"".join(
        b"%x%s\r\n%s\r\n" % (end - start, draw(st.sampled_from((b"", b";a=b"))), body[start:end])
        for start, end in zip([0, *ends], ends, strict=False)
        if end > start
    )
    trailer = draw(st.sampled_from((b"", b"content-encoding: gzip\r\n", b"x:\r\n")))
    return HEAD + extra + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n%s\r\n" % trailer


requests = st.one_of(posts(), st.sampled_from(PLAIN))
cuts = st.lists(st.floats(0, 1), max_size=8)


def packets(whole: bytes, where: list[float]) -> list[bytes]:
    ends = sorted({int(part * len(whole)) for part in where} | {len(whole)})
    return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]


async def send(writer: asyncio.StreamWriter, parts: list[bytes]) -> None:
    """Each part as a packet of its own, if the sender's end still stands."""
    with contextlib.suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            for _ in range(3):  # so that it is read before the next one is sent
                await asyncio.sleep(0)


async def every_answer(reader: asyncio.StreamReader) -> list[Answer]:
    """All answers until the connection ends; each whole, none but answers."""
    with contextlib.suppress(ConnectionError):
        return _answers_in(await reader.read())
    return []


def _answers_in(rest: bytes) -> list[Answer]:
    found = []
    while rest:
        head, end, rest = rest.partition(b"\r\n\r\n")
        version, status, *_ = head.split(b" ")
        assert (version, end) == (b"HTTP/1.1", b"\r\n\r\n")
        lines = head.decode().split("\r\n")[1:]
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers.get("content-length", 0))
        assert len(rest) >= length
        body, rest = rest[:length], rest[length:]
        if status != b"100":
            found.append(Answer(int(status), headers, body))
    return found


# Properties


@modest
@given(sent=st.lists(requests, min_size=1, max_size=8), where=cuts)
def test_the_way_requests_are_cut_changes_no_answer(
    api: Api, sent: list[bytes], where: list[float]
) -> None:
    """Joined and cut anywhere, requests are answered in order, each as when it is alone."""

    async def exchange() -> None:
        async with api.connected() as (reader, writer):
            sending = asyncio.create_task(send(writer, packets(b"".join(sent), where)))
            for one in sent:
                answer = await read_answer(reader, head=one.startswith(b"HEAD"))
                assert answer is not None
                assert answer.status == await api.alone(one)
                if "connection" in answer.headers:
                    assert b"connection: close" in one or answer.status >= 400
                    assert await reader.read() == b""
                    break
            await sending
        await api.well()

    api.run(exchange())


SPLINTERS = [
    b"\r\n",
    b"\n",
    b"\x00",
    b":",
    b" ",
    b"0\r\n\r\n",
    b"content-length: 5\r\n",
    b"transfer-encoding: chunked\r\n",
    b"expect: 100-continue\r\n",
    b"upgrade: x\r\nconnection: upgrade\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n\r\n",
]


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    valid = st.lists(requests.filter(lambda one: not one.startswith(b"HEAD")), max_size=4)
    whole = bytearray(b"".join(draw(valid)))
    some = st.one_of(
        st.binary(max_size=12),
        st.sampled_from(SPLINTERS),
    )
    for _ in range(draw(st.integers(1, 4))):
        at = int(draw(st.floats(0, 1)) * len(whole))
        gone = draw(st.sampled_from((0, 0, 1, 2, 7, 40)))
        whole[at : at + gone] = draw(some)
    return bytes(whole)


@modest
@given(sent=st.one_of(st.binary(max_size=200), mutations()), where=cuts, reset=st.booleans())
def test_whatever_is_sent_is_answered_whole_or_not_at_all(
    api: Api, sent: bytes, where: list[float], reset: bool
) -> None:
    """No bytes bring anything but whole answers, errors in the one shape; others are served on."""

    async def exchange() -> None:
        async with api.connected() as (reader, writer):
            await send(writer, packets(sent, where))
            if reset:
                writer.transport.abort()
            elif not writer.transport.is_closing():
                with contextlib.suppress(OSError):  # it may have ended already
                    writer.write_eof()
            for answer in await every_answer(reader):
                if answer.status >= 400:
                    assert answer.error["message"]
        await api.well()

    api.run(exchange())


@pytest.mark.parametrize("reset", [False, True], ids=["half-close", "reset"])
def test_senders_may_end_anywhere(api: Api, reset: bool) -> None:
    """Wherever a sender stops or breaks off, its whole requests are taken and nothing is held."""
    gzipped = gzip.compress(ONE)
    first = HEAD + b"content-length: 17\r\n\r\n" + ONE
    second = CHUNKED + b"5;a=b\r\n" + ONE[:5] + b"\r\nc\r\n" + ONE[5:] + b"\r\n0\r\nt: x\r\n\r\n"
    third = HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(gzipped) + gzipped
    whole = first + second + third
    ends = [len(first), len(first + second), len(whole)]

    async def exchange(size: int) -> None:
        async with api.connected() as (reader, writer):
            await send(writer, [whole[:size]])
            if reset:
                writer.transport.abort()
                return
            writer.write_eof()
            statuses = [answer.status for answer in await every_answer(reader)]
        complete = sum(end <= size for end in ends)
        assert statuses[:complete] == [202] * complete
        assert statuses[complete:] in ([], [400])

    async def all_of_them() -> None:
        for size in range(0, len(whole) + 1, 2):
            await exchange(size)
        await api.well()

    api.run(all_of_them())


# Cases


def everything(api: Api, *sent: bytes) -> list[Answer]:
    """All answers to what is sent, when the sender stops sending but the service ends it."""

    async def exchange() -> list[Answer]:
        async with api.connected() as (reader, writer):
            sending = asyncio.create_task(send(writer, list(sent)))
            found = await every_answer(reader)
            await sending
        await api.well()
        return found

    return api.run(exchange())


def test_a_long_burst_is_no_long_head(api: Api) -> None:
    """The bytes of requests are not counted for the head of the one cut off behind them."""
    one = HEAD + b"content-length: 17\r\n\r\n" + ONE
    count = LONG_B // len(one) + 1
    last = one.replace(b"host", b"connection: close\r\nhost")
    found = everything(api, one * count + last[:20], last[20:])
    assert [answer.status for answer in found] == [202] * (count + 1)


@pytest.mark.parametrize(
    "around",
    [
        b"5;" + b"x" * LONG_B,
        b"5\r\nabcde\r\n0\r\nx: " + b"x" * LONG_B,
        b"5\r\nabcde\r\n0\r\n" + b"x: y\r\n" * (LONG_B // 6),
    ],
    ids=["extension", "trailer", "trailers"],
)
def test_what_is_around_chunks_is_bounded(api: Api, around: bytes) -> None:
    """Extensions and trailers without end are refused when they are longer than a head may be."""
    found = everything(api, CHUNKED + around)
    assert [answer.status for answer in found] == [431]
    assert found[0].error["message"] == "what is around the chunks is more than 65536 bytes"


def test_small_chunks_are_not_refused_for_what_is_around_them(api: Api) -> None:
    """A body in chunks of one byte is long on the wire, and taken."""
    body = b'{"message":"%s"}' % (b"x" * 30_000)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    close = CHUNKED.replace(b"host", b"connection: close\r\nhost")
    found = everything(api, close, *packets(chunks, [0.2, 0.4, 0.6, 0.8]), b"0\r\n\r\n")
    assert [answer.status for answer in found] == [202]


def test_a_header_repeated_without_end_is_431(api: Api) -> None:
    """Joining them all would take the event loop for itself."""
    found = everything(api, HEAD + b"a:b\r\n" * 10_000 + b"content-length: 17\r\n\r\n")
    assert [answer.status for answer in found] == [431]


@pytest.mark.parametrize("path", [b"/nowhere", b"/health"])
def test_nothing_is_read_behind_the_last_request(api: Api, path: bytes) -> None:
    """A request that says close is the last that is answered, whatever follows it."""
    last = b"GET %s HTTP/1.1\r\nconnection: close\r\n%s\r\n" % (path, KEY)
    assert len(everything(api, last + b"GET /health HTTP/1.1\r\n\r\n" * 2)) == 1


def test_a_tunnel_is_refused_and_what_goes_into_it_not_read(api: Api) -> None:
    """CONNECT ends the connection: what follows it is not HTTP for this port."""
    found = everything(
        api, b"CONNECT h:80 HTTP/1.1\r\n" + KEY + b"\r\nGET /health HTTP/1.1\r\n\r\n"
    )
    assert [(answer.status, answer.headers["connection"]) for answer in found] == [(404, "close")]


def test_expectations_are_read_in_any_case(api: Api) -> None:
    """100-Continue is 100-continue."""

    async def exchange() -> None:
        async with api.connected() as (reader, writer):
            writer.write(HEAD + b"content-length: 17\r\nExpect: 100-Continue\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"

    api.run(exchange())


def test_headers_without_value_are_headers_of_their_own(api: Api) -> None:
    """They are not joined with the name of the next one, nor are trailers with the next request."""
    trailed = CHUNKED + b"11\r\n" + ONE + b"\r\n0\r\ncontent-encoding:\r\n\r\n"
    last = b"POST /logs HTTP/1.1\r\nx:\r\nconnection: close\r\nx:\r\n" + KEY
    found = everything(api, trailed, trailed + last + b"content-length: 17\r\n\r\n" + ONE)
    assert [answer.status for answer in found] == [202] * 3
    assert json.loads(found[-1].body)["accepted"] == 1
