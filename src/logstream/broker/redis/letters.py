"""Dead letters: a stream of their own, bounded by what it holds."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from logstream.broker.base import DeadLetter
from logstream.broker.redis.control_scripts import (
    ADD_LETTER,
    LETTERS,
    NEWEST_LETTERS,
    REMOVE_LETTERS,
)
from logstream.broker.redis.keys import Control
from logstream.broker.redis.link import Link

__all__ = ["Letters"]

_log = logging.getLogger(__name__)

_ID = re.compile(r"\d{1,20}-\d{1,20}")


class Letters:
    """Every method raises `BrokerUnavailable`."""

    def __init__(self, link: Link, control: Control, *, capacity_bytes: int) -> None:
        self._link = link
        self._keys = (control.letters, control.letters_meta)
        self._capacity_bytes = capacity_bytes

    async def add(self, letters: Sequence[DeadLetter]) -> None:
        """Keep them, one call each: a letter may be large. The oldest make room."""
        dropped = 0
        for letter in letters:
            dropped += await self._link.call(
                ADD_LETTER,
                self._keys,
                (self._capacity_bytes, letter.payload, letter.rows, letter.reason, letter.at_ns),
            )
        if dropped:
            _log.warning("dropped %d dead letters, the oldest: raise dead_letter_bytes", dropped)

    async def newest(self, limit: int) -> list[DeadLetter]:
        raw = await self._link.call(NEWEST_LETTERS, self._keys, (limit,))
        return [
            DeadLetter(
                payload=fields[1],
                rows=int(fields[3]),
                reason=fields[5].decode("utf-8", "replace"),
                at_ns=int(fields[7]),
                id=id_.decode(),
            )
            for id_, fields in raw
        ]

    async def remove(self, ids: Sequence[str]) -> int:
        known = [id_ for id_ in ids if _ID.fullmatch(id_)]
        gone: int = await self._link.call(REMOVE_LETTERS, self._keys, known) if known else 0
        return gone

    async def counts(self) -> tuple[int, int]:
        """How many there are, and how many had to go."""
        there, dropped = await self._link.call(LETTERS, self._keys)
        return there, dropped
