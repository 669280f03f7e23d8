"""Bad and hostile requests: a clear answer, nothing half stored, and the good ones go on."""

from __future__ import annotations

import asyncio
import gzip
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from logstream.errors import BadRequest, PayloadTooLarge
from logstream.ingest.compression import decompress
from tests.ingest.harness import Service, Start, read_answer

ONE = b'{"message":"one"}'
HEAD = b"POST /logs HTTP/1.1\r\nhost: x\r\n"
MIB = 1 << 20
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress,
}  # fmt: skip


async def test_a_body_cut_short_is_400_and_stored_not_at_all(service: Service) -> None:
    """A sender that is gone before its Content-Length is full leaves nothing behind."""
    answer = await service.raw(HEAD + b"content-length: 100\r\n\r\n" + ONE + b"\n" + ONE, end=True)
    assert answer is not None
    assert (answer.status, answer.error["message"]) == (
        400, "the body is shorter than its Content-Length says",
    )  # fmt: skip
    assert await service.records() == []


@pytest.mark.parametrize("rest", [b"", b"ff\r\n" + ONE, b"zz\r\n"])
async def test_broken_chunks_are_400_and_stored_not_at_all(service: Service, rest: bytes) -> None:
    """A chunked body that does not end as it should counts for nothing, whole chunks included."""
    chunk = b"%x\r\n%s\r\n" % (len(ONE), ONE)
    answer = await service.raw(
        HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunk + rest, end=True
    )
    assert answer is not None
    assert (answer.status, answer.error["message"]) == (
        400,
        "the chunked body is cut short or broken",
    )
    assert await service.records() == []


