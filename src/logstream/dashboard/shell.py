"""What surrounds the application: one layer of plain ASGI that every request passes.

Gives each request an id and each answer its security headers, asks `auth.Gate`, watches for the
client going away, and turns what nobody else caught into the one error shape.

Litestar reads the channel on which ASGI announces a disconnect only while it streams, so a plain
handler would wait for its query long after the client has gone. `_Lifeline` reads it all the
time, hands bodies on, and cancels the task when the client is gone, and with it the query.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Coroutine, MutableMapping
from contextlib import AsyncExitStack
from typing import Any, cast
from urllib.parse import quote, unquote_to_bytes

import msgspec
from litestar.enums import ScopeType
from litestar.types import (
    ASGIApp,
    HTTPDisconnectEvent,
    HTTPReceiveMessage,
    HTTPRequestEvent,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
)

from logstream.dashboard.auth import Gate
from logstream.dashboard.errors import REQUEST_ID, InternalError, describe, log_failure
from logstream.errors import LogStreamError, Unavailable

__all__ = ["CONTENT_SECURITY_POLICY", "Shell", "resources_of"]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)

_SECURITY_HEADERS = tuple(
    (name.encode(), value.encode())
    for name, value in {
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }.items()
)

_RESOURCES = "logstream.resources"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FIELD_PATH = re.compile(rb"(/api/v1/fields/)(.*)(/values)/?", re.DOTALL)


def resources_of(scope: Scope) -> AsyncExitStack:
    """What the request holds; let go of when it ends, in whatever way it does."""
    return cast("AsyncExitStack", scope["state"][_RESOURCES])


class Shell:
    """Wraps the application; state of one request lives in local variables only."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate
        self._working: set[asyncio.Future[None]] = set()

    def cancel_all(self) -> None:
        """Stop whatever is still being answered: the time for a graceful end is over."""
        for work in self._working:
            work.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        request_id = _request_id(headers)
        scope["state"][REQUEST_ID] = request_id
        answer = _Answer(send, request_id)
        try:
            self._gate.check(scope["method"], scope["path"], headers)
            _keep_field_names_whole(cast("MutableMapping[str, Any]", scope))
            await self._serve(scope, receive, answer)
        except LogStreamError as exc:
            if answer.started:
                raise  # as below
            await answer.fail(exc)
        except Exception as exc:
            log_failure(exc, request_id, scope["method"], scope["path"])
            if answer.started:
                raise  # the server cuts the connection, so that the client sees it was not all
            await answer.fail(InternalError("something went wrong here"))

    async def _serve(self, scope: HTTPScope, receive: Receive, answer: _Answer) -> None:
        lifeline = _Lifeline(receive, self._working)

        async def respond() -> None:
            async with AsyncExitStack() as resources:
                scope["state"][_RESOURCES] = resources
                await self._app(scope, lifeline.receive, answer.send)

        await lifeline.run(respond)


class _Answer:
    """The way back to the client, with the headers that every answer has."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = list(message["headers"])
            given = {name.lower() for name, _ in headers}
            headers += [pair for pair in _SECURITY_HEADERS if pair[0] not in given]
            if b"cache-control" not in given:
                headers.append((b"cache-control", b"no-store"))
            headers.append((b"x-request-id", self._request_id.encode()))
            message["headers"] = headers
        await self._send(message)

    async def fail(self, error: LogStreamError) -> None:
        status, headers, body = describe(error, self._request_id)
        content = msgspec.json.encode(body)
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        pairs += [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": pairs})
        await self.send({"type": "http.response.body", "body": content, "more_body": False})


class _Lifeline:
    """Reads what the client sends, all the time, to know when it has gone."""

    def __init__(self, receive: Receive, working: set[asyncio.Future[None]]) -> None:
        self._receive = receive
        self._working = working
        # One message ahead of the application: a body is not read faster than it is consumed.
        self._messages: asyncio.Queue[HTTPRequestEvent | HTTPDisconnectEvent] = asyncio.Queue(1)

    async def receive(self) -> HTTPReceiveMessage:
        return await self._messages.get()

    async def run(self, respond: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run until it has answered or the client has gone."""
        work = asyncio.ensure_future(respond())
        self._working.add(work)
        work.add_done_callback(self._working.discard)
        watch = asyncio.ensure_future(self._watch())
        try:
            await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                watch.result()
                work.cancel()
                await asyncio.wait((work,))
            if not work.cancelled():
                work.result()
            elif not watch.done():
                raise Unavailable("stopping now", hint="ask again once it is back")
        finally:
            for task in (work, watch):
                task.cancel()
            await asyncio.gather(work, watch, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return
            await self._messages.put(cast("HTTPRequestEvent", message))


def _request_id(headers: dict[str, str]) -> str:
    # A proxy's own id is kept, so that its log and ours can be read together.
    given = headers.get("x-request-id", "")
    return given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)


def _keep_field_names_whole(scope: MutableMapping[str, Any]) -> None:
    """Let ``/api/v1/fields/{field}/values`` take any text: also one with slashes in it.

    Servers decode a path before they hand it on, and then ``a%2Fb`` looks like two segments. For
    this route the field stays percent-encoded until its handler decodes it.
    """
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    match = _FIELD_PATH.fullmatch(raw.partition(b"?")[0])
    if match:
        field = quote(unquote_to_bytes(match[2]), safe="")
        scope["path"] = f"{match[1].decode()}{field.replace('.', '%2E')}{match[3].decode()}"
