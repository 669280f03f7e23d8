"""Sends records in batches from a thread of its own, each batch stored once however often tried."""

from __future__ import annotations

import atexit
import gzip
import json
import math
import os
import random
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from logstream.client.http import Answer, Connection, ServerUnreachable, retry_after_s

__all__ = ["Counts", "Sender"]

_GZIP_FROM_BYTES = 1_024
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 30.0
_ANSWER_BYTES = 1 << 20
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


class Counts(NamedTuple):
    """What became of the records handed to a sender; all but ``waiting`` only grow.

    ``accepted`` and ``rejected``: as the server answered. ``dropped``: not taken, because the
    queue was full or the sender closed. ``given_up``: taken, but no answer within the time for
    retries, or none that makes sense. ``invalid``: could not be written as JSON.
    """

    waiting: int
    accepted: int
    rejected: int
    dropped: int
    given_up: int
    invalid: int


class Sender:
    """Takes records without waiting and posts them to LogStream's ingestion API.

    Args:
        url: Where the ingestion API listens, ``http://localhost:3000``.
        api_key: Access key, where the server asks for one.
        batch_records, batch_bytes: What one request holds at most.
        interval_s: Longest wait before what there is is sent.
        queue_records, queue_bytes: What may wait before records are dropped, and counted.
        retry_s: How long one batch is tried before it is given up, and counted.
        timeout_s: Longest wait for one answer.
        compress: Send with gzip.

    Safe to use from any thread, and in a process forked later: there it begins afresh.
    """

    def __init__(
        self,
        url: str = "http://localhost:3000",
        *,
        api_key: str = "",
        batch_records: int = 1_000,
        batch_bytes: int = 1 << 20,
        interval_s: float = 0.5,
        queue_records: int = 20_000,
        queue_bytes: int = 32 << 20,
        retry_s: float = 300.0,
        timeout_s: float = 30.0,
        compress: bool = True,
    ) -> None:
        self._connection = Connection(url, api_key=api_key, timeout_s=timeout_s)
        self._batch_records, self._batch_bytes = batch_records, batch_bytes
        self._interval_s, self._retry_s = interval_s, retry_s
        self._queue_records, self._queue_bytes = queue_records, queue_bytes
        self._compress = compress
        self._begin()
        # Weak: a sender that nobody holds any more must not be kept for the process's sake.
        ref = weakref.ref(self)
        self._at_exit = lambda: _close(ref)
        atexit.register(self._at_exit)
        os.register_at_fork(after_in_child=lambda: _restart(ref))

    def _begin(self) -> None:
        self._lock = threading.Condition()
        self._queue: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._in_flight = 0
        self._flushing = self._closed = False
        self._give_up_at: float | None = None
        self._accepted = self._rejected = self._dropped = self._given_up = self._invalid = 0
        self._thread: threading.Thread | None = None
        self._last_error = ""

    @property
    def counts(self) -> Counts:
        """What became of everything so far."""
        with self._lock:
            return Counts(
                len(self._queue) + self._in_flight, self._accepted, self._rejected,
                self._dropped, self._given_up, self._invalid,
            )  # fmt: skip

    @property
    def last_error(self) -> str:
        """Why the last request failed or a record was refused; empty when none ever was."""
        return self._last_error

    def send(self, record: Mapping[str, Any]) -> bool:
        """Take one record; false when it was dropped, which is counted. Never waits or raises.

        Members: as ``POST /logs`` takes them. A value that JSON does not know is sent as text.
        """
        try:
            line = _encode(record)
        except (ValueError, TypeError, RecursionError) as exc:
            with self._lock:
                self._invalid += 1
                self._last_error = f"not JSON: {exc}"
            return False
        with self._lock:
            if (
                self._closed
                or len(self._queue) >= self._queue_records
                or self._waiting_bytes + len(line) > self._queue_bytes
            ):
                self._dropped += 1
                return False
            self._queue.append(line)
            self._waiting_bytes += len(line)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="logstream-sender", daemon=True
                )
                self._thread.start()
            if len(self._queue) == 1 or len(self._queue) >= self._batch_records:
                self._lock.notify_all()
        return True

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Send what is waiting now; false when it was not all answered in that time."""
        deadline = time.monotonic() + timeout_s
        with self._lock:
            self._flushing = True
            self._lock.notify_all()
            done = self._lock.wait_for(self._idle, max(deadline - time.monotonic(), 0))
            self._flushing = False
        return done

    def close(self, timeout_s: float = 10.0) -> bool:
        """Take no more, flush, stop; false when something was not answered by then. Idempotent."""
        with self._lock:
            self._closed = True
            given_up = self._given_up
            self._give_up_at = time.monotonic() + timeout_s
        done = self.flush(timeout_s)
        with self._lock:
            thread = self._thread
            self._lock.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(1.0)
        atexit.unregister(self._at_exit)
        with self._lock:
            return done and self._given_up == given_up

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _idle(self) -> bool:
        return not self._queue and not self._in_flight

    # The thread

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            try:
                outcome = self._deliver(batch)
            except Exception as exc:  # noqa: BLE001 - counted; a thread that ends would send no more
                self._last_error = f"could not be sent: {exc!r}"
                outcome = 0, 0, len(batch)
            with self._lock:
                accepted, rejected, given_up = outcome
                self._accepted += accepted
                self._rejected += rejected
                self._given_up += given_up
                self._in_flight = 0
                self._lock.notify_all()
        self._connection.close()

    def _next_batch(self) -> list[bytes] | None:
        with self._lock:
            self._lock.wait_for(lambda: self._queue or self._closed)
            if not self._queue:
                return None
            self._lock.wait_for(self._worth_sending, self._interval_s)
            batch: list[bytes] = []
            size = 0
            while self._queue and len(batch) < self._batch_records and size < self._batch_bytes:
                line = self._queue.popleft()
                batch.append(line)
                size += len(line)
            self._waiting_bytes -= size
            self._in_flight = len(batch)
            return batch

    def _worth_sending(self) -> bool:
        return (
            self._flushing
            or self._closed
            or len(self._queue) >= self._batch_records
            or self._waiting_bytes >= self._batch_bytes
        )

    def _deliver(self, batch: list[bytes]) -> tuple[int, int, int]:
        body, headers = self._request(batch)
        give_up_at = time.monotonic() + self._retry_s
        pause_s = _FIRST_PAUSE_S
        while True:
            wished_s: float | None = None
            try:
                answer = self._connection.request(
                    "POST", "/logs", body=body, headers=headers, max_bytes=_ANSWER_BYTES
                )
            except ServerUnreachable as exc:
                self._last_error = exc.message
            else:
                if answer.status not in _RETRIED:
                    return self._settle(answer, len(batch))
                self._last_error = answer.error()
                wished_s = retry_after_s(answer.headers)
            if not self._pause(wished_s or pause_s * random.uniform(0.5, 1.0), give_up_at):  # noqa: S311 – jitter
                return 0, 0, len(batch)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _request(self, batch: list[bytes]) -> tuple[bytes, dict[str, str]]:
        body = b"\n".join(batch) + b"\n"
        headers = {
            "Content-Type": "application/x-ndjson",
            # The same for every try: that is what makes a repeated batch be stored once.
            "Idempotency-Key": uuid.uuid4().hex,
        }
        if self._compress and len(body) >= _GZIP_FROM_BYTES:
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        return body, headers

    def _settle(self, answer: Answer, records: int) -> tuple[int, int, int]:
        found = answer.json()
        accepted = found.get("accepted") if isinstance(found, dict) else None
        if answer.status >= 300:
            self._last_error = answer.error()
            return 0, records, 0
        if not isinstance(accepted, int) or not 0 <= accepted <= records:
            accepted = records
        if accepted < records:
            errors = found.get("errors") or [{}]
            self._last_error = str(errors[0].get("reason", "rejected"))
        return accepted, records - accepted, 0

    def _pause(self, seconds: float, give_up_at: float) -> bool:
        with self._lock:
            end = time.monotonic() + seconds
            while (now := time.monotonic()) < end:
                limit = min(give_up_at, self._give_up_at or math.inf)
                if now >= limit:
                    return False
                self._lock.wait(min(end, limit) - now)
            return end < min(give_up_at, self._give_up_at or math.inf)


def _encode(record: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(record, default=str, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(record), default=str, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace")


def _finite(value: Any, depth: int = 0) -> Any:
    if depth > 100:
        raise ValueError("nested too deeply")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _finite(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item, depth + 1) for item in value]
    return value


def _close(ref: weakref.ref[Sender]) -> None:
    sender = ref()
    if sender is not None:
        sender.close(5.0)


def _restart(ref: weakref.ref[Sender]) -> None:
    sender = ref()
    if sender is not None:
        sender._connection.close()  # noqa: SLF001 – the parent's socket: let go of our copy
        sender._begin()  # noqa: SLF001 – records waiting in the parent are the parent's to send
