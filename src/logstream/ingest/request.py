"""One HTTP request to the ingestion API, from its head to its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from logstream.errors import LogStreamError, MethodNotAllowed, RetryLater, Unavailable

__all__ = ["JSON", "SMALL_BYTES", "Exchange", "Handler", "Headers", "Pending", "Request", "Work"]

Headers = Sequence[tuple[str, str]]
Work = Callable[["Request"], None]
"""What is done with a request once its body has come; it must lead to one answer."""

JSON: Headers = (("content-type", "application/json"),)

SMALL_BYTES = 16 << 10
"""Bodies up to this share an entry with others; larger ones and those with a key do not."""
_TOO_MUCH = "too many requests are being worked on at once"

_encode = msgspec.json.Encoder().encode


class Pending:
    """Bytes of bodies that have arrived in this process, against the most there may be.

    Large bodies still on their way may fill three quarters of it together; the last one is for
    small ones and those that have come whole, so that slow senders do not shut out the others.
    """

    __slots__ = ("_slow_bytes", "limit_bytes", "used_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._slow_bytes = limit_bytes // 4 * 3

    def check(self, size: int) -> None:
        """Refuse early what would not have room now.

        Raises:
            Unavailable: too much is being worked on.
        """
        if self.used_bytes and self.used_bytes + size > self.limit_bytes:
            raise Unavailable(_TOO_MUCH)

    def take(self, request: Request, size: int) -> None:
        """So many more bytes of a request's body are here.

        Raises:
            Unavailable: there is no room for them, and others hold some of it.
        """
        used = self.used_bytes + size
        if used > self._slow_bytes:
            held = request.held_bytes + size
            slow = held > SMALL_BYTES and held != request.length and not request.body
            most = self._slow_bytes if slow else self.limit_bytes
            if used > most and used > held:
                raise Unavailable(_TOO_MUCH)
        self.used_bytes = used
        request.held_bytes += size

    def give_back(self, request: Request) -> None:
        """What a request held is free again."""
        self.used_bytes -= request.held_bytes
        request.held_bytes = 0


class Exchange(Protocol):
    """Where an answer goes: the connection that the request came by."""

    def send(self, request: Request, status: int, headers: Headers, body: bytes) -> None:
        """Send the answer of the request in work; does nothing when the sender is gone."""


class Handler(Protocol):
    """What the requests are for."""

    def admit(self, request: Request) -> Work:
        """Judge a request by its head, before its body is read. Must not block.

        Raises:
            LogStreamError: it is refused; this is its answer.
        """


class Request:
    """What was sent, and where its answer goes.

    ``method``, ``path`` and ``query`` are as sent; ``headers`` by lower-case name, repeated ones
    joined by a comma. ``length`` is the body's as declared, ``None`` when it comes in chunks and
    0 when there is none. ``began_s`` (monotonic) and ``received_ns`` (wall clock) are when its
    first byte was read. ``held_bytes`` is what it takes of the process's `Pending`.
    """

    __slots__ = (
        "began_s",
        "body",
        "chunks",
        "exchange",
        "headers",
        "held_bytes",
        "keep_alive",
        "length",
        "method",
        "path",
        "query",
        "received_ns",
        "refusal",
        "work",
    )

    def __init__(self, exchange: Exchange, began_s: float, received_ns: int) -> None:
        self.exchange = exchange
        self.began_s = began_s
        self.received_ns = received_ns
        self.method = b""
        self.path = b""
        self.query = b""
        self.headers: dict[bytes, bytes] = {}
        self.length: int | None = 0
        self.held_bytes = 0
        self.keep_alive = False
        self.chunks: list[bytes | bytearray] = []
        self.body = b""
        self.work: Work | None = None
        self.refusal: LogStreamError | None = None

    def header(self, name: bytes) -> str | None:
        """A header's value; ``name`` in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer; called once."""
        self.exchange.send(self, status, headers, body)

    def fail(self, error: LogStreamError) -> None:
        """Answer with an error, in the one JSON shape."""
        headers = list(JSON)
        if isinstance(error, RetryLater):
            headers.append(("retry-after", str(error.retry_after_s)))
        elif error.status == 401:
            headers.append(("www-authenticate", "Bearer"))
        elif isinstance(error, MethodNotAllowed):
            headers.append(("allow", error.allowed))
        self.answer(error.status, headers, _encode(error.to_json()))
