"""The bytes of segments and marks: pure functions, no file is touched here.

The package's docstring says what the fields are for.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from logstream.broker.base import Entry, Message, Position
from logstream.errors import CorruptData

__all__ = [
    "FRAME_BYTES",
    "MARK_BYTES",
    "MAX_DEDUP_BYTES",
    "MAX_PAYLOAD_BYTES",
    "SEGMENT_HEADER_BYTES",
    "VERSION",
    "ForeignVersion",
    "Frame",
    "Mark",
    "decode_mark",
    "decode_segment_header",
    "encode_frame",
    "encode_mark",
    "encode_segment_header",
    "entry_of",
    "find_frame",
    "frame_at",
    "header_at",
]

VERSION = 1
MAX_DEDUP_BYTES = 32
MAX_PAYLOAD_BYTES = 1 << 30

_SEGMENT_MAGIC = b"LSTRSEG\n"
_SEGMENT = struct.Struct("<8sI8sQ")
_HEADER_COPY_BYTES = _SEGMENT.size + 4
SEGMENT_HEADER_BYTES = 2 * _HEADER_COPY_BYTES

_FRAME = struct.Struct("<8sIIQqQQB3xI")
_CRC = struct.Struct("<I")
FRAME_BYTES = _FRAME.size + _CRC.size
"""Bytes of a frame before its dedup id and payload."""

_MARK = struct.Struct("<QQQQQ")
MARK_BYTES = _MARK.size + _CRC.size


class ForeignVersion(CorruptData):
    """A segment of a format that this program does not read."""


class Mark(NamedTuple):
    """A place between two entries of one writer.

    ``offset`` bytes into the segment whose first entry is ``segment``; ``sequence`` is the next
    entry's number; ``rows`` and ``size`` are what the writer ever wrote before it, so that the
    difference of two marks says how much lies between them.
    """

    segment: int = 0
    offset: int = 0
    sequence: int = 0
    rows: int = 0
    size: int = 0


class Frame(NamedTuple):
    """One entry's header and where its bytes stand in the buffer it was read from."""

    sequence: int
    rows: int
    received_ns: int
    total_rows: int
    total_size: int
    payload_crc: int
    start: int
    dedup_start: int
    payload_start: int
    end: int


def encode_segment_header(salt: bytes, first: int) -> bytes:
    """The header twice, so that no single flaw in it makes a segment's frames unreadable."""
    body = _SEGMENT.pack(_SEGMENT_MAGIC, VERSION, salt, first)
    return (body + _CRC.pack(zlib.crc32(body))) * 2


def decode_segment_header(data: bytes) -> tuple[bytes, tuple[int, ...]]:
    """The segment's salt, and the offsets of those copies of the header that are damaged.

    Raises:
        ForeignVersion: whole, but of another version.
        CorruptData: neither copy is whole.
    """
    salt = None
    damaged = []
    for start in (0, _HEADER_COPY_BYTES):
        body = data[start : start + _SEGMENT.size]
        crc = data[start + _SEGMENT.size : start + _HEADER_COPY_BYTES]
        if len(crc) < _CRC.size or _CRC.pack(zlib.crc32(body)) != crc:
            damaged.append(start)
            continue
        magic, version, salt, _ = _SEGMENT.unpack(body)
        if magic != _SEGMENT_MAGIC or version != VERSION:
            raise ForeignVersion(
                f"it has format version {version}, this program reads {VERSION}",
                hint="run the version of LogStream that wrote it until the broker is empty",
            )
    if salt is None:
        raise CorruptData("neither copy of the segment's header is whole")
    return salt, tuple(damaged)


def encode_frame(message: Message, salt: bytes, before: Mark) -> tuple[bytes, Mark]:
    """All of a frame but its payload, which follows as it is, and the mark after it.

    ``before.segment`` and ``before.offset`` must be those of the file written to.
    """
    dedup_id, payload = message.dedup_id, message.payload
    size = FRAME_BYTES + len(dedup_id) + len(payload)
    after = Mark(
        before.segment,
        before.offset + size,
        before.sequence + 1,
        before.rows + message.rows,
        before.size + size,
    )
    head = _FRAME.pack(
        salt,
        len(payload),
        message.rows,
        before.sequence,
        message.received_ns,
        after.rows,
        after.size,
        len(dedup_id),
        zlib.crc32(payload),
    )
    return head + _CRC.pack(zlib.crc32(dedup_id, zlib.crc32(head))) + dedup_id, after


def header_at(data: bytes, start: int, salt: bytes) -> Frame | None:
    """The frame whose header and dedup id stand whole at ``start``; its payload may lie beyond."""
    if len(data) - start < FRAME_BYTES:
        return None
    found, length, rows, sequence, received_ns, total_rows, total_size, dedup_bytes, crc = (
        _FRAME.unpack_from(data, start)
    )
    dedup_start = start + FRAME_BYTES
    payload_start = dedup_start + dedup_bytes
    if found != salt or dedup_bytes > MAX_DEDUP_BYTES or payload_start > len(data):
        return None
    (header_crc,) = _CRC.unpack_from(data, start + _FRAME.size)
    own = zlib.crc32(data[start : start + _FRAME.size])
    if dedup_bytes:
        own = zlib.crc32(data[dedup_start:payload_start], own)
    if own != header_crc:
        return None
    return Frame(
        sequence,
        rows,
        received_ns,
        total_rows,
        total_size,
        crc,
        start,
        dedup_start,
        payload_start,
        payload_start + length,
    )


def entry_of(data: bytes, frame: Frame, writer: str) -> Entry | None:
    """The entry of a frame that lies whole in ``data``; ``None`` if its payload is damaged."""
    payload = data[frame.payload_start : frame.end]
    if zlib.crc32(payload) != frame.payload_crc:
        return None
    return Entry(
        position=Position(writer, frame.sequence),
        message=Message(
            payload=payload,
            rows=frame.rows,
            received_ns=frame.received_ns,
            dedup_id=data[frame.dedup_start : frame.payload_start],
        ),
    )


def frame_at(data: bytes, start: int, salt: bytes) -> Frame | None:
    """The frame that stands whole and undamaged at ``start``, payload included."""
    frame = header_at(data, start, salt)
    if frame is None or frame.end > len(data):
        return None
    payload = memoryview(data)[frame.payload_start : frame.end]
    return frame if zlib.crc32(payload) == frame.payload_crc else None


def find_frame(data: bytes, start: int, salt: bytes, *, sequence: int) -> Frame | None:
    """The first undamaged frame from ``start`` on whose number is at least ``sequence``."""
    while (start := data.find(salt, start)) >= 0:
        frame = frame_at(data, start, salt)
        if frame is not None and frame.sequence >= sequence:
            return frame
        start += 1
    return None


def encode_mark(mark: Mark) -> bytes:
    body = _MARK.pack(*mark)
    return body + _CRC.pack(zlib.crc32(body))


def decode_mark(data: bytes) -> Mark | None:
    """The mark, or ``None`` if it is not whole: never written, or caught half written."""
    if len(data) != MARK_BYTES or _CRC.pack(zlib.crc32(data[: _MARK.size])) != data[_MARK.size :]:
        return None
    return Mark(*_MARK.unpack_from(data))
