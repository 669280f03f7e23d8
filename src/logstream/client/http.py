"""One keep-alive HTTP connection with bounded answers: all that a client of LogStream needs."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from logstream.errors import RetryLater, SettingError

__all__ = ["MAX_ANSWER_BYTES", "Answer", "Connection", "ServerUnreachable", "retry_after_s"]

MAX_ANSWER_BYTES = 64 << 20
"""A longer answer than this is cut off: nothing LogStream answers at once is as long."""

_CHUNK_BYTES = 64 << 10
_LONGEST_PAUSE_S = 60.0
_HEADER_TEXT = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")


class ServerUnreachable(RetryLater):
    """No answer: refused, reset, timed out, or not HTTP. The request may have got through."""

    code = "unreachable"


class Answer(NamedTuple):
    """``headers`` by lower-case name; ``body`` whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; ``None`` when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def error(self) -> str:
        """What the server says went wrong, on one line."""
        found = self.json()
        error = found.get("error") if isinstance(found, dict) else None
        message = error.get("message") if isinstance(error, dict) else None
        if isinstance(message, str):
            return message
        return f"HTTP {self.status}"


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The pause a server asks for in seconds, at most a minute; ``None``: it asks for none."""
    try:
        return min(max(float(headers["retry-after"]), 0.0), _LONGEST_PAUSE_S)
    except (KeyError, ValueError):
        return None


class Connection:
    """One connection to one server, opened when needed. Not for use by two threads at once.

    Args:
        url: ``http://host:port`` or ``https://…``, with a path to put before every path, or not.
        api_key: Sent with every request; empty: none.
        timeout_s: Longest wait for the server at any one point.

    Raises:
        SettingError: not such a URL, or a key that cannot be sent.
    """

    def __init__(self, url: str, *, api_key: str = "", timeout_s: float = 30.0) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            port = parts.port
        except ValueError as exc:
            raise SettingError(f"{url!r} has no valid port") from exc
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingError(f"{url!r} is not an http:// or https:// URL")
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self._prefix = parts.path.rstrip("/")
        self._headers = {"User-Agent": "logstream-client"}
        if not _HEADER_TEXT.fullmatch(api_key):
            raise SettingError(
                "the access key holds characters that a header cannot have",
                hint="is there a line break at its end, from a file perhaps?",
            )
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        kind = http.client.HTTPSConnection if parts.scheme == "https" else _PlainConnection
        self._connection = kind(parts.hostname, port, timeout=timeout_s)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> Answer:
        """Ask and read the whole answer.

        Raises:
            ServerUnreachable: there was no whole answer of at most ``max_bytes``.
        """
        try:
            response = self._send(method, path, body, headers)
            content = response.read(max_bytes + 1)
        except (OSError, http.client.HTTPException) as exc:
            raise self._unreachable(exc) from exc
        if len(content) > max_bytes:
            self.close()
            raise ServerUnreachable(f"{self.url} answered with more than {max_bytes} bytes")
        return Answer(response.status, _lower(response), content)

    def stream(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None
    ) -> tuple[Answer, Iterator[bytes]]:
        """Ask and read the answer piece by piece, as it arrives.

        The iterator must be used up, or the connection closed, before the next request; it raises
        `ServerUnreachable` when the answer breaks off. With an error status the answer's body is
        read at once and the iterator is empty.
        """
        try:
            response = self._send(method, path, None, headers)
            if response.status >= 400:
                body = response.read(MAX_ANSWER_BYTES)
                return Answer(response.status, _lower(response), body), iter(())
        except (OSError, http.client.HTTPException) as exc:
            raise self._unreachable(exc) from exc
        return Answer(response.status, _lower(response), b""), self._pieces(response)

    def close(self) -> None:
        """Let go of the connection; the next request opens it again."""
        self._connection.close()

    def abort(self) -> None:
        """End it for whoever waits for an answer in another thread: it is raised
        `ServerUnreachable` there."""
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):  # the other side was faster
                sock.shutdown(socket.SHUT_RDWR)

    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> http.client.HTTPResponse:
        self._connection.request(
            method, self._prefix + path, body=body, headers={**self._headers, **(headers or {})}
        )
        return self._connection.getresponse()

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        try:
            while piece := response.read1(_CHUNK_BYTES):
                yield piece
        except (OSError, http.client.HTTPException) as exc:
            raise self._unreachable(exc) from exc

    def _unreachable(self, exc: Exception) -> ServerUnreachable:
        self.close()
        reason = str(exc) or type(exc).__name__
        return ServerUnreachable(f"no answer from {self.url}: {reason}", hint="is it running?")


class _PlainConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _lower(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}
