"""Reads one writer's entries in order, past whatever is damaged, never beyond what is durable."""

from __future__ import annotations

import errno
import itertools
import logging
import os
import time
from pathlib import Path

from logstream.broker.base import Entry
from logstream.broker.disk.files import Segment, list_segments
from logstream.broker.disk.format import (
    FRAME_BYTES,
    MAX_DEDUP_BYTES,
    SEGMENT_HEADER_BYTES,
    ForeignVersion,
    Frame,
    Mark,
    decode_segment_header,
    entry_of,
    find_frame,
    header_at,
)
from logstream.broker.disk.quarantine import Quarantine
from logstream.errors import BrokerUnavailable, CorruptData

__all__ = ["SegmentFile", "SlotReader"]

_CHUNK_BYTES = 512 << 10
_HEADER_BYTES = FRAME_BYTES + MAX_DEDUP_BYTES
_NO_SALT = b""
_PAGE_BYTES = 4096
_READ_AGAIN_AFTER_S = (0.05, 0.2)
_WAITED_FOR_PAGES = 8
_MOST_UNREADABLE_PAGES = 4096

_log = logging.getLogger(__name__)


class SegmentFile:
    """An open segment; a window of it is kept so that small entries share a system call.

    Sectors that the disk cannot read, also not when asked again, read as zeros, which no checksum
    proves right: they are passed over like any other damage. A disk on which that is the rule is
    an error.
    """

    def __init__(self, segment: Segment, quarantine: Quarantine | None) -> None:
        """Open it and learn its salt; damage to the header goes to ``quarantine``.

        Raises:
            FileNotFoundError: it is gone.
            BrokerUnavailable: it is of a foreign version.
        """
        self.segment = segment
        self._descriptor = os.open(segment.path, os.O_RDONLY)
        self._base = 0
        self._window = b""
        self._unreadable: set[int] = set()
        self.salt = _NO_SALT
        try:
            header = self.read(0, SEGMENT_HEADER_BYTES)
            self.salt, damaged = decode_segment_header(header)
        except OSError:
            self.close()
            raise
        except ForeignVersion as exc:
            self.close()
            raise BrokerUnavailable(
                f"{segment.path} cannot be read: {exc.message}", hint=exc.hint
            ) from exc
        except CorruptData:
            # Without the salt no frame can be told; a `frame` then finds the whole file damaged.
            return
        if quarantine is not None:
            for start in damaged:
                quarantine.damaged(segment, start, header[start : start + len(header) // 2])

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def read(self, start: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``start``; fewer only at the end of the file.

        Raises:
            OSError: the disk cannot be read, or hardly.
        """
        try:
            return self._read(start, size)
        except OSError as exc:
            if exc.errno != errno.EIO:
                raise
        end = min(start + size, self.size())
        bounds = [start, *range(start - start % _PAGE_BYTES + _PAGE_BYTES, end, _PAGE_BYTES), end]
        return b"".join(
            self._read_page(begin, stop - begin) for begin, stop in itertools.pairwise(bounds)
        )

    def _read_page(self, start: int, size: int) -> bytes:
        """Bytes of one page, or as many zeros when it stays unreadable."""
        page = start // _PAGE_BYTES
        if page in self._unreadable:
            return bytes(size)
        patient = len(self._unreadable) < _WAITED_FOR_PAGES
        for pause_s in (*(_READ_AGAIN_AFTER_S if patient else ()), 0.0):
            try:
                return self._read(start, size)
            except OSError as exc:
                if exc.errno != errno.EIO or len(self._unreadable) >= _MOST_UNREADABLE_PAGES:
                    raise
                time.sleep(pause_s)
        self._unreadable.add(page)
        if patient:  # of many only the first are told one by one
            _log.error(
                "%s cannot be read from byte %d to %d: %s",
                self.segment.path, start, start + size, os.strerror(errno.EIO),
            )  # fmt: skip
        return bytes(size)

    def _read(self, start: int, size: int) -> bytes:
        parts = []
        while size > 0:
            part = os.pread(self._descriptor, size, start)
            if not part:
                break
            parts.append(part)
            start += len(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def frame(self, offset: int, limit: int) -> tuple[bytes, Frame] | None:
        """The frame at ``offset`` and the window it stands in, whole but with its payload unproved.

        ``None``: no frame that ends by ``limit`` starts there.
        """
        if not self.salt:
            return None
        self._cover(offset, min(_HEADER_BYTES, limit - offset), limit)
        frame = header_at(self._window, offset - self._base, self.salt)
        if frame is None:
            return None
        size = frame.end - frame.start
        if offset + size > limit:
            return None
        if self._cover(offset, size, limit):
            frame = header_at(self._window, offset - self._base, self.salt)
            if frame is None or frame.end > len(self._window):
                return None
        return self._window, frame

    def next_frame(self, offset: int, limit: int, *, sequence: int) -> int:
        """Where the next undamaged frame numbered ``sequence`` or higher starts, or ``limit``."""
        if not self.salt:
            return limit
        data = self.read(offset, limit - offset)
        found = find_frame(data, 0, self.salt, sequence=sequence)
        return limit if found is None else offset + found.start

    def _cover(self, offset: int, size: int, limit: int) -> bool:
        """Have the window hold these bytes; whether it was moved for that."""
        if self._base <= offset and offset + size <= self._base + len(self._window):
            return False
        self._base = offset
        self._window = self.read(offset, min(limit - offset, max(size, _CHUNK_BYTES)))
        return True

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._window = b""


class SlotReader:
    """A place in one writer's entries, and the way on from there.

    ``at`` is the place; ``gaps`` counts the entries that were passed over because they are not
    there any more. With a ``quarantine`` they are also set aside and logged; a follower goes
    without, because the consumer does that.
    """

    def __init__(self, folder: Path, at: Mark, quarantine: Quarantine | None) -> None:
        self.writer = folder.name
        self.at = at
        self.gaps = 0
        self._folder = folder
        self._quarantine = quarantine
        self._file: SegmentFile | None = None
        self._bound = 0  # first number of the segment after the open one; only if that is sealed
        self._sealed_bytes = 0  # and its size
        self._damage_met = False

    def read(self, until: Mark, max_bytes: int, *, at_least_one: bool) -> list[Entry]:
        """The next entries before ``until``, at most ``max_bytes`` of payload.

        Raises:
            BrokerUnavailable: a segment has a foreign version.
            OSError: the disk cannot be read.
        """
        entries: list[Entry] = []
        budget = max_bytes
        while self.at.sequence < until.sequence:
            file = self._segment_file(until)
            if file is None:
                continue
            active = self.at.segment == until.segment
            limit = until.offset if active else self._sealed_bytes
            bound = until.sequence if active else self._bound
            if self.at.offset >= limit or self.at.sequence >= bound:
                self._leave_segment(until)
                continue
            found = file.frame(self.at.offset, limit)
            if found is None:
                self._pass_damage(file, limit)
                continue
            window, frame = found
            if frame.sequence >= bound:
                self._leave_segment(until)
                continue
            size = frame.end - frame.payload_start
            if size > budget and not (at_least_one and not entries):
                break
            entry = entry_of(window, frame, self.writer)
            if entry is None:
                self._pass_damage(file, limit)
                continue
            if self._take(frame):
                entries.append(entry)
                budget -= size
        return entries

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._bound = self._sealed_bytes = 0

    def move(self, at: Mark) -> None:
        """Go to another place."""
        self.close()
        self.at = at

    def _take(self, frame: Frame) -> bool:
        fresh = frame.sequence >= self.at.sequence
        if frame.sequence > self.at.sequence:
            self._note_gap(frame.sequence)
        self._damage_met = False
        self.at = Mark(
            self.at.segment,
            self.at.offset + frame.end - frame.start,
            max(frame.sequence + 1, self.at.sequence),
            frame.total_rows,
            frame.total_size,
        )
        return fresh

    def _segment_file(self, until: Mark) -> SegmentFile | None:
        """The open segment at our place; ``None`` if there was none and we went on to the next."""
        if self._file is not None:
            if self.at.segment != until.segment and not self._bound:
                self._seal(self._file)
            return self._file
        try:
            self._file = SegmentFile(Segment(self._folder, self.at.segment), self._quarantine)
        except FileNotFoundError:
            self._leave_segment(until)
            return None
        if not self._file.salt:
            self._pass_damage(self._file, self._file.size())
        if self.at.segment < until.segment:
            self._seal(self._file)
        if self.at.offset < SEGMENT_HEADER_BYTES:
            self.at = self.at._replace(offset=SEGMENT_HEADER_BYTES)
        return self._file

    def _seal(self, file: SegmentFile) -> None:
        self._bound = self._following().first
        self._sealed_bytes = file.size()

    def _following(self) -> Segment:
        later = [s for s in list_segments(self._folder) if s.first > self.at.segment]
        return later[0] if later else Segment(self._folder, 1 << 63)

    def _leave_segment(self, until: Mark) -> None:
        self.close()
        following = self._following()
        if self.at.segment >= until.segment or following.first > until.segment:
            if until.sequence > self.at.sequence:
                self._note_gap(until.sequence)
            self.at = until
            return
        if following.first > self.at.sequence:
            self._note_gap(following.first)
        self.at = self.at._replace(
            segment=following.first, offset=0, sequence=max(following.first, self.at.sequence)
        )

    def _pass_damage(self, file: SegmentFile, limit: int) -> None:
        start = self.at.offset
        end = file.next_frame(start + 1, limit, sequence=self.at.sequence)
        if end > start:
            self._damage_met = True
            if self._quarantine is not None:
                self._quarantine.damaged(file.segment, start, file.read(start, end - start))
        self.at = self.at._replace(offset=end)

    def _note_gap(self, after: int) -> None:
        self.gaps += after - self.at.sequence
        if self._quarantine is not None and not self._damage_met:
            self._quarantine.missing(self.writer, self.at.sequence, after)
        self._damage_met = False
