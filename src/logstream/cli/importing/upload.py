"""Batches on their way to the ingestion API, several at once, each tried until it is answered."""

from __future__ import annotations

import gzip
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

from logstream.cli.api import raise_for
from logstream.client import Answer, Connection, ServerUnreachable
from logstream.client.http import retry_after_s

__all__ = ["Batch", "Result", "Uploader"]

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
_ABORT_EVERY_S = 0.05  # one that was just connecting has to be told again


class Batch(NamedTuple):
    """One request: ``records`` as NDJSON from the stretch ``start … end`` of a file.
    ``key`` is the same whenever this very stretch is sent."""

    start: int
    end: int
    records: int
    body: bytes
    key: str


class Result(NamedTuple):
    """How a batch was answered. ``errors``: index and reason of records refused, not all when
    there are many."""

    batch: Batch
    accepted: int
    rejected: int
    errors: tuple[dict[str, Any], ...]


class Uploader:
    """Posts batches from a few threads.

    Args:
        connect: Makes one connection; each thread has its own.
        retry_s: How long one batch is tried.
        compress: Send with gzip.
    """

    def __init__(
        self, connect: Callable[[], Connection], *, threads: int, retry_s: float, compress: bool
    ) -> None:
        self._connect = connect
        self._retry_s = retry_s
        self._compress = compress
        self._local = threading.local()
        self._connections: list[Connection] = []
        self._stop = threading.Event()
        self._limit = threads + 2
        self._pool = ThreadPoolExecutor(threads, "send")
        self._under_way: set[Future[Result]] = set()

    def submit(self, batch: Batch) -> list[Result]:
        """Send a batch; answers that have come in meanwhile. Waits when many are under way.

        Raises:
            ServerUnreachable: a batch was tried for too long.
            LogStreamError: the server refused one as a whole for a reason that will not pass.
        """
        self._under_way.add(self._pool.submit(self._send, batch))
        return self._collect(wait_for_one=len(self._under_way) >= self._limit)

    def drain(self) -> list[Result]:
        """Wait for all that are under way; raises as `submit`."""
        results = []
        while self._under_way:
            results += self._collect(wait_for_one=True)
        return results

    def close(self) -> None:
        """Give up what is under way."""
        self._stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        while any(future.running() for future in self._under_way):
            for connection in self._connections:
                connection.abort()
            wait(self._under_way, _ABORT_EVERY_S)
        for connection in self._connections:
            connection.close()

    def _collect(self, *, wait_for_one: bool) -> list[Result]:
        done, self._under_way = wait(
            self._under_way, None if wait_for_one else 0, return_when=FIRST_COMPLETED
        )
        return [future.result() for future in done]

    def _send(self, batch: Batch) -> Result:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            self._connections.append(connection)
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": batch.key}
        body = batch.body
        if self._compress:
            # The same bytes at any time: a resumed import is recognised by them.
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        give_up_s = time.monotonic() + self._retry_s
        pause_s = _FIRST_PAUSE_S
        while True:
            wished_s = None
            try:
                answer = connection.request("POST", "/logs", body=body, headers=headers)
            except ServerUnreachable as exc:
                trouble = exc
            else:
                if answer.status not in _RETRIED:
                    return _result(batch, answer)
                trouble = ServerUnreachable(f"{connection.url} refuses: {answer.error()}")
                wished_s = retry_after_s(answer.headers)
            delay_s = wished_s or pause_s * random.uniform(0.5, 1.0)  # noqa: S311 – jitter
            if time.monotonic() + delay_s > give_up_s or self._stop.wait(delay_s):
                raise trouble
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _result(batch: Batch, answer: Answer) -> Result:
    found = answer.json()
    found = found if isinstance(found, dict) else {}
    accepted, errors = found.get("accepted"), found.get("errors")
    if answer.status >= 300 and not isinstance(accepted, int):
        details = found.get("error")
        errors = details.get("errors") if isinstance(details, dict) else None
        if answer.status != 400 or not isinstance(errors, list):
            raise_for(answer)
        accepted = 0
    if not isinstance(accepted, int):
        accepted = batch.records
    named = tuple(each for each in errors or () if isinstance(each, dict))
    return Result(batch, accepted, batch.records - accepted, named)
