"""Repeated requests: what names them, and the answers given before.

The broker keeps a repeated request once, whichever process takes the repetition. What is kept
here only lets the same process give the same answer again without any work.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict

from logstream.clock import Clock
from logstream.errors import BadRequest

__all__ = ["Answers", "dedup_id", "part_id"]

MAX_KEY_CHARACTERS = 255
_MAX_ANSWERS = 10_000
_ID_BYTES = 16

_Key = tuple[bytes, str]


def dedup_id(key: str, sender: bytes, body: bytes) -> bytes:
    """What names a request: its ``Idempotency-Key``, who sent it, and what.

    Raises:
        BadRequest: the key is empty or too long.
    """
    if not 0 < len(key) <= MAX_KEY_CHARACTERS:
        raise BadRequest(f"an Idempotency-Key has 1 to {MAX_KEY_CHARACTERS} characters")
    whole = hashlib.blake2b(digest_size=_ID_BYTES)
    for item in (key.encode("utf-8", "surrogateescape"), sender, body):
        whole.update(len(item).to_bytes(8, "big"))
        whole.update(item)
    return whole.digest()


def part_id(request_id: bytes, part: int) -> bytes:
    """What names one of the entries that a large request becomes; empty for no request id."""
    if not request_id or part == 0:
        return request_id
    return hashlib.blake2b(request_id + part.to_bytes(4, "big"), digest_size=_ID_BYTES).digest()


class Answers:
    """Answers of the last requests that had a key, and those still being worked out; bounded."""

    def __init__(self, *, window_s: float, clock: Clock) -> None:
        self._window_s = window_s
        self._clock = clock
        self._given: OrderedDict[_Key, tuple[float, bytes]] = OrderedDict()
        self._pending: dict[_Key, asyncio.Future[bytes]] = {}

    def get(self, request_id: bytes, ack: str) -> bytes | None:
        """The answer given to this request before, if it is remembered."""
        found = self._given.get((request_id, ack))
        if found is None or found[0] < self._clock.monotonic_s():
            return None
        return found[1]

    def pending(self, request_id: bytes, ack: str) -> asyncio.Future[bytes] | None:
        """The answer to come, when the same request is being worked on right now."""
        return self._pending.get((request_id, ack))

    def begin(self, request_id: bytes, ack: str) -> asyncio.Future[bytes]:
        """Note that a request is being worked on; `end` must follow."""
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._pending[request_id, ack] = future
        return future

    def end(self, request_id: bytes, ack: str, answer: bytes | None) -> None:
        """Remember the answer; ``None`` when there is none, so that a repetition tries again."""
        future = self._pending.pop((request_id, ack))
        if answer is None:
            future.cancel()
            return
        future.set_result(answer)
        self._given[request_id, ack] = (self._clock.monotonic_s() + self._window_s, answer)
        while len(self._given) > _MAX_ANSWERS:
            self._given.popitem(last=False)
