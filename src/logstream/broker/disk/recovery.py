"""What is done to a writer's folder when somebody takes it: find the end, cut the rest.

Everything here may be stopped at any point and done again.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from logstream.broker.disk.files import Disk, MarkReader, MarkWriter, Segment, list_segments
from logstream.broker.disk.format import SEGMENT_HEADER_BYTES, Mark, entry_of
from logstream.broker.disk.reader import SegmentFile

__all__ = ["ACKED", "MARK", "recover"]

MARK = "durable"
"""Name of the file in a writer's folder that says up to where its entries are safe."""
ACKED = "acked"
"""Name of the file in a writer's folder that says up to where they are in the store."""

_log = logging.getLogger(__name__)


def recover(folder: Path, progress: Mark, disk: Disk) -> Mark:
    """Make the end of a writer's segments safe, publish it, and say where the writer goes on.

    ``progress`` is the consumer's own record of what it acknowledged: no number below it is ever
    given out again, whatever became of the files.

    Raises:
        BrokerUnavailable: the last segment is of a foreign version.
        OSError: the disk refuses.
    """
    published = MarkReader(folder / MARK)
    known = published.read()
    published.close()
    end = _end_of_segments(folder, known, disk)
    end = Mark(
        end.segment,
        end.offset,
        *(max(values) for values in zip(end[2:], known[2:], progress[2:], strict=True)),
    )
    marks = MarkWriter(folder / MARK)
    try:
        marks.publish(end)
    finally:
        marks.close()
    return end


def _end_of_segments(folder: Path, known: Mark, disk: Disk) -> Mark:
    segments = list_segments(folder)
    while segments:
        last = segments.pop()
        end = _end_of(last, known)
        if end is not None:
            _cut(last, end.offset, disk)
            return end
        # It was being made when its writer stopped; nothing in it was ever acknowledged.
        last.path.unlink()
    return Mark()


def _end_of(segment: Segment, known: Mark) -> Mark | None:
    """The mark after the last undamaged entry; ``None`` if there never was one."""
    file = SegmentFile(segment, None)
    try:
        size = file.size()
        if known.segment == segment.first and known.offset > 0:
            # What was published is left for the consumer to judge, damaged or not.
            end = known._replace(offset=min(known.offset, size))
        else:
            end = Mark(segment.first, SEGMENT_HEADER_BYTES, segment.first)
        at = end.offset
        while at < size:
            found = file.frame(at, size)
            if found is None or entry_of(*found, "") is None:
                at = file.next_frame(at + 1, size, sequence=end.sequence)
                continue
            frame = found[1]
            at += frame.end - frame.start
            end = Mark(segment.first, at, frame.sequence + 1, frame.total_rows, frame.total_size)
        return end if end.sequence > segment.first else None
    finally:
        file.close()


def _cut(segment: Segment, end: int, disk: Disk) -> None:
    descriptor = os.open(segment.path, os.O_RDWR)
    try:
        size = os.fstat(descriptor).st_size
        if size > end:
            os.ftruncate(descriptor, end)
            _log.info("%s: cut %d bytes of an unfinished write", segment.path, size - end)
        # What the last writer wrote and never synced becomes readable with the mark below.
        disk.sync(descriptor)
        disk.sync_folder(segment.path.parent)
    finally:
        os.close(descriptor)
