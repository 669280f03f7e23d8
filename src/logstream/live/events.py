"""What a live tail hands out, as values."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from logstream.record import Record

__all__ = ["Event", "Place", "Rows", "Status", "TailRow"]


class Place(msgspec.Struct, frozen=True, order=True):
    """How far a reader has come in what a hub saw: all before this row of its entry ``number``.

    ``str()`` of it is what a client sends back to go on from there.
    """

    hub: str
    number: int
    row: int

    def __str__(self) -> str:
        return f"{self.hub}.{self.number}.{self.row}"

    @staticmethod
    def parse(text: str) -> Place | None:
        """The place that ``str()`` wrote, or ``None`` if it is none."""
        hub, _, rest = text.partition(".")
        number, _, row = rest.partition(".")
        digits = number + row
        if not (hub and number and row and digits.isascii() and digits.isdigit()):
            return None
        if len(digits) > 40:
            return None
        return Place(hub, int(number), int(row))


class TailRow(msgspec.Struct, frozen=True, kw_only=True):
    """One record. ``key`` is unique and the same whenever this hub shows it. ``received_ns`` is
    when it arrived, ``None`` for a row that came from the store; ``id`` is its id there, ``None``
    for one that came from the broker."""

    key: str
    record: Record
    received_ns: int | None = None
    id: int | None = None


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Records in order of arrival. ``resume`` is where to go on from after them."""

    rows: tuple[TailRow, ...]
    resume: str
    backfill: bool = False


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the tail was opened, backfill left out.

    Always ``matched == sent + dropped + sampled_out + waiting``.

    Attributes:
        matched: Records that were looked at and match.
        sent: … of them, those handed out.
        dropped: … lost because the reader was too slow.
        sampled_out: … left out because there were too many to show.
        waiting: … in the buffer now.
        unexamined: Records not looked at because there were too many even for that.
        sample: What comes now is one in this many.
        missed_entries: Entries (of one or more records) that were deleted before they were seen.
        gap: The place to go on from was gone: there may be records between, not shown.
        backfill_complete: Whether no older match can be missing among the backfilled records.
        resume: Where to go on from.
    """

    matched: int = 0
    sent: int = 0
    dropped: int = 0
    sampled_out: int = 0
    waiting: int = 0
    unexamined: int = 0
    sample: int = 1
    missed_entries: int = 0
    gap: bool = False
    backfill_complete: bool = True
    resume: str = ""


Event: TypeAlias = Rows | Status
