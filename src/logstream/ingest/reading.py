"""A request's head and body, checked and bounded, before anything is decoded."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import parse_qs

from granian._granian import RSGIProtocolClosed as ProtocolClosed

from logstream.errors import (
    BadRequest,
    LengthRequired,
    PayloadTooLarge,
    Unavailable,
    UnsupportedMedia,
)

__all__ = [
    "ACKS",
    "Pending",
    "Proto",
    "ProtocolClosed",
    "ack_of",
    "check_content_type",
    "declared_length",
    "read_body",
]

ACKS = ("queued", "durable", "stored")
"""How far a request's records have come when it is answered."""

# What curl sends unless told otherwise is on the list: the body itself tells what it is.
_CONTENT_TYPES = frozenset(
    (
        "application/json",
        "application/jsonl",
        "application/ndjson",
        "application/octet-stream",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "text/plain",
    )
)


class Proto(Protocol):
    """The part of the server's request protocol that is used here."""

    async def __call__(self) -> bytes: ...
    def __aiter__(self) -> Any: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class Pending:
    """Bytes of bodies in work in this process, against the most there may be."""

    __slots__ = ("limit_bytes", "used_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0

    def take(self, size: int) -> None:
        """Add to what is in work; the caller gives it back by subtracting.

        Raises:
            Unavailable: too much is being worked on.
        """
        if self.used_bytes + size > self.limit_bytes and self.used_bytes:
            raise Unavailable("too many requests are being worked on at once")
        self.used_bytes += size


def ack_of(query_string: str) -> str:
    """The ``ack`` parameter; the default is ``durable``.

    Raises:
        BadRequest: not one of `ACKS`.
    """
    if not query_string:
        return "durable"
    ack = parse_qs(query_string, keep_blank_values=True).get("ack", ["durable"])[-1]
    if ack not in ACKS:
        raise BadRequest(f"ack cannot be {ack[:40]!r}", hint=f"give one of {', '.join(ACKS)}")
    return ack


def check_content_type(header: str | None) -> None:
    """Raises `UnsupportedMedia` for a body that says that it is something else than JSON text."""
    if not header or header == "application/json":
        return
    kind, _, parameters = header.partition(";")
    if kind.strip().lower() not in _CONTENT_TYPES:
        raise UnsupportedMedia(
            f"content type {kind.strip()[:80]!r} is not read here",
            hint="send application/json or application/x-ndjson",
        )
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMedia(f"charset {charset[:40]!r} is not read here, send UTF-8")


def declared_length(content_length: str | None, *, chunked: bool) -> int | None:
    """The body's length as declared; ``None`` when it comes in chunks.

    Raises:
        LengthRequired: neither.
    """
    if chunked:
        return None
    if content_length is None:
        raise LengthRequired("the request says neither how long its body is nor that it is chunked")
    return int(content_length)  # the server refused anything but digits


async def read_body(
    proto: Proto, length: int | None, *, limit_bytes: int, pending: Pending
) -> bytes:
    """The whole body as sent.

    What it takes from ``pending`` is ``len`` of what it returns, or nothing when it raises.

    Raises:
        BadRequest: the body is shorter than declared, or its chunks are broken.
        PayloadTooLarge: over ``limit_bytes``; no more than that was read.
        Unavailable: too much is being worked on.
    """
    if length is None:
        return await _read_chunks(proto, limit_bytes, pending)
    if length > limit_bytes:
        raise _too_large(limit_bytes)
    pending.take(length)
    try:
        return await proto()
    except BaseException as exc:
        pending.used_bytes -= length
        if isinstance(exc, ProtocolClosed):
            raise BadRequest("the body is shorter than its Content-Length says") from exc
        raise


async def _read_chunks(proto: Proto, limit_bytes: int, pending: Pending) -> bytes:
    chunks: list[bytes] = []
    size = ends = 0
    try:
        async for chunk in proto:
            # The server marks the end by an empty chunk, and a broken body by one more.
            ends += not chunk
            if size + len(chunk) > limit_bytes:
                raise _too_large(limit_bytes)
            pending.take(len(chunk))
            size += len(chunk)
            chunks.append(chunk)
        if ends != 1:
            raise BadRequest("the chunked body is cut short or broken")
    except BaseException:
        pending.used_bytes -= size
        raise
    return b"".join(chunks)


def _too_large(limit_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"the body is more than {limit_bytes} bytes", hint="send smaller bodies, or raise max_body"
    )
