"""What the disk broker makes of damaged files: torn tails, flipped bits, missing segments."""

from __future__ import annotations

import shutil
import struct
import zlib
from pathlib import Path

import pytest

from logstream.broker.base import BrokerStatus, Entry, Message
from logstream.broker.disk.files import Segment
from logstream.broker.disk.format import (
    SEGMENT_HEADER_BYTES,
    decode_segment_header,
    encode_frame,
    encode_segment_header,
    find_frame,
    frame_at,
    header_at,
)
from logstream.broker.disk.format import Mark as DiskMark
from logstream.broker.disk.recovery import MARK
from logstream.errors import BrokerUnavailable
from logstream.testing.broker_contract import message, read_all
from tests.broker.support import frame_ends, make_broker, segments

_SALT = b"saltsalt"


async def fill(folder: Path, sent: list[Message], *, segment_bytes: int = 1_000_000) -> None:
    """Append these one by one and close."""
    async with (
        make_broker(folder, segment_bytes=segment_bytes) as broker,
        await broker.producer() as producer,
    ):
        for each in sent:
            await producer.append(each)


async def drain(folder: Path) -> tuple[list[Entry], BrokerStatus]:
    """Read and acknowledge all there is; what that was and the status afterwards."""
    entries: list[Entry] = []
    async with make_broker(folder) as broker, await broker.consumer() as consumer:
        while more := await consumer.read(max_bytes=1_000_000, wait_s=0):
            entries += more
            await consumer.ack(await consumer.fix(more))
        return entries, await broker.status()


def power_cut(folder: Path, slot: str = "0000") -> None:
    """The published mark was never synced: it is gone."""
    (folder / "writers" / slot / MARK).write_bytes(b"")


async def test_a_torn_tail_is_cut_at_every_offset(folder: Path) -> None:
    """However much of the last two frames is left, the whole ones are read and writing goes on."""
    sent = [message(n, size=n, dedup_id=b"id" * (n % 2)) for n in range(4)]
    await fill(folder / "whole", sent)
    (whole,) = segments(folder / "whole")
    ends = frame_ends(whole)
    for size in range(ends[2], ends[4]):
        copy = folder / f"cut-{size}"
        shutil.copytree(folder / "whole", copy)
        (segment,) = segments(copy)
        segment.write_bytes(segment.read_bytes()[:size])
        power_cut(copy)
        kept = 3 if size >= ends[3] else 2
        async with make_broker(copy) as broker, await broker.producer() as producer:
            assert segment.stat().st_size == ends[kept]
            place = await producer.append(message(9))
            assert place.sequence == kept
            async with await broker.consumer() as consumer:
                entries = await read_all(consumer, kept + 1)
            assert (await broker.status()).quarantined == 0
        assert [entry.message for entry in entries] == [*sent[:kept], message(9)]
        shutil.rmtree(copy)


async def test_a_file_cut_short_of_its_first_frame_is_nothing(folder: Path) -> None:
    """A segment that was being made when the power went is removed, at any length."""
    await fill(folder / "whole", [message(1)])
    for size in (0, 1, SEGMENT_HEADER_BYTES // 2, SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + 9):
        copy = folder / f"cut-{size}"
        shutil.copytree(folder / "whole", copy)
        (segment,) = segments(copy)
        segment.write_bytes(segment.read_bytes()[:size])
        power_cut(copy)
        entries, status = await drain(copy)
        assert entries == []
        assert status.quarantined == 0
        assert segments(copy) == []


async def test_recovery_may_be_stopped_and_done_again(folder: Path) -> None:
    """Ten recoveries in a row, the mark lost before each, leave the same as one."""
    await fill(folder, [message(n) for n in range(3)])
    (segment,) = segments(folder)
    whole = segment.read_bytes()
    segment.write_bytes(whole + whole[SEGMENT_HEADER_BYTES : SEGMENT_HEADER_BYTES + 70])
    for _ in range(10):
        power_cut(folder)
        async with make_broker(folder) as broker:
            await (await broker.producer()).close()
        assert segment.read_bytes() == whole
    entries, _ = await drain(folder)
    assert [entry.message for entry in entries] == [message(n) for n in range(3)]


@pytest.mark.parametrize("bit", [0, 7])
async def test_a_flipped_bit_costs_one_frame_at_most(folder: Path, bit: int) -> None:
    """At every byte: it is noticed and counted, no other frame is lost, none is wrong."""
    sent = [message(n, size=10, dedup_id=b"id%d" % n) for n in range(4)]
    await fill(folder / "whole", sent)
    (whole,) = segments(folder / "whole")
    data = whole.read_bytes()
    ends = frame_ends(whole)
    for at in range(len(data)):
        copy = folder / f"flip-{at}"
        shutil.copytree(folder / "whole", copy)
        (segment,) = segments(copy)
        segment.write_bytes(data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :])
        hit = [n for n in range(4) if ends[n] <= at < ends[n + 1]]
        entries, status = await drain(copy)
        assert [e.message for e in entries] == [m for n, m in enumerate(sent) if n not in hit]
        assert status.quarantined == 1
        assert any("damaged" in warning for warning in status.warnings)
        (kept,) = (copy / "quarantine").iterdir()
        assert kept.read_bytes() in segment.read_bytes()
        shutil.rmtree(copy)


