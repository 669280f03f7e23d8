"""The ingestion API: routes, errors, answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msgspec

from logstream import __version__, metrics
from logstream.access import AccessKeys, bearer
from logstream.broker.base import Broker, Producer
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import (
    BadRequest,
    LengthRequired,
    LogStreamError,
    MethodNotAllowed,
    NotFound,
    Unavailable,
)
from logstream.ingest.coalesce import Taken
from logstream.ingest.compression import coding_of, decompress
from logstream.ingest.head import ack_of, check_content_type
from logstream.ingest.idempotency import Answers, dedup_id
from logstream.ingest.intake import Intake, Outcome
from logstream.ingest.request import (
    JSON,
    SMALL_BYTES,
    Handler,
    Headers,
    Pending,
    Request,
    Work,
)
from logstream.ingest.tally import Tally
from logstream.settings import Settings
from logstream.wire import NativeDecoder, WireLimits

__all__ = ["IngestApp"]

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode

_UNUSUAL = frozenset((b"content-encoding", b"idempotency-key"))
_ONE = {
    ack: _encode({"accepted": 1, "rejected": 0, "errors": [], "ack": ack})
    for ack in ("queued", "durable", "stored")
}

Answer = tuple[int, Headers, bytes]


class IngestApp(Handler):
    """Answers requests of one process. ``draining`` makes ``/ready`` say no."""

    def __init__(
        self,
        settings: Settings,
        broker: Broker,
        producer: Producer,
        *,
        pending: Pending,
        tally: Tally,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.draining = False
        self._settings = settings
        self._broker = broker
        self._producer = producer
        self._clock = clock
        self._keys = AccessKeys(settings.api_keys)
        self._tally = tally
        self._intake = Intake(
            producer,
            NativeDecoder(WireLimits.of(settings)),
            self._tally,
            stored_timeout_s=settings.request_timeout_s,
        )
        self._answers = Answers(window_s=settings.idempotency_window_s, clock=clock)
        self._pending = pending
        self._tasks: set[asyncio.Task[None]] = set()
        # Two at once, so that bodies that expand a lot cannot all expand together.
        self._expanders = ThreadPoolExecutor(2, thread_name_prefix="expand")
        self._routes: dict[bytes, tuple[str, Callable[[Request], Awaitable[Answer]]]] = {
            b"/health": ("GET, HEAD", self._health),
            b"/ready": ("GET, HEAD", self._ready),
            b"/metrics": ("GET, HEAD", self._metrics),
        }

    async def close(self) -> None:
        """Finish what was promised to senders; the producer is the caller's to close."""
        await self._intake.close()
        self._tally.flush()
        self._expanders.shutdown(wait=False)

    def admit(self, request: Request) -> Work:
        if request.path != b"/logs" or request.method != b"POST":
            return self._other(request)
        headers = request.headers
        sender = b"" if self._keys.open else self._sender(request)
        if headers.get(b"content-type") != b"application/json":
            check_content_type(request.header(b"content-type"))
        if request.length == 0 and b"content-length" not in headers:
            raise LengthRequired(
                "the request says neither how long its body is nor that it is chunked"
            )
        self._producer.check_room()
        if not request.query and headers.keys().isdisjoint(_UNUSUAL):
            return self._take
        ack = ack_of(request.query.decode("latin-1"))
        coding = coding_of(request.header(b"content-encoding"))
        key = request.header(b"idempotency-key")
        return self._work(partial(self._logs, ack=ack, coding=coding, key=key, sender=sender))

    # Logs

    def _take(self, request: Request) -> None:
        """Most requests: a small body that goes to the broker along with others."""
        body = request.body
        if not 0 < len(body) <= SMALL_BYTES:
            self._work(self._logs)(request)
            return
        self._tally.body(len(body))
        self._intake.submit(body, request.received_ns, partial(self._taken, request))

    def _taken(self, request: Request, result: Taken | LogStreamError) -> None:
        try:
            if isinstance(result, LogStreamError):
                raise result
            answer = _json_of(self._intake.outcome(result, "durable"))
        except LogStreamError as error:
            request.fail(error)
        else:
            request.answer(202, JSON, answer)

    async def _logs(
        self,
        request: Request,
        *,
        ack: str = "durable",
        coding: str = "",
        key: str | None = None,
        sender: bytes = b"",
    ) -> Answer:
        if coding:
            body = await self._expand(request.body, coding)
            self._pending.take(request, len(body) - len(request.body))
            request.body = body
            del body
        self._tally.body(len(request.body))
        if not request.body:
            raise BadRequest("the body is empty", hint="send one or more JSON objects")
        if key is not None:
            return await self._once(request, dedup_id(key, sender, request.body), ack)
        return 202, JSON, await self._accepted(request, ack)

    async def _accepted(self, request: Request, ack: str, request_id: bytes = b"") -> bytes:
        """The answer to a request whose records were accepted."""
        outcome, positions = await self._intake.take(
            request.body, ack=ack, received_ns=request.received_ns, request_id=request_id
        )
        if ack == "stored":
            self._let_go(request)
            outcome = await self._intake.stored(outcome, positions)
        return _json_of(outcome)

    def _let_go(self, request: Request) -> None:
        """Its body is not needed any more: while it waits, others may have the room."""
        request.body = b""
        self._pending.give_back(request)

    def _work(self, answer_to: Callable[[Request], Awaitable[Answer]]) -> Work:
        """What takes more than one step runs as a task of its own."""

        async def run(request: Request) -> None:
            try:
                answer = await answer_to(request)
            except LogStreamError as error:
                request.fail(error)
            except Exception:  # noqa: BLE001 - the border: whatever it is, one error shape
                _log.exception("a request to %s failed", request.path)
                request.fail(LogStreamError("an error of LogStream's own"))
            else:
                request.answer(*answer)

        def start(request: Request) -> None:
            task = asyncio.create_task(run(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return start

    def _sender(self, request: Request) -> bytes:
        if self._keys.open:
            return b""
        header = request.header
        return self._keys.check(bearer(header(b"authorization"), header(b"x-api-key")))

    async def _expand(self, body: bytes, coding: str) -> bytes:
        def work() -> bytes:
            return decompress(body, coding, limit_bytes=self._settings.max_decoded_bytes)

        return await asyncio.get_running_loop().run_in_executor(self._expanders, work)

    async def _once(self, request: Request, request_id: bytes, ack: str) -> Answer:
        """The answer to a request with a key; the same one again if it was given before."""
        answers = self._answers
        known = answers.get(request_id, ack)
        if known is None and (coming := answers.pending(request_id, ack)) is not None:
            self._let_go(request)
            await asyncio.wait([coming])
            if coming.cancelled():
                raise Unavailable("the same request failed just now, send it again")
            known = coming.result()
        if known is not None:
            metrics.REQUESTS_REPEATED.inc()
            return 202, [*JSON, ("idempotency-replayed", "true")], known
        answers.begin(request_id, ack)
        answer = None
        try:
            answer = await self._accepted(request, ack, request_id)
        finally:
            answers.end(request_id, ack, answer)
        return 202, JSON, answer

    # Everything else

    def _other(self, request: Request) -> Work:
        if request.path != b"/health":
            self._sender(request)
        if request.path == b"/logs":
            allowed, handle = "POST", None
        else:
            allowed, handle = self._routes.get(request.path, ("", None))
        if not allowed:
            raise NotFound("there is nothing at this path", hint="send records to POST /logs")
        if handle is None or request.method.decode() not in allowed.split(", "):
            raise MethodNotAllowed(f"this path takes {allowed}", allowed=allowed)
        return self._work(handle)

    async def _health(self, _: Request) -> Answer:
        health: dict[str, Any] = {"status": "ok", "version": __version__}
        try:
            status = await self._broker.status()
        except LogStreamError as error:
            health |= {"status": "degraded", "broker": error.to_json()}
        else:
            health["broker"] = status
            if status.warnings:
                health["status"] = "degraded"
        return 200, JSON, _encode(health)

    async def _ready(self, _: Request) -> Answer:
        if self.draining:
            raise Unavailable("shutting down")
        self._producer.check_room()
        return 200, JSON, _encode({"ready": True})

    async def _metrics(self, _: Request) -> Answer:
        self._tally.flush()
        return 200, [("content-type", "text/plain; version=0.0.4; charset=utf-8")], metrics.render()


def _json_of(outcome: Outcome) -> bytes:
    if outcome.accepted == 1 and not outcome.rejected:
        return _ONE[outcome.ack]
    return _encode(outcome.to_json())
