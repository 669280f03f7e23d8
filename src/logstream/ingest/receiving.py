"""What comes in on one connection: what the parser finds → requests.

A request is refused by its head alone if it can be. What its body holds of the process's memory is
counted as it arrives, not as it was announced: who announces much and sends nothing holds nothing.
"""

from __future__ import annotations

from typing import Protocol

from logstream.errors import BadRequest, HeadersTooLarge, LogStreamError
from logstream.ingest.request import Exchange, Request
from logstream.ingest.surroundings import Surroundings

__all__ = ["Receiver"]

MAX_HEAD_BYTES = 64 << 10
_MAX_JOINED_BYTES = 16 << 10  # joining costs the square of it
_PACKET_BYTES = 256 << 10  # the event loops read no more at once
_FRAMING_BYTES = 16  # around each chunk
_SMALL_PIECE_BYTES = 1 << 10


class Parser(Protocol):
    """What is asked of the parser once a head has come."""

    def get_method(self) -> bytes: ...

    def should_keep_alive(self) -> bool: ...

    def should_upgrade(self) -> bool: ...


class Owner(Exchange, Protocol):
    """Whose requests they are."""

    def received(self, request: Request) -> None:
        """All of it has come, or it is refused and the rest of it was not kept."""

    def go_on(self) -> None:
        """The sender waits to hear that its body is wanted."""

    def stop_listening(self) -> None:
        """What follows is not HTTP."""


class Receiver:
    """The requests of one connection; the parser calls it with what it finds.

    Attributes:
        incoming: The request being received, if any.
        parser: ``None`` when the connection has ended; it holds on to us.
    """

    __slots__ = ("_around", "_bounds", "_head_bytes", "_headed", "_owner", "incoming", "parser")

    def __init__(self, around: Surroundings, owner: Owner) -> None:
        self._around = around
        self._bounds = around.bounds
        self._owner = owner
        self.incoming: Request | None = None
        self.parser: Parser | None = None
        self._head_bytes = 0
        self._headed = False

    @property
    def in_body(self) -> bool:
        """Whether the head of what is being received has come, so that it can be answered."""
        return self.incoming is not None and self._headed

    def check(self, incoming: Request, size: int) -> None:
        """Look at what is being received, after so many bytes.

        Raises:
            LogStreamError: its answer; nothing more can be read.
        """
        if incoming.refusal is not None:
            raise incoming.refusal
        if not self._headed or incoming.length is None:
            self._count_head(size)

    def fault(self, found: Exception) -> BadRequest:
        """What to answer when the parser finds that something is not HTTP."""
        return BadRequest(_BROKEN if self.in_body else f"this is not HTTP/1.1: {found}")

    def end(self) -> None:
        """The sender has said all it has to say.

        Raises:
            BadRequest: it stopped in the middle of a body.
        """
        if self.incoming is not None and self._headed:
            raise BadRequest(
                _BROKEN
                if self.incoming.length is None
                else "the body is shorter than its Content-Length says"
            )

    def give_up(self) -> Request | None:
        """Leave off receiving; what was being received, to be answered or let go."""
        request, self.incoming = self.incoming, None
        return request

    def _count_head(self, size: int) -> None:
        self._head_bytes = max(self._head_bytes + size, 0)
        if self._head_bytes > MAX_HEAD_BYTES:
            what = "what is around the chunks" if self._headed else "the head"
            raise HeadersTooLarge(f"{what} is more than {MAX_HEAD_BYTES} bytes")

    # What the parser calls

    def on_message_begin(self) -> None:
        clock = self._around.clock
        self.incoming = Request(self._owner, clock.monotonic_s(), clock.time_ns())
        self._headed = False

    def on_url(self, url: bytes) -> None:
        if self.incoming is not None:
            self.incoming.path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.incoming is None or self._headed:
            return  # a trailer
        headers = self.incoming.headers
        name = name.lower()
        if name in headers:
            value = headers[name] + b", " + value
            if len(value) > _MAX_JOINED_BYTES:
                self.incoming.refusal = HeadersTooLarge(
                    f"a repeated header is more than {_MAX_JOINED_BYTES} bytes"
                )
                return
        headers[name] = value

    def on_headers_complete(self) -> None:
        request, parser = self.incoming, self.parser
        if request is None or parser is None:
            return
        self._headed = True
        request.method = parser.get_method()
        request.path, _, request.query = request.path.partition(b"?")
        if request.path[:1] != b"/":
            request.path = _without_host(request.path)
        headers = request.headers
        if b"content-length" in headers:
            request.length = int(headers[b"content-length"])
        elif b"transfer-encoding" in headers:
            request.length = None
        try:
            if b"upgrade" in headers and parser.should_upgrade():
                self._owner.stop_listening()
                raise BadRequest(
                    "this port speaks HTTP/1.1 only", hint="send the request without Upgrade"
                )
            request.work = self._around.handler.admit(request)
            if request.length:
                self._bounds.check_size(request.length)
                self._bounds.pending.check(request.length)
            if b"expect" in headers:
                self._answer_expect(request)
        except LogStreamError as error:
            self._refuse(request, error)

    def _answer_expect(self, request: Request) -> None:
        if request.refusal is None and request.headers[b"expect"].lower() == b"100-continue":
            self._owner.go_on()

    def _refuse(self, request: Request, error: LogStreamError) -> None:
        request.refusal = error
        if request.method == b"CONNECT":
            self._owner.stop_listening()

    def on_body(self, data: bytes) -> None:
        request = self.incoming
        if request is None or request.refusal is not None:
            return
        size = len(data)
        try:
            if request.length is None:
                self._bounds.check_size(request.held_bytes + size)
                self._head_bytes -= size + _FRAMING_BYTES
            self._bounds.pending.take(request, size)
        except LogStreamError as error:
            request.refusal = error
            return
        pieces = request.chunks
        if not pieces or size >= _SMALL_PIECE_BYTES:
            pieces.append(data)
        elif isinstance(last := pieces[-1], bytearray):
            last += data
        else:  # an object for every few bytes would take many times their memory
            pieces.append(bytearray(data))

    def on_message_complete(self) -> None:
        request, parser = self.incoming, self.parser
        if request is None or parser is None:
            return
        self.incoming = None
        self._head_bytes = -_PACKET_BYTES  # how much of this packet is the next one's is not known
        request.keep_alive = parser.should_keep_alive()
        self._owner.received(request)


_BROKEN = "the chunked body is cut short or broken"


def _without_host(target: bytes) -> bytes:
    """The path of ``http://host/path``, as it is sent to proxies; anything else as it is."""
    _, found, rest = target.partition(b"://")
    if not found:
        return target
    _, slash, path = rest.partition(b"/")
    return slash + path or b"/"
