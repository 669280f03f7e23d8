"""Just enough HTTP/1.1 for a load generator: build requests, read statuses and lengths."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


class Target:
    """Where requests go: host, port and the path with its query."""

    __slots__ = ("host", "path", "port")

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ValueError(f"not an http:// address: {url}")
        self.host = parts.hostname
        self.port = parts.port or 80
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def request_head(target: Target, content_length: int, headers: Mapping[str, str]) -> bytes:
    """The head of a POST whose body of `content_length` bytes follows."""
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.host}:{target.port}",
        f"Content-Length: {content_length}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def parse_response(received: bytes) -> tuple[int, int] | None:
    """Status and total length in bytes (head and body), or None while the head is incomplete.

    Raises:
        ValueError: the answer has no Content-Length; chunked answers are not understood.
    """
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    status = int(received[9:12])
    head = received[:head_end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        if status == 204:
            return status, head_end + 4
        raise ValueError(f"answer without Content-Length: {received[:200]!r}")
    line_end = head.find(b"\r\n", at + 2)
    value = head[at + 17 : line_end if line_end >= 0 else None]
    return status, head_end + 4 + int(value)


def retry_after_s(response: bytes, default_s: float) -> float:
    """The Retry-After of `response` in seconds, or `default_s` where there is none."""
    head = response[: response.find(b"\r\n\r\n")].lower()
    at = head.find(b"\r\nretry-after:")
    if at < 0:
        return default_s
    line_end = head.find(b"\r\n", at + 2)
    try:
        return float(head[at + 14 : line_end if line_end >= 0 else None])
    except ValueError:  # an HTTP date; none of the servers measured here sends one
        return default_s
