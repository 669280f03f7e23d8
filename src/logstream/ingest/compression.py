"""Content codings, undone without ever holding more than the limit.

A body that claims to be small and expands without end is stopped at the limit; one that expands
beyond all reason is first only counted, so that it costs no memory to find out.
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable, Iterator

import zstandard

from logstream.errors import BadRequest, PayloadTooLarge, UnsupportedMedia

__all__ = ["CODINGS", "coding_of", "decompress"]

_PIECE_BYTES = 256 << 10
_FEED_BYTES = 64 << 10
_MAX_MEMBERS = 10_000
_ZSTD_WINDOW_BYTES = 8 << 20  # what RFC 9659 lets a sender expect
_COUNT_FIRST_BYTES = 4 << 20
_COUNT_FIRST_RATIO = 100
_GZIP, _ZLIB, _RAW = 31, 15, -15


def coding_of(header: str | None) -> str:
    """The one coding that a ``Content-Encoding`` header names, ``""`` for none.

    Raises:
        UnsupportedMedia: a coding not known here, or several on top of each other.
    """
    if not header:
        return ""
    names = [name for part in header.lower().split(",") if (name := part.strip())]
    codings = [name.removeprefix("x-") for name in names if name != "identity"]
    if not codings:
        return ""
    if len(codings) > 1 or codings[0] not in CODINGS:
        raise UnsupportedMedia(
            f"content encoding {header!r} is not read here",
            hint=f"send one of {', '.join(CODINGS)}, or none",
        )
    return codings[0]


def decompress(data: bytes, coding: str, *, limit_bytes: int) -> bytes:
    """The body that was compressed to ``data``.

    Raises:
        BadRequest: not that coding, damaged, or cut short.
        PayloadTooLarge: more than ``limit_bytes`` when expanded.
    """
    open_pieces = CODINGS[coding]
    whole = io.BytesIO()
    total = 0
    counting = False
    for piece, consumed in open_pieces(data):
        total += len(piece)
        if total > limit_bytes:
            raise PayloadTooLarge(
                f"the body is more than {limit_bytes} bytes when decompressed",
                hint="send smaller bodies, or raise max_decoded",
            )
        if not counting:
            whole.write(piece)
            if total > _COUNT_FIRST_BYTES and total > _COUNT_FIRST_RATIO * consumed:
                counting = True
                whole = io.BytesIO()
    if counting:
        for piece, _ in open_pieces(data):
            whole.write(piece)
    return whole.getvalue()


_Pieces = Iterator[tuple[bytes, int]]
"""Decompressed pieces, each with how many bytes of the body it took to come so far."""


def _gzip(data: bytes) -> _Pieces:
    return _inflate(data, _GZIP, "gzip")


def _deflate(data: bytes) -> _Pieces:
    # "deflate" means the zlib format; some senders leave its two header bytes out.
    zlib_header = len(data) > 1 and data[0] & 15 == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return _inflate(data, _ZLIB if zlib_header else _RAW, "deflate")


def _inflate(data: bytes, wbits: int, coding: str) -> _Pieces:
    """Pieces of one or more zlib streams, one after another."""
    view = memoryview(data)
    members = 0
    at = 0
    while at < len(view):
        members += 1
        if members > _MAX_MEMBERS:
            raise BadRequest(f"more than {_MAX_MEMBERS} {coding} members in one body")
        if members > 1 and not any(view[at : at + 512]) and not any(view[at:]):
            return  # zeros that pad a file to whole blocks
        stream = zlib.decompressobj(wbits)
        while not stream.eof:
            feed: bytes | memoryview = stream.unconsumed_tail
            if not feed:
                feed = view[at : at + _FEED_BYTES]
                at += len(feed)
                if not feed:
                    raise BadRequest(f"the {coding} body is cut short")
            try:
                piece = stream.decompress(feed, _PIECE_BYTES)
            except zlib.error as exc:
                raise BadRequest(f"the body is not valid {coding}: {exc}") from exc
            if piece:
                yield piece, at
        at -= len(stream.unused_data)
    if members == 0:
        raise BadRequest(f"the {coding} body is empty")


def _zstd(data: bytes) -> _Pieces:
    """Pieces of all frames.

    The reader does not tell a frame that ends from one that is cut off. So a frame of our own is
    put behind: only if all before it is whole do its bytes come out as the last ones.
    """
    if not data:
        raise BadRequest("the zstd body is empty")
    end = os.urandom(16)
    closing = zstandard.ZstdCompressor(write_checksum=True).compress(end)
    source = io.BytesIO(data + closing)
    reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).stream_reader(
        source, read_across_frames=True
    )
    held = b""
    while True:
        try:
            piece = reader.read(_PIECE_BYTES)
        except zstandard.ZstdError as exc:
            raise BadRequest(f"the body is not valid zstd, or cut short: {exc}") from exc
        if not piece:
            break
        held += piece
        if len(held) > len(end):
            yield held[: -len(end)], source.tell()
            held = held[-len(end) :]
    if held != end:
        raise BadRequest("the zstd body is cut short")


CODINGS: dict[str, Callable[[bytes], _Pieces]] = {
    "gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}
"""Coding → what opens a body so coded, as pieces."""
