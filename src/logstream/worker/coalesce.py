"""When to write and how much: the batching rule as a value, without a clock or a queue of its own.

A group is due when it holds enough rows or bytes, when its first entry has waited long enough, or
when the worker stops. While one insert runs the next group goes on growing, and while the broker
has more waiting than one read returns it is let grow too, up to the limits of one insert: under
load inserts become larger instead of more.

A group is everything that was read since the last one, as the broker's contract wants it, so it
may exceed its limits by what the last read brought; an entry is never split between groups.
"""

from __future__ import annotations

from typing import Literal, Self, TypeAlias

import msgspec

from logstream.settings import Settings

__all__ = ["FlushReason", "Policy", "Size", "Waiting"]

FlushReason: TypeAlias = Literal["rows", "bytes", "age", "replay", "stop"]


class Size(msgspec.Struct, frozen=True):
    """How much one entry holds: rows, and bytes once decoded."""

    rows: int
    bytes: int


class Waiting(msgspec.Struct, frozen=True):
    """What was read and is in no group yet. ``since_s``: when its first entry was read, on the
    monotonic clock."""

    entries: int = 0
    rows: int = 0
    bytes: int = 0
    since_s: float = 0.0

    def plus(self, size: Size, now_s: float) -> Self:
        """With one more entry, read at ``now_s``."""
        return type(self)(
            self.entries + 1,
            self.rows + size.rows,
            self.bytes + size.bytes,
            self.since_s if self.entries else now_s,
        )


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one group.

    ``flush_rows``, ``flush_bytes`` and ``flush_after_s`` make it due, whichever comes first; at
    ``max_rows`` or ``flush_bytes`` no more is read for it.
    """

    flush_rows: int
    flush_bytes: int
    flush_after_s: float
    max_rows: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The policy that the settings ask for."""
        return cls(
            flush_rows=settings.flush_rows,
            flush_bytes=settings.flush_size_bytes,
            flush_after_s=settings.flush_interval_s,
            max_rows=max(settings.group_max_rows, settings.flush_rows),
        )

    def is_full(self, waiting: Waiting) -> bool:
        """Whether reading more would be of no use to the next group."""
        return waiting.rows >= self.max_rows or waiting.bytes >= self.flush_bytes

    def due(
        self, waiting: Waiting, now_s: float, *, more: bool = False, stopping: bool = False
    ) -> FlushReason | None:
        """Why to write now, or ``None``. ``more``: the broker is known to hold more already."""
        if not waiting.entries:
            return None
        if waiting.bytes >= self.flush_bytes:
            return "bytes"
        old = self.due_in_s(waiting, now_s) <= 0
        if waiting.rows >= self.flush_rows and (old or not more or self.is_full(waiting)):
            return "rows"
        if old:
            return "age"
        return "stop" if stopping else None

    def due_in_s(self, waiting: Waiting, now_s: float) -> float:
        """Seconds until what waits is due by age."""
        return max(0.0, waiting.since_s + self.flush_after_s - now_s)
