"""One keep-alive HTTP/1.1 connection on asyncio, just large enough to load an ingestion API."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from logstream.client import Answer, ServerUnreachable
from logstream.errors import SettingError

__all__ = ["AsyncConnection"]

_MAX_ANSWER_BYTES = 8 << 20


class AsyncConnection:
    """Posts bodies to one URL, one request at a time.

    Raises:
        SettingError: not an http or https URL.
    """

    def __init__(self, url: str, *, api_key: str = "", timeout_s: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingError(f"{url!r} is not an http:// or https:// URL")
        self.url = url
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._timeout_s = timeout_s
        key = f"Authorization: Bearer {api_key}\r\n" if api_key else ""
        target = (parts.path.rstrip("/") or "") + "/logs"
        self._head = f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n{key}"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, body: bytes, *, content_type: str, key: str) -> Answer:
        """Send one body and read the answer.

        Raises:
            ServerUnreachable: no whole answer; the request may have got through.
        """
        head = (
            f"{self._head}Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
            f"Idempotency-Key: {key}\r\n\r\n"
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                if self._writer is None:
                    self._reader, self._writer = await asyncio.open_connection(
                        self._host, self._port, ssl=self._tls
                    )
                self._writer.write(head.encode() + body)
                await self._writer.drain()
                return await self._read()
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError) as exc:
            await self.close()
            reason = str(exc) or type(exc).__name__
            raise ServerUnreachable(f"no answer from {self.url}: {reason}") from exc

    async def close(self) -> None:
        """Let go of the connection; the next post opens it again."""
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            writer.close()

    async def _read(self) -> Answer:
        assert self._reader is not None  # noqa: S101 – set with the writer
        head = await self._reader.readuntil(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
        body = await self._body(headers)
        if headers.get("connection", "").lower() == "close":
            await self.close()
        return Answer(int(status_line.split(" ")[1]), headers, body)

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        assert self._reader is not None  # noqa: S101 – set with the writer
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunks(self._reader)
        length = int(headers.get("content-length", "0"))
        if not 0 <= length <= _MAX_ANSWER_BYTES:
            raise ValueError(f"an answer of {length} bytes")
        return await self._reader.readexactly(length)

    @staticmethod
    async def _chunks(reader: asyncio.StreamReader) -> bytes:
        whole = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            if len(whole) + size > _MAX_ANSWER_BYTES:
                raise ValueError("the answer is too long")
            whole += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return whole