async def test_sound_chunks_are_taken(service: Service) -> None:
    """A body without a length comes in chunks."""
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (ONE[:5], ONE[5:]))
    answer = await service.raw(HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert answer is not None
    assert answer.status == 202
    assert await service.messages() == ["one"]


@pytest.mark.parametrize("length", [b"abc", b"-5", b"1e3", b"3\r\ncontent-length: 17"])
async def test_a_content_length_that_is_none_is_400(service: Service, length: bytes) -> None:
    """What is not one whole number is refused by the server itself, and the connection closed."""
    answer = await service.raw(HEAD + b"content-length: " + length + b"\r\n\r\n" + ONE)
    assert answer is not None
    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert await service.records() == []


async def test_a_content_length_too_small_cuts_the_record(service: Service) -> None:
    """What arrives within the length is judged, the rest is not taken for a request."""
    answer = await service.raw(HEAD + b"content-length: 5\r\n\r\n" + ONE)
    assert answer is not None
    assert (answer.status, answer.error["code"]) == (400, "nothing_accepted")
    assert await service.records() == []


async def test_no_length_at_all_is_411(service: Service) -> None:
    """A request says how long its body is, or that it comes in chunks."""
    answer = await service.raw(HEAD + b"\r\n")
    assert answer is not None
    assert (answer.status, answer.error["code"]) == (411, "length_required")


async def test_a_body_too_large_is_413_before_it_is_sent(start: Start) -> None:
    """The declared length is enough to refuse it; not a byte of it is waited for."""
    async with start(max_body_bytes=1000) as service:
        answer = await service.raw(HEAD + b"content-length: 1001\r\n\r\n")
        assert answer is not None
        assert (answer.status, answer.error["message"]) == (413, "the body is more than 1000 bytes")
        assert (await service.post(ONE)).status == 202


async def test_chunks_too_large_are_413_on_the_way(start: Start) -> None:
    """A chunked body is refused as soon as it is over the limit, though it never ends."""
    async with start(max_body_bytes=1000) as service:
        answer = await service.raw(
            HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"400\r\n" + b" " * 1024 + b"\r\n"
        )
        assert answer is not None
        assert (answer.status, answer.headers["connection"]) == (413, "close")


async def test_too_much_at_once_is_503(start: Start) -> None:
    """While bodies of the most bytes allowed are here, the next is told to come again."""
    async with start(max_pending_bytes=1000) as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(HEAD + b"content-length: 1000\r\n\r\n" + ONE + b" " * 973)
        await asyncio.sleep(0.1)
        answer = await service.post(ONE)
        assert (answer.status, answer.error["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        writer.write(b" " * 10)
        first = await read_answer(reader)
        assert first is not None
        assert first.status == 202
        assert (await service.post(ONE)).status == 202
        writer.close()
        await writer.wait_closed()


async def test_bodies_announced_and_not_sent_shut_nobody_out(start: Start) -> None:
    """However much silent connections announce together, others are served."""
    async with start(max_pending_bytes=MIB, max_body_bytes=MIB) as service:
        silent = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(20)]
        for _, writer in silent:
            writer.write(HEAD + b"content-length: %d\r\n\r\n" % MIB)
        large = b'{"message":"%s"}' % (b"x" * 700_000)
        for body in (ONE, large, large):
            assert (await service.post(body)).status == 202
        for _, writer in silent:
            writer.close()


async def test_large_bodies_on_their_way_leave_room_for_others(start: Start) -> None:
    """Slow senders of large bodies are told to come again before they fill all there is; small
    bodies are taken meanwhile."""
    async with start(max_pending_bytes=MIB) as service:
        slow = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(12)]
        for _, writer in slow:
            writer.write(HEAD + b"content-length: 150000\r\n\r\n" + b" " * 100_000)
        told = await asyncio.gather(*(read_answer(reader) for reader, _ in slow[7:]))
        assert [answer and answer.status for answer in told] == [503] * 5
        for body in (ONE, b'{"message":"%s"}' % (b"x" * 16_000)):
            assert (await service.post(body)).status == 202
        for reader, writer in slow[:7]:
            writer.write(b" " * (50_000 - len(ONE)) + ONE)
            answer = await read_answer(reader)
            assert answer is not None
            assert answer.status == 202
        for _, writer in slow:
            writer.close()


async def test_bodies_that_expand_share_the_same_room(start: Start) -> None:
    """What decompressed bodies hold counts: who finds no room is told to come again."""
    body = gzip.compress(b" " * MIB + ONE)
    async with start(max_pending_bytes=5 * MIB // 2) as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        held = 7 * MIB // 4
        writer.write(HEAD + b"content-length: %d\r\n\r\n" % (held + len(ONE)) + b" " * held)
        statuses = [(await service.post(body, content_encoding="gzip")).status for _ in range(5)]
        assert statuses[-1] == 503
        writer.write(ONE)
        answer = await read_answer(reader)
        assert answer is not None
        assert answer.status == 202
        assert (await service.post(body, content_encoding="gzip")).status == 202
        writer.close()


@pytest.mark.parametrize("coding", ["", "gzip"])
@pytest.mark.parametrize("keys", [None, ("a", "b"), ("a", "a")])
async def test_who_waits_for_the_store_holds_no_room(
    start: Start, keys: tuple[str, str] | None, coding: str
) -> None:
    """Large bodies that are safe, and repetitions of them, whose senders wait until they are
    stored keep nobody out."""
    body = b'{"message":"%s"}' % (b"x" * 500_000)
    sent = gzip.compress(body) if coding else body
    async with start(max_pending_bytes=MIB) as service:
        waiting = []
        for n in range(2):
            headers = {"idempotency_key": keys[n]} if keys else {}
            if coding:
                headers["content_encoding"] = coding
            waiting.append(asyncio.create_task(service.post(sent, "/logs?ack=stored", **headers)))
            await asyncio.sleep(0.1)
        async with asyncio.timeout(15):  # they would hold it for 30
            while (await service.post(body)).status == 503:  # noqa: ASYNC110 – it may take a moment
                await asyncio.sleep(0.01)
        assert (await service.post(body)).status == 202
        await service.messages()
        assert [(await each).json["ack"] for each in waiting] == ["stored", "stored"]


async def test_a_body_dribbled_in_is_cut(start: Start) -> None:
    """Who does not send the whole body in time is answered 408; others are served meanwhile."""
    async with start(request_timeout_s=0.2) as service:
        slow = asyncio.create_task(service.raw(HEAD + b"content-length: 100\r\n\r\n", ONE))
        assert (await service.post(ONE)).status == 202
        answer = await slow
        assert answer is not None
        assert (answer.status, answer.error["code"]) == (408, "request_timeout")
        assert answer.headers["connection"] == "close"
        assert await service.messages() == ["one"]


async def test_headers_dribbled_in_are_cut(start: Start) -> None:
    """Connections whose headers do not come in time are closed; others are served meanwhile."""
    async with start(request_timeout_s=0.3) as service:
        slow = [asyncio.create_task(service.raw(b"POST /logs HTT")) for _ in range(50)]
        assert (await service.post(ONE)).status == 202
        assert await asyncio.gather(*slow) == [None] * 50
        assert (await service.post(ONE)).status == 202


async def test_a_sender_gone_before_its_answer_harms_nobody(service: Service) -> None:
    """The record is stored, the answer is lost, the next request is served."""
    _, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(HEAD + b"content-length: %d\r\n\r\n" % len(ONE) + ONE)
    await writer.drain()
    writer.transport.abort()
    assert (await service.post(ONE)).status == 202
    assert set(await service.messages()) == {"one"}


async def test_what_is_not_http_is_refused(service: Service) -> None:
    """Bytes of another protocol end their own connection only."""
    http_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for garbage in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n", http_2):
        answer = await service.raw(garbage)
        assert answer is not None
        assert answer.status == 400
    assert (await service.post(ONE)).status == 202


BAD_LINES = [
    (b'{"message":', "not JSON: it ends too early"),
    (b'{"message":"\xff\xfe"}', "invalid UTF-8 at byte 12 of the record"),
    (b'{"message":"a\x00b"}', "not JSON: invalid character at byte 13 of the record"),
    (b'{"message":"\\ud800"}', "lone surrogate \\ud800 at byte 12 of the record"),
    (b'{"a":' * 100 + b"1" + b"}" * 100, "nested deeper than 32 levels"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep to be read"),
    (b"{" + b",".join(b'"k%d":1' % n for n in range(10_000)) + b"}",
     "10001 attributes, more than the 1000 allowed"),
    (b'{"n":NaN}', "not JSON: invalid character at byte 5 of the record"),
    (b'{"n":-Infinity}', "not JSON: invalid character at byte 6 of the record"),
    (b'{"%s":1}' % (b"k" * MIB), f'key "{"k" * 80}…" is longer than 256 bytes'),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES, ids=range(len(BAD_LINES)))
async def test_a_bad_line_is_named_and_its_neighbours_stored(
    service: Service, bad: bytes, reason: str
) -> None:
    """Whatever one line is, the answer is 202 with its reason, and the lines around it are kept."""
    answer = await service.post(b'{"message":"before"}\n' + bad + b'\n{"message":"after"}')
    assert answer.status == 202
    assert answer.json["errors"] == [{"index": 1, "reason": reason}]
    assert await service.messages() == ["before", "after"]


@pytest.mark.parametrize(
    ("line", "attribute", "text"),
    [
        (b'{"k":1,"k":2}', "k", "2"),
        (b'{"k":1e400}', "k", "1e400"),
        (b'{"k":"a\\u0000b"}', "k", "a\x00b"),
        (b'{"":"empty"}', "", "empty"),
    ],
)
async def test_odd_but_sound_lines_are_stored(
    service: Service, line: bytes, attribute: str, text: str
) -> None:
    """Duplicate keys, huge numbers, escaped NUL and empty keys are kept as documented."""
    assert (await service.post(line)).status == 202
    (record,) = await service.records()
    assert record.attributes[attribute] == text


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
async def test_a_bomb_is_413_and_never_expands(service: Service, coding: str) -> None:
    """A gigabyte of zeros stops at the limit without the memory that it asks for."""
    bomb = _bomb(coding, 1 << 30)
    before = _rss_bytes()
    answer = await service.post(bomb, content_encoding=coding)
    assert (answer.status, answer.error["code"]) == (413, "payload_too_large")
    assert _rss_bytes() - before < 64 * MIB
    assert (await service.post(ONE)).status == 202


def _bomb(coding: str, size: int) -> bytes:
    zeros = bytes(MIB)
    if coding == "zstd":
        packer = zstandard.ZstdCompressor(level=1).compressobj()
        return b"".join(packer.compress(zeros) for _ in range(size // MIB)) + packer.flush()
    deflate = zlib.compressobj(1, wbits=31 if coding == "gzip" else 15)
    return b"".join(deflate.compress(zeros) for _ in range(size // MIB)) + deflate.flush()


def _rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_a_compressed_body_cut_anywhere_is_an_error(coding: str) -> None:
    """No cut of a compressed body passes for a whole one, and none is anything but an error."""
    body = b"".join(b'{"message":"%d"}\n' % n for n in range(300))
    packed = PACK[coding](body)
    assert decompress(packed, coding, limit_bytes=MIB) == body
    for end in range(len(packed)):
        with pytest.raises(BadRequest):
            decompress(packed[:end], coding, limit_bytes=MIB)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_garbage_after_a_compressed_body_is_an_error(coding: str) -> None:
    """What follows the last member is not quietly left out."""
    packed = PACK[coding](ONE)
    with pytest.raises(BadRequest):
        decompress(packed + b"garbage", coding, limit_bytes=MIB)


def test_a_body_that_compresses_very_well_is_still_read() -> None:
    """Suspicion costs a second pass, not the body."""
    body = b" " * (8 * MIB) + ONE
    assert decompress(zstandard.compress(body), "zstd", limit_bytes=16 * MIB) == body


def test_the_limit_is_exact() -> None:
    """As many bytes as the limit pass, one more does not."""
    packed = gzip.compress(bytes(1000))
    assert len(decompress(packed, "gzip", limit_bytes=1000)) == 1000
    with pytest.raises(PayloadTooLarge):
        decompress(packed, "gzip", limit_bytes=999)


def test_members_without_end_are_an_error() -> None:
    """A body of countless empty members is given up."""
    with pytest.raises(BadRequest, match="more than 10000 gzip members"):
        decompress(gzip.compress(b"") * 10_001, "gzip", limit_bytes=MIB)
