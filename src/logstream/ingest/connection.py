"""HTTP/1.1 on one connection: each request answered in its turn.

The parser is llhttp (Node's), through httptools; it is as strict as it comes, so that nothing in
front of us can be made to see other requests than we do. What it finds becomes requests in
`receiving`.

Everything runs on the event loop's thread: no hand-over, no task and no future for a request,
which is most of what a small one costs elsewhere.

The answer to a request that is refused leaves at once, and unless its body had come along with its
head the connection ends: nobody reads a body only to forget it.
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

from logstream.errors import LogStreamError, RequestTimeout
from logstream.ingest.answers import answer_bytes
from logstream.ingest.receiving import Receiver
from logstream.ingest.request import Headers, Request
from logstream.ingest.surroundings import Surroundings

__all__ = ["Connection"]

_log = logging.getLogger(__name__)

_IDLE_S = 75.0  # longer than senders keep an idle connection: they close first
_LINGER_S = 2.0
_NEVER = float("inf")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.Protocol):
    """One sender's connection; an `Exchange` for its requests, the `Owner` of what it receives.

    At any time one request is being received and one is in work (``_current``); those that came
    behind it in the same packets wait, and nothing more is read meanwhile.
    """

    __slots__ = (
        "_around",
        "_choked",
        "_current",
        "_deaf",
        "_due_s",
        "_ended",
        "_parser",
        "_receiver",
        "_transport",
        "_waiting",
    )

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._receiver = Receiver(around, self)
        self._parser: HttpRequestParser | None = HttpRequestParser(self._receiver)
        self._receiver.parser = self._parser
        self._transport: asyncio.Transport | None = None
        self._current: Request | None = None
        self._waiting: deque[Request] = deque()
        self._deaf = False  # what still comes is not read
        self._ended = False  # nothing comes any more
        self._choked = False  # answers are not taken off as fast as they come
        # Until when something must come; a request that is being received has a time of its own.
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
        self._transport = self._parser = self._receiver.parser = None
        if (request := self._receiver.give_up()) is not None:
            around.bounds.pending.give_back(request)
        self._forget_waiting()

    def data_received(self, data: bytes) -> None:
        if self._deaf or self._parser is None:
            return
        receiver = self._receiver
        try:
            self._parser.feed_data(data)
            if receiver.incoming is not None:
                receiver.check(receiver.incoming, len(data))
        except HttpParserUpgrade:
            return  # refused by its head
        except HttpParserCallbackError as exc:
            _log.error("a request broke its own connection", exc_info=exc.__context__ or exc)
            self.cut()
        except HttpParserError as exc:
            if receiver.incoming is None and self._said_close():
                self._deaf = True
            else:
                self._refuse(receiver.fault(exc))
        except LogStreamError as error:
            self._refuse(error)

    def _said_close(self) -> bool:
        """Whether the last request said that it is the last one: what follows it is not read."""
        last = self._waiting[-1] if self._waiting else self._current
        if last is None:
            return self._transport is None or self._transport.is_closing()
        return not last.keep_alive

    def eof_received(self) -> bool:
        """The sender has said all it has to say; it still hears us."""
        if not self._deaf:
            try:
                self._receiver.end()
            except LogStreamError as error:
                self._refuse(error)
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

    # What the receiver calls

    def go_on(self) -> None:
        if self._transport is not None and self._current is None:
            self._transport.write(_CONTINUE)

    def stop_listening(self) -> None:
        self._deaf = True

    def received(self, request: Request) -> None:
        """Work on it now, or when those before it are answered."""
        if self._current is None and not self._waiting:
            self._begin(request)
            return
        self._waiting.append(request)
        if self._transport is not None:
            self._transport.pause_reading()

    # Ours

    def _forget_waiting(self) -> None:
        for request in self._waiting:
            self._around.bounds.pending.give_back(request)
        self._waiting.clear()

    def _refuse(self, error: LogStreamError) -> None:
        """Answer what is being received in its turn; nothing more is read."""
        self._deaf = True
        clock = self._around.clock
        request = self._receiver.give_up()
        if request is None:
            request = Request(self, clock.monotonic_s(), clock.time_ns())
        request.refusal = request.refusal or error
        self.received(request)

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
        around.bounds.pending.give_back(request)
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
        self._due_s = now_s + _IDLE_S
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
        receiver, timeout_s = self._receiver, self._around.bounds.timeout_s
        incoming = receiver.incoming
        due_s = self._due_s if incoming is None else incoming.began_s + timeout_s
        if now_s < due_s or self._transport is None:
            return
        if receiver.in_body and not self._deaf:
            self._refuse(RequestTimeout(f"the body did not arrive within {timeout_s:g} s"))
        elif self._current is None:
            self.cut()

    def drain(self) -> None:
        """Close when nothing is in work, else after the answer."""
        idle = self._receiver.incoming is None and self._current is None
        if idle and self._transport is not None:
            self._transport.close()
