"""How much room is left: for the broker's own limit and on its disk."""

from __future__ import annotations

from pathlib import Path

from logstream.broker.disk.files import Disk, MarkReader
from logstream.broker.disk.recovery import ACKED, MARK
from logstream.broker.disk.slots import Folder
from logstream.errors import BrokerFull, BrokerUnavailable

__all__ = ["RESERVE_BYTES", "Room", "reserve_bytes"]

RESERVE_BYTES = 256 << 20
_RESERVE_PART = 20  # on a small disk, no more than one part in this many
_RETRY_AFTER_S = 2
_MB = 1_000_000


def reserve_bytes(total_bytes: int) -> int:
    """Free space below which nothing more is taken: the consumer needs some to go on."""
    return min(RESERVE_BYTES, total_bytes // _RESERVE_PART)


class Room:
    """One producer's view of the room left, as of the last `refresh`.

    What other processes write between two refreshes is not seen, so several writers together may
    pass the limit by what they write in that time.
    """

    def __init__(self, folder: Folder, own: str, *, capacity_bytes: int, disk: Disk) -> None:
        self._folder = folder
        self._own = own
        self._capacity_bytes = capacity_bytes
        self._disk = disk
        self._marks: dict[Path, tuple[MarkReader, MarkReader]] = {}
        self._others_bytes = 0
        self._own_acked_bytes = 0
        self._free_bytes = 0
        self._reserve_bytes = 0

    def refresh(self) -> None:
        """Look again: a few system calls for each writer.

        Raises:
            OSError: the folder cannot be read.
        """
        others = 0
        for slot in self._folder.slots():
            if slot not in self._marks:
                self._marks[slot] = (MarkReader(slot / MARK), MarkReader(slot / ACKED))
            written, acked = (each.read().size for each in self._marks[slot])
            if slot.name == self._own:
                self._own_acked_bytes = acked
            else:
                others += max(written - acked, 0)
        self._others_bytes = others
        self._free_bytes, total = self._disk.free_bytes(self._folder.root)
        self._reserve_bytes = reserve_bytes(total)

    def check(self, written_bytes: int, more_bytes: int) -> None:
        """Refuse ``more_bytes`` after the ``written_bytes`` that this writer ever wrote or will.

        Raises:
            BrokerFull: the high-water mark is reached; the last that was taken may pass it.
            BrokerUnavailable: the disk is nearly full.
        """
        waiting = self._others_bytes + max(written_bytes - self._own_acked_bytes, 0)
        if waiting >= self._capacity_bytes:
            raise BrokerFull(
                f"the broker is full: {waiting / _MB:.0f} MB wait to be stored, "
                f"{self._capacity_bytes / _MB:.0f} MB may",
                hint="see whether the worker and the store are up, or raise broker_capacity_bytes",
                retry_after_s=_RETRY_AFTER_S,
            )
        if self._free_bytes - more_bytes < self._reserve_bytes:
            raise BrokerUnavailable(
                f"the broker's disk is nearly full: {self._free_bytes / _MB:.0f} MB are free, "
                f"{self._reserve_bytes / _MB:.0f} MB are kept in reserve",
                hint=f"free space on the disk of {self._folder.root}",
                retry_after_s=_RETRY_AFTER_S,
            )

    def close(self) -> None:
        for pair in self._marks.values():
            for each in pair:
                each.close()
        self._marks.clear()
