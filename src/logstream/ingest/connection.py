"""HTTP/1.1 on one connection: bytes → requests, each answered in its turn.

The parser is llhttp (Node's), through httptools; it is as strict as it comes, so that nothing in
front of us can be made to see other requests than we do. Everything runs on the event loop's
thread: no hand-over, no task and no future for a request, which is most of what a small one
costs elsewhere.

A request is refused by its head alone if it can be. Its answer then leaves at once, and unless the
body had come along with the head the connection ends: nobody reads a body only to forget it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import cast

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from logstream.errors import (
    BadRequest,
    HeadersTooLarge,
    LogStreamError,
    PayloadTooLarge,
    RequestTimeout,
)
from logstream.ingest.answers import answer_bytes
from logstream.ingest.request import Headers, Request
from logstream.ingest.surroundings import Surroundings

__all__ = ["Connection"]

_log = logging.getLogger(__name__)

MAX_HEAD_BYTES = 64 << 10
_MAX_JOINED_BYTES = 16 << 10  # joining costs the square of it
_PACKET_BYTES = 256 << 10  # the event loops read no more at once
_FRAMING_BYTES = 16  # around each chunk
_SMALL_PIECE_BYTES = 1 << 10
_IDLE_S = 75.0  # longer than senders keep an idle connection: they close first
_LINGER_S = 2.0
_NEVER = float("inf")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.Protocol):
    """One sender's connection; an `Exchange` for its requests.

    At any time one request is being received (``_incoming``) and one is in work (``_current``);
    those that came behind it in the same packets wait, and nothing more is read meanwhile.
    """

    __slots__ = (
        "_around",
        "_choked",
        "_current",
        "_deaf",
        "_due_s",
        "_ended",
        "_head_bytes",
        "_headed",
        "_incoming",
        "_parser",
        "_transport",
        "_waiting",
    )

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._parser: HttpRequestParser | None = HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._incoming: Request | None = None
        self._current: Request | None = None
        self._waiting: deque[Request] = deque()
        self._head_bytes = 0
        self._headed = False
        self._deaf = False  # what still comes is not read
        self._ended = False  # nothing comes any more
        self._choked = False  # answers are not taken off as fast as they come
        self._due_s = around.clock.monotonic_s() + around.bounds.timeout_s

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._around.open.add(self)
        self._around.empty.clear()
        if self._around.draining:  # one on its way when the stop began
            self._due_s = self._around.clock.monotonic_s() + _LINGER_S

    def connection_lost(self, exc: Exception | None) -> None:
        around = self._around
        around.open.discard(self)
        if not around.open:
            around.empty.set()
        self._transport = self._parser = None
        if self._incoming is not None:
            self._release(self._incoming)
            self._incoming = None
        self._forget_waiting()

    def data_received(self, data: bytes) -> None:
        if self._deaf or self._parser is None:
            return
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            return  # refused by its head
        except HttpParserCallbackError as exc:
            _log.error("a request broke its own connection", exc_info=exc.__context__ or exc)
            self.cut()
        except HttpParserError as exc:
            if self._incoming is None and self._said_close():
                self._deaf = True
                return
            self._refuse(BadRequest(_fault(exc, self._headed and self._incoming is not None)))
        else:
            if (incoming := self._incoming) is not None:
                self._check_incoming(incoming, len(data))

    def _check_incoming(self, incoming: Request, size: int) -> None:
        if incoming.refusal is not None:
            self._refuse(incoming.refusal)
        elif not self._headed or incoming.length is None:
            self._head_bytes = max(self._head_bytes + size, 0)
            if self._head_bytes > MAX_HEAD_BYTES:
                what = "what is around the chunks" if self._headed else "the head"
                self._refuse(HeadersTooLarge(f"{what} is more than {MAX_HEAD_BYTES} bytes"))

    def _said_close(self) -> bool:
        """Whether the last request said that it is the last one: what follows it is not read."""
        last = self._waiting[-1] if self._waiting else self._current
        if last is None:
            return self._transport is None or self._transport.is_closing()
        return not last.keep_alive

    def eof_received(self) -> bool:
        """The sender has said all it has to say; it still hears us."""
        incoming = self._incoming
        if incoming is not None and self._headed and not self._deaf:
            cut = incoming.length is None
            self._refuse(
                BadRequest(
                    "the chunked body is cut short or broken"
                    if cut
                    else "the body is shorter than its Content-Length says"
                )
            )
        self._deaf = self._ended = True
        return self._current is not None

    def pause_writing(self) -> None:
        """Answers pile up: nothing more is read or begun until the sender takes them."""
        self._choked = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._choked = False
        if self._waiting:
            self._next()
        elif self._transport is not None:
            self._transport.resume_reading()

    # What the parser calls

    def on_message_begin(self) -> None:
        clock = self._around.clock
        now_s = clock.monotonic_s()
        self._incoming = Request(self, now_s, clock.time_ns())
        self._headed = False
        self._due_s = now_s + self._around.bounds.timeout_s

    def on_url(self, url: bytes) -> None:
        if self._incoming is not None:
            self._incoming.path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._incoming is None or self._headed:
            return  # a trailer
        headers = self._incoming.headers
        name = name.lower()
        if name in headers:
            value = headers[name] + b", " + value
            if len(value) > _MAX_JOINED_BYTES:
                self._incoming.refusal = HeadersTooLarge(
                    f"a repeated header is more than {_MAX_JOINED_BYTES} bytes"
                )
                return
        headers[name] = value

    def on_headers_complete(self) -> None:
        request, parser = self._incoming, self._parser
        if request is None or parser is None:
            return
        self._headed = True
        request.method = parser.get_method()
        request.path, _, request.query = request.path.partition(b"?")
        if request.path[:1] != b"/":
            request.path = _without_host(request.path)
        headers = request.headers
        length = headers.get(b"content-length")
        if length is not None:
            request.length = int(length)
        elif b"transfer-encoding" in headers:
            request.length = None
        try:
            if b"upgrade" in headers and parser.should_upgrade():
                self._deaf = True  # what follows its head is of another protocol
                raise BadRequest(
                    "this port speaks HTTP/1.1 only", hint="send the request without Upgrade"
                )
            request.work = self._around.handler.admit(request)
            if request.length:
                self._hold(request, request.length)
        except LogStreamError as error:
            request.refusal = error
            if request.method == b"CONNECT":
                self._deaf = True  # nor is what follows this one HTTP
            return
        if b"expect" in headers and request.refusal is None:
            self._go_on(headers[b"expect"])

    def on_body(self, data: bytes) -> None:
        request = self._incoming
        if request is None or request.refusal is not None:
            return
        if request.length is None:
            try:
                self._hold(request, len(data))
            except LogStreamError as error:
                request.refusal = error
                return
            self._head_bytes -= len(data) + _FRAMING_BYTES
        pieces = request.chunks
        if not pieces or len(data) >= _SMALL_PIECE_BYTES:
            pieces.append(data)
        elif isinstance(last := pieces[-1], bytearray):
            last += data
        else:  # an object for every few bytes would take many times their memory
            pieces.append(bytearray(data))

    def on_message_complete(self) -> None:
        request, parser = self._incoming, self._parser
        if request is None or parser is None:
            return
        self._incoming = None
        self._head_bytes = -_PACKET_BYTES  # how much of this packet is the next one's is not known
        request.keep_alive = parser.should_keep_alive()
        self._finish(request)

    # Ours

    def _go_on(self, expect: bytes) -> None:
        if expect.lower() == b"100-continue" and self._transport and not self._current:
            self._transport.write(_CONTINUE)

    def _hold(self, request: Request, size: int) -> None:
        bounds = self._around.bounds
        if request.held_bytes + size > bounds.max_body_bytes:
            raise PayloadTooLarge(
                f"the body is more than {bounds.max_body_bytes} bytes",
                hint="send smaller bodies, or raise max_body",
            )
        bounds.pending.take(size)
        request.held_bytes += size

    def _release(self, request: Request) -> None:
        self._around.bounds.pending.used_bytes -= request.held_bytes
        request.held_bytes = 0

    def _forget_waiting(self) -> None:
        for request in self._waiting:
            self._release(request)
        self._waiting.clear()

    def _refuse(self, error: LogStreamError) -> None:
        """Answer what is being received in its turn; nothing more is read."""
        self._deaf = True
        clock = self._around.clock
        request = self._incoming or Request(self, clock.monotonic_s(), clock.time_ns())
        self._incoming = None
        request.refusal = request.refusal or error
        self._finish(request)

    def _finish(self, request: Request) -> None:
        """All of it has come: work on it now, or when those before it are answered."""
        if self._current is None and not self._waiting:
            self._begin(request)
            return
        self._waiting.append(request)
        if self._transport is not None:
            self._transport.pause_reading()

    def _begin(self, request: Request) -> None:
        self._current = request
        self._due_s = _NEVER
        if request.refusal is not None or request.work is None:
            request.fail(request.refusal or LogStreamError("an error of LogStream's own"))
            return
        request.body = b"".join(request.chunks)  # a single one is not copied
        request.chunks = []
        request.work(request)

    def send(self, request: Request, status: int, headers: Headers, body: bytes) -> None:
        if self._current is not request:
            raise RuntimeError("a request is answered twice, or before its turn")
        around = self._around
        self._release(request)
        self._current = None
        now_s = around.clock.monotonic_s()
        around.tally.request(status, now_s - request.began_s)
        transport = self._transport
        if transport is None:
            _log.debug("the sender was gone before its answer")
            return
        more = request.keep_alive and not (around.draining or (self._deaf and not self._waiting))
        head_only = request.method == b"HEAD"
        transport.write(answer_bytes(status, headers, body, close=not more, head_only=head_only))
        self._due_s = now_s + (_IDLE_S if self._incoming is None else around.bounds.timeout_s)
        if not more:
            self._end(transport)
        elif self._waiting:
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        if self._current is None and self._waiting and not self._choked:
            request = self._waiting.popleft()
            if not self._waiting and self._transport is not None:
                self._transport.resume_reading()
            self._begin(request)

    def _end(self, transport: asyncio.Transport) -> None:
        """Close so that the answer arrives: not while something unread is on its way here."""
        self._forget_waiting()
        if self._ended or not self._deaf:
            transport.close()
            return
        if transport.can_write_eof():
            transport.write_eof()
        self._due_s = self._around.clock.monotonic_s() + _LINGER_S

    def cut(self) -> None:
        """End it now, answered or not."""
        if self._transport is not None:
            self._transport.abort()

    # What the listener calls

    def look(self, now_s: float) -> None:
        """Cut it when its time is over."""
        if now_s < self._due_s or self._transport is None:
            return
        if self._incoming is not None and self._headed and not self._deaf:
            timeout_s = self._around.bounds.timeout_s
            self._refuse(RequestTimeout(f"the body did not arrive within {timeout_s:g} s"))
        elif self._current is None:
            self.cut()

    def drain(self) -> None:
        """Close when nothing is in work, else after the answer."""
        if self._incoming is None and self._current is None and self._transport is not None:
            self._transport.close()


def _fault(error: HttpParserError, in_body: bool) -> str:
    if in_body:
        return "the chunked body is cut short or broken"
    return f"this is not HTTP/1.1: {error}"


def _without_host(target: bytes) -> bytes:
    """The path of ``http://host/path``, as it is sent to proxies; anything else as it is."""
    _, found, rest = target.partition(b"://")
    if not found:
        return target
    _, slash, path = rest.partition(b"/")
    return slash + path or b"/"
