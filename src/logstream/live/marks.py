"""Which records are in the store already: the border between store and broker, for backfill.

The worker tells of each group when it is fixed and when all of it can be found. A *mark* is the
border after the last group that can be found: an entry is before it exactly if its sequence is not
above ``upto`` of its writer, and then its records' ids are below ``end_id``. Entries of a writer
are grouped in their order, which is why one number for each writer is enough.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from logstream.broker.base import Position

__all__ = ["Mark", "Marks"]


class Mark(msgspec.Struct, frozen=True):
    """One border. ``end_id`` is ``None`` as long as the worker has fixed nothing: then all that
    is in the store was there before it began."""

    end_id: int | None
    upto: Mapping[str, int]

    def covers(self, position: Position) -> bool:
        """Whether the entry is on the store's side."""
        return position.sequence <= self.upto.get(position.writer, -1)


class Marks:
    """Follows the worker as one of its group listeners, from before it begins."""

    def __init__(self) -> None:
        self._first_id: int | None = None
        self._end_id: int | None = None
        self._upto: dict[str, int] = {}

    def group_fixed(self, first_id: int) -> None:
        if self._first_id is None:
            self._first_id = first_id

    def group_stored(self, end_id: int, upto: Mapping[str, int]) -> None:
        self._end_id = end_id
        for writer, sequence in upto.items():
            self._upto[writer] = max(sequence, self._upto.get(writer, -1))

    def now(self) -> Mark:
        """The border as it is."""
        end_id = self._first_id if self._end_id is None else self._end_id
        return Mark(end_id, dict(self._upto))

    def settled(self, mark: Mark) -> Mark:
        """A mark taken earlier, with its ``end_id`` known if a group has been fixed since: what
        was in the store then has lower ids than the first group of this worker."""
        return mark if mark.end_id is not None else Mark(self._first_id, mark.upto)