async def test_damage_is_counted_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Met again by a replay, a damaged stretch is not counted again; the log names the bytes."""
    await fill(folder, [message(n) for n in range(3)])
    (segment,) = segments(folder)
    data = bytearray(segment.read_bytes())
    start, end = frame_ends(segment)[1:3]
    data[start + 70] ^= 1
    segment.write_bytes(data)
    for _ in range(3):
        async with make_broker(folder) as broker, await broker.consumer() as consumer:
            assert len(await read_all(consumer, 2)) == 2
            assert (await broker.status()).quarantined == 1
    said = [record.getMessage() for record in caplog.records]
    assert len([text for text in said if f"byte {start} to {end}" in text]) == 1
    assert str(segment) in said[0]


async def test_damage_in_a_fixed_group_costs_one_frame(folder: Path) -> None:
    """A group whose frame was damaged after it was fixed is replayed without it, and ends there."""
    await fill(folder, [message(n) for n in range(4)])
    async with make_broker(folder) as broker, await broker.consumer() as consumer:
        # Three of the four; damage to the last of them must not draw in the fourth.
        entries = await consumer.read(max_bytes=3 * len(message(0).payload), wait_s=0)
        group = await consumer.fix(entries)
    (segment,) = segments(folder)
    data = bytearray(segment.read_bytes())
    data[frame_ends(segment)[2] + 70] ^= 1
    segment.write_bytes(data)
    async with make_broker(folder) as broker, await broker.consumer() as consumer:
        found = await consumer.unfinished()
        assert found is not None
        assert found.number == group.number
        assert found.entries == group.entries[:2]
        await consumer.ack(found)
        assert [e.message for e in await read_all(consumer, 1)] == [message(3)]


@pytest.mark.parametrize("spoil", ["missing", "empty", "header"])
async def test_a_lost_segment_is_told_and_passed(folder: Path, spoil: str) -> None:
    """A segment removed, emptied, or without a header: the gap is counted, the rest is read."""
    sent = [message(n) for n in range(9)]
    await fill(folder, sent, segment_bytes=250)
    files = segments(folder)
    assert len(files) >= 3
    first, following = int(files[1].stem), int(files[2].stem)
    if spoil == "missing":
        files[1].unlink()
    elif spoil == "empty":
        files[1].write_bytes(b"")
    else:
        files[1].write_bytes(b"?" * SEGMENT_HEADER_BYTES + files[1].read_bytes()[64:])
    entries, status = await drain(folder)
    assert [e.message for e in entries] == sent[:first] + sent[following:]
    assert status.quarantined == 1
    assert status.entries == 0


async def test_numbers_are_not_given_out_twice(folder: Path) -> None:
    """When all segments are lost after being read, new entries are still new to the consumer."""
    await fill(folder, [message(n) for n in range(5)])
    await drain(folder)
    for segment in segments(folder):
        segment.unlink()
    power_cut(folder)
    await fill(folder, [message(7)])
    entries, _ = await drain(folder)
    assert [(e.position.sequence, e.message) for e in entries] == [(5, message(7))]


async def test_acknowledged_entries_cut_off_are_told(folder: Path) -> None:
    """A tail that was published as safe and is not there is counted, and its numbers stay used."""
    await fill(folder, [message(n) for n in range(3)])
    (segment,) = segments(folder)
    segment.write_bytes(segment.read_bytes()[: frame_ends(segment)[1]])
    await fill(folder, [message(9)])
    entries, status = await drain(folder)
    assert [e.position.sequence for e in entries] == [0, 3]
    assert status.quarantined == 1


async def test_a_lost_state_file_loses_no_entry(folder: Path) -> None:
    """Without the consumer's file all that is still there is read again, in new groups."""
    await fill(folder, [message(n) for n in range(9)], segment_bytes=250)
    async with make_broker(folder) as broker, await broker.consumer() as consumer:
        first = await consumer.fix(await consumer.read(max_bytes=150, wait_s=0))
        await consumer.ack(first)
    for suffix in ("", "-wal", "-shm"):
        (folder / f"consumer.sqlite{suffix}").unlink(missing_ok=True)
    async with make_broker(folder) as broker, await broker.consumer() as consumer:
        entries = await consumer.read(max_bytes=1_000_000, wait_s=0)
        group = await consumer.fix(entries)
        assert (await broker.status()).quarantined == 0
    assert [e.message for e in entries][-1] == message(8)
    assert entries[0].position.sequence <= len(first.entries)
    assert group.number > first.number


