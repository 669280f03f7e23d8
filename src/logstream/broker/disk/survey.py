"""How much waits in a broker's folder, from the marks that its processes publish."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from logstream.broker.disk.files import MarkReader, list_segments
from logstream.broker.disk.format import SEGMENT_HEADER_BYTES, Mark
from logstream.broker.disk.reader import SegmentFile
from logstream.broker.disk.recovery import ACKED, MARK
from logstream.broker.disk.slots import Folder
from logstream.errors import BrokerUnavailable

__all__ = ["Backlog", "Survey"]


class Backlog(NamedTuple):
    """What is not acknowledged; the fields are those of `BrokerStatus`."""

    entries: int
    rows: int
    bytes: int
    oldest_received_ns: int | None


class Survey:
    """Keeps the marks open between two looks, which cost two system calls a writer."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._marks: dict[Path, tuple[MarkReader, MarkReader]] = {}

    def backlog(self) -> Backlog:
        """Look now.

        Raises:
            OSError: the folder cannot be read.
        """
        entries = rows = size = 0
        oldest: list[int] = []
        for slot in self._folder.slots():
            if slot not in self._marks:
                self._marks[slot] = (MarkReader(slot / MARK), MarkReader(slot / ACKED))
            durable, acked = (each.read() for each in self._marks[slot])
            if durable.sequence <= acked.sequence:
                continue
            entries += durable.sequence - acked.sequence
            rows += durable.rows - acked.rows
            size += durable.size - acked.size
            received_ns = _received_ns(slot, acked)
            if received_ns is not None:
                oldest.append(received_ns)
        return Backlog(entries, rows, size, min(oldest, default=None))

    def close(self) -> None:
        for pair in self._marks.values():
            for each in pair:
                each.close()
        self._marks.clear()


def _received_ns(slot: Path, at: Mark) -> int | None:
    """When the entry at the mark was received; ``None`` if it cannot be told just now."""
    for segment in list_segments(slot):
        if segment.first < at.segment:
            continue
        offset = at.offset if segment.first == at.segment else 0
        try:
            file = SegmentFile(segment, None)
        except (FileNotFoundError, BrokerUnavailable):
            return None
        try:
            found = file.frame(max(offset, SEGMENT_HEADER_BYTES), file.size())
        finally:
            file.close()
        if found is not None and found[1].sequence >= at.sequence:
            return found[1].received_ns
    return None
