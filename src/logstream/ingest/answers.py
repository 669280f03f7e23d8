"""An HTTP answer as bytes."""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from logstream.ingest.request import Headers

__all__ = ["answer_bytes"]

_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class _Date:
    """The ``Date`` header, made once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._line = b""

    def line(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._line = f"date: {formatdate(second, usegmt=True)}\r\n".encode()
        return self._line


_date = _Date()


def answer_bytes(
    status: int, headers: Headers, body: bytes, *, close: bool, head_only: bool
) -> bytes:
    """The answer as it goes over the wire; ``head_only`` leaves out the body, not its length."""
    head = _head(tuple(headers), len(body), close)
    return b"".join((_LINES[status], _date.line(), head, b"" if head_only else body))


@lru_cache(256)
def _head(headers: tuple[tuple[str, str], ...], length: int, close: bool) -> bytes:
    named = "".join(f"{name}: {value}\r\n" for name, value in headers)
    end = "connection: close\r\n\r\n" if close else "\r\n"
    return f"content-length: {length}\r\n{named}{end}".encode("latin-1")