async def test_a_damaged_state_file_is_refused_with_words(folder: Path) -> None:
    """A consumer's file that is no database stops the consumer; the message says what to do."""
    await fill(folder, [message(1)])
    (folder / "consumer.sqlite").write_bytes(b"not a database" * 100)
    async with make_broker(folder) as broker:
        with pytest.raises(BrokerUnavailable, match=r"consumer\.sqlite") as refusal:
            await broker.consumer()
    assert "move the file away" in refusal.value.hint


async def test_a_foreign_version_is_refused_with_words(folder: Path) -> None:
    """A segment of a later version stops its readers and its writer; nothing is changed."""
    await fill(folder, [message(1)])
    (segment,) = segments(folder)
    data = segment.read_bytes()
    body = struct.pack("<8sI8sQ", b"LSTRSEG\n", 2, _SALT, 0)
    foreign = (body + struct.pack("<I", zlib.crc32(body))) * 2 + data[SEGMENT_HEADER_BYTES:]
    segment.write_bytes(foreign)
    async with make_broker(folder) as broker:
        for opens in (broker.producer, broker.consumer):
            with pytest.raises(BrokerUnavailable, match="format version 2"):
                await opens()
    assert segment.read_bytes() == foreign


async def test_foreign_files_are_left_alone(folder: Path) -> None:
    """Files that are not the broker's do not disturb it."""
    await fill(folder, [message(1)])
    (folder / "writers" / "notes.txt").write_text("mine")
    (folder / "writers" / "0000" / "notes.seg").write_text("mine")
    entries, status = await drain(folder)
    assert len(entries) == 1
    assert status.quarantined == 0


def test_a_payload_cannot_pass_for_a_frame() -> None:
    """A whole frame inside a payload is not found: a segment's salt is not known outside."""
    forged, _ = encode_frame(message(1), b"guessed!", DiskMark())
    forged += message(1).payload
    outer = Message(payload=forged, rows=1, received_ns=1)
    head, _ = encode_frame(outer, _SALT, DiskMark())
    data = head + forged
    assert frame_at(data, 0, _SALT) is not None
    assert find_frame(data, 1, _SALT, sequence=0) is None


def test_every_flipped_bit_of_a_frame_is_noticed() -> None:
    """The checksums cover every bit of header, dedup id and payload."""
    each = message(3, dedup_id=b"dedup")
    head, _ = encode_frame(each, _SALT, DiskMark(0, 64, 3, 9, 900))
    data = head + each.payload
    assert header_at(data, 0, _SALT) is not None
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert frame_at(bytes(flipped), 0, _SALT) is None


def test_the_header_is_written_twice() -> None:
    """Either copy of the header gives the salt; the damaged one is named."""
    data = encode_segment_header(_SALT, 5)
    assert decode_segment_header(data) == (_SALT, ())
    assert decode_segment_header(b"?" + data[1:]) == (_SALT, (0,))
    assert decode_segment_header(data[:-1] + b"?") == (_SALT, (32,))


def test_segment_names_sort_by_number(folder: Path) -> None:
    """A segment is called by its first entry's number, wide enough for all."""
    assert Segment(folder, 7).path.name == f"{7:020d}.seg"
