"""Page cursors: where the last page ended, as opaque text that nobody has to trust.

A cursor carries the resolved time range of the first page, so that ``now-15m`` means the same on
every page, and a digest of what was asked, so that a cursor of another search is refused instead
of answering nonsense. It is not signed: whatever it says, a search never leaves its own filter.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Annotated

import msgspec

from logstream.dashboard.params import Asked
from logstream.errors import BadRequest
from logstream.store.base import Cursor, TimeRange
from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS

__all__ = ["decode_cursor", "encode_cursor"]

_Moment = Annotated[int, msgspec.Meta(ge=MIN_TIMESTAMP_NS, le=MAX_TIMESTAMP_NS)]


class _Wire(msgspec.Struct, array_like=True, forbid_unknown_fields=True, frozen=True):
    digest: bytes
    timestamp_ns: _Moment
    id: Annotated[int, msgspec.Meta(ge=0)]
    start_ns: _Moment
    end_ns: _Moment


_decoder = msgspec.msgpack.Decoder(_Wire)


def encode_cursor(cursor: Cursor, asked: Asked) -> str:
    """Text for ``next_cursor``, safe in a URL."""
    between = asked.between
    wire = _Wire(_digest(asked), cursor.timestamp_ns, cursor.id, between.start_ns, between.end_ns)
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(wire)).rstrip(b"=").decode()


def decode_cursor(text: str, asked: Asked) -> tuple[Cursor, TimeRange]:
    """The cursor and the range of the first page.

    Raises:
        BadRequest: not a cursor of ours, or one of another query or range.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        wire = _decoder.decode(raw)
    except (binascii.Error, ValueError, msgspec.DecodeError) as exc:
        raise BadRequest(
            "cursor is not one that a search answered", hint="pass next_cursor on unchanged"
        ) from exc
    if wire.digest != _digest(asked):
        raise BadRequest(
            "cursor belongs to another search",
            hint="query, from and to must be those of the first page; or start without a cursor",
        )
    inside = wire.start_ns <= wire.timestamp_ns < wire.end_ns
    if not inside or wire.id >= 1 << 64:
        raise BadRequest("cursor is not one that a search answered")
    return Cursor(wire.timestamp_ns, wire.id), TimeRange(wire.start_ns, wire.end_ns)


def _digest(asked: Asked) -> bytes:
    parts = (str(asked.query), asked.from_text, asked.to_text)
    return hashlib.blake2b(msgspec.msgpack.encode(parts), digest_size=8).digest()
