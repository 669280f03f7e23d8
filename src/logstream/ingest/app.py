"""The ingestion API as an RSGI application: routes, errors, answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from granian.rsgi import Scope

from logstream import __version__, metrics
from logstream.access import AccessKeys, bearer
from logstream.broker.base import Broker, Producer
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import (
    BadRequest,
    LogStreamError,
    MethodNotAllowed,
    NotFound,
    RequestTimeout,
    RetryLater,
    Unavailable,
)
from logstream.ingest.compression import coding_of, decompress
from logstream.ingest.deadlines import Deadlines
from logstream.ingest.idempotency import Answers, dedup_id
from logstream.ingest.intake import Intake, Outcome
from logstream.ingest.reading import (
    Pending,
    Proto,
    ProtocolClosed,
    ack_of,
    check_content_type,
    declared_length,
    read_body,
)
from logstream.ingest.tally import Tally
from logstream.settings import Settings
from logstream.wire import NativeDecoder, WireLimits

__all__ = ["IngestApp"]

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode

_JSON = [("content-type", "application/json")]
_CLOSE = ("connection", "close")
_ONE = {
    ack: _encode({"accepted": 1, "rejected": 0, "errors": [], "ack": ack})
    for ack in ("queued", "durable", "stored")
}

_Answer = tuple[int, list[tuple[str, str]], bytes]


class IngestApp:
    """Answers requests of one process. ``draining`` makes ``/ready`` say no."""

    def __init__(
        self,
        settings: Settings,
        broker: Broker,
        producer: Producer,
        *,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.draining = False
        self._settings = settings
        self._broker = broker
        self._producer = producer
        self._clock = clock
        self._keys = AccessKeys(settings.api_keys)
        self._tally = Tally()
        self._intake = Intake(
            producer,
            NativeDecoder(WireLimits.of(settings)),
            self._tally,
            stored_timeout_s=settings.request_timeout_s,
        )
        self._answers = Answers(window_s=settings.idempotency_window_s, clock=clock)
        self._deadlines = Deadlines(limit_s=settings.request_timeout_s, clock=clock)
        self._pending = Pending(settings.max_pending_bytes)
        # Two at once, so that bodies that expand a lot cannot all expand together.
        self._expanders = ThreadPoolExecutor(2, thread_name_prefix="expand")
        self._routes: dict[str, tuple[str, Callable[[Scope], Awaitable[_Answer]]]] = {
            "/health": ("GET, HEAD", self._health),
            "/ready": ("GET, HEAD", self._ready),
            "/metrics": ("GET, HEAD", self._metrics),
        }

    async def close(self) -> None:
        """Finish what was promised to senders; the producer is the caller's to close."""
        await self._intake.close()
        self._tally.flush()
        self._expanders.shutdown(wait=False)

    async def __call__(self, scope: Scope, proto: Proto) -> None:
        began_s = self._clock.monotonic_s()
        try:
            if scope.path == "/logs" and scope.method == "POST":
                status, headers, body = await self._logs(scope, proto)
            else:
                status, headers, body = await self._other(scope)
        except LogStreamError as error:
            status, headers, body = _answer_of(error)
        except Exception:  # noqa: BLE001 - the border: whatever it is, one error shape
            _log.exception("a request to %s failed", scope.path)
            status, headers, body = _answer_of(LogStreamError("an error of LogStream's own"))
        try:
            proto.response_bytes(status, headers, b"" if scope.method == "HEAD" else body)
        except ProtocolClosed:
            _log.debug("the sender was gone before its answer")
        self._tally.request(status, self._clock.monotonic_s() - began_s)

    # Logs

    async def _logs(self, scope: Scope, proto: Proto) -> _Answer:
        header = scope.headers.get
        sender = self._sender(scope)
        ack = ack_of(scope.query_string)
        check_content_type(header("content-type"))
        coding = coding_of(header("content-encoding"))
        sent_length = header("content-length")
        length = declared_length(
            sent_length, chunked=sent_length is None and header("transfer-encoding") is not None
        )
        self._producer.check_room()
        received_ns = self._clock.time_ns()
        body = await self._body(proto, length)
        held = len(body)
        try:
            if coding:
                body = await self._expand(body, coding)
                self._pending.used_bytes += len(body) - held
                held = len(body)
            self._tally.body(held)
            if not body:
                raise BadRequest("the body is empty", hint="send one or more JSON objects")
            key = header("idempotency-key")
            if key is not None:
                return await self._once(dedup_id(key, sender, body), body, ack, received_ns)
            return (
                202,
                _JSON,
                _json_of(await self._intake.take(body, ack=ack, received_ns=received_ns)),
            )
        finally:
            self._pending.used_bytes -= held

    def _sender(self, scope: Scope) -> bytes:
        if self._keys.open:
            return b""
        header = scope.headers.get
        return self._keys.check(bearer(header("authorization"), header("x-api-key")))

    async def _body(self, proto: Proto, length: int | None) -> bytes:
        task = self._deadlines.start()
        try:
            return await read_body(
                proto, length, limit_bytes=self._settings.max_body_bytes, pending=self._pending
            )
        except asyncio.CancelledError:
            if not self._deadlines.stop(task):
                raise
            raise RequestTimeout(
                f"the body did not arrive within {self._deadlines.limit_s:g} s"
            ) from None
        finally:
            self._deadlines.stop(task)

    async def _expand(self, body: bytes, coding: str) -> bytes:
        def work() -> bytes:
            return decompress(body, coding, limit_bytes=self._settings.max_decoded_bytes)

        return await asyncio.get_running_loop().run_in_executor(self._expanders, work)

    async def _once(self, request_id: bytes, body: bytes, ack: str, received_ns: int) -> _Answer:
        """The answer to a request with a key; the same one again if it was given before."""
        answers = self._answers
        known = answers.get(request_id, ack)
        if known is None and (coming := answers.pending(request_id, ack)) is not None:
            await asyncio.wait([coming])
            if coming.cancelled():
                raise Unavailable("the same request failed just now, send it again")
            known = coming.result()
        if known is not None:
            metrics.REQUESTS_REPEATED.inc()
            return 202, [*_JSON, ("idempotency-replayed", "true")], known
        answers.begin(request_id, ack)
        answer = None
        try:
            outcome = await self._intake.take(
                body, ack=ack, received_ns=received_ns, request_id=request_id
            )
            answer = _json_of(outcome)
        finally:
            answers.end(request_id, ack, answer)
        return 202, _JSON, answer

    # Everything else

    async def _other(self, scope: Scope) -> _Answer:
        if scope.path != "/health":
            self._sender(scope)
        allowed, handle = self._routes.get(scope.path, ("", None))
        if scope.path == "/logs":
            allowed = "POST"
        if not allowed:
            raise NotFound("there is nothing at this path", hint="send records to POST /logs")
        if handle is None or scope.method not in allowed.split(", "):
            error = MethodNotAllowed(f"this path takes {allowed}")
            status, headers, body = _answer_of(error)
            return status, [*headers, ("allow", allowed)], body
        return await handle(scope)

    async def _health(self, _: Scope) -> _Answer:
        health: dict[str, Any] = {"status": "ok", "version": __version__}
        try:
            status = await self._broker.status()
        except LogStreamError as error:
            health |= {"status": "degraded", "broker": error.to_json()}
        else:
            health["broker"] = status
            if status.warnings:
                health["status"] = "degraded"
        return 200, _JSON, _encode(health)

    async def _ready(self, _: Scope) -> _Answer:
        if self.draining:
            raise Unavailable("shutting down")
        self._producer.check_room()
        return 200, _JSON, _encode({"ready": True})

    async def _metrics(self, _: Scope) -> _Answer:
        self._tally.flush()
        return 200, [("content-type", "text/plain; version=0.0.4; charset=utf-8")], metrics.render()


def _json_of(outcome: Outcome) -> bytes:
    if outcome.accepted == 1 and not outcome.rejected:
        return _ONE[outcome.ack]
    return _encode(outcome.to_json())


def _answer_of(error: LogStreamError) -> _Answer:
    headers = list(_JSON)
    if isinstance(error, RetryLater):
        headers.append(("retry-after", str(error.retry_after_s)))
    elif error.status == 401:
        headers.append(("www-authenticate", "Bearer"))
    elif error.status in (408, 413):
        headers.append(_CLOSE)  # the rest of the body is not read
    return error.status, headers, _encode(error.to_json())
