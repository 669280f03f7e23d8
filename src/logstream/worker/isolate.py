"""Find the records that a store rejects, by halving, without asking more often than is sane.

A rejected stretch is halved and both halves are tried, largest stretch first, until single
records are left: one bad record among n costs about 2·log2(n) inserts, of which all but the
rejected ones store good neighbours. After `max_tries` inserts what is still rejected is given up
as whole stretches; they hold good records too, but nothing is lost: dead letters can be replayed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec

from logstream.errors import RecordsRejected

__all__ = ["MAX_TRIES", "Insert", "Isolated", "Rejected", "isolate"]

MAX_TRIES = 512
"""Inserts spent on one rejected group: enough for about 15 scattered bad records in a full one."""

Insert: TypeAlias = Callable[[int, int], Awaitable[None]]
"""Store ``rows`` rows from ``first_row``; raises `RecordsRejected`."""


class Rejected(msgspec.Struct, frozen=True, order=True):
    """A stretch that the store will not take as a whole; one record unless tries ran out."""

    first_row: int
    rows: int
    reason: str


class Isolated(msgspec.Struct, frozen=True):
    """What became of the rows: how many are stored, and the rest, in row order."""

    stored_rows: int
    rejected: list[Rejected]


async def isolate(
    insert: Insert, rows: int, *, reason: str, max_tries: int = MAX_TRIES
) -> Isolated:
    """Store all of ``rows`` rows, already rejected once as a whole for ``reason``, but the bad.

    Raises:
        Whatever ``insert`` raises except `RecordsRejected`; then nothing is decided.
    """
    stored = tries = 0
    bad: list[Rejected] = []
    suspects = deque([Rejected(0, rows, reason)])
    while suspects:
        suspect = suspects.popleft()
        if suspect.rows == 1 or tries + 2 > max_tries:
            bad.append(suspect)
            continue
        half = suspect.rows // 2
        for first_row, length in (
            (suspect.first_row, half),
            (suspect.first_row + half, suspect.rows - half),
        ):
            tries += 1
            try:
                await insert(first_row, length)
                stored += length
            except RecordsRejected as exc:
                suspects.append(Rejected(first_row, length, exc.message))
    return Isolated(stored, sorted(bad))
