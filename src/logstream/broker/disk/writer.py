"""Appends messages to one writer's segments. Runs on the producer's thread."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from logstream.broker.base import Message
from logstream.broker.disk.files import Disk, MarkWriter, Segment
from logstream.broker.disk.format import (
    SEGMENT_HEADER_BYTES,
    Mark,
    encode_frame,
    encode_segment_header,
)
from logstream.broker.disk.recovery import MARK

__all__ = ["SlotWriter"]

_SALT_BYTES = 8


class SlotWriter:
    """The end of one writer's segments.

    ``at`` is the place up to which everything is safe and published. A file that any call failed
    on is never written again, nor is one that another process began.
    """

    def __init__(
        self, folder: Path, at: Mark, *, segment_bytes: int, fsync: bool, disk: Disk
    ) -> None:
        self.at = at
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._fsync = fsync
        self._disk = disk
        self._marks = MarkWriter(folder / MARK)
        self._descriptor = -1
        self._salt = b""
        self._doomed: Path | None = None

    def commit(self, messages: Sequence[Message]) -> OSError | None:
        """Make the messages safe, in order; `at` says how many were before an error stopped it."""
        done = 0
        while done < len(messages):
            try:
                done += self._commit_to_segment(messages, done)
            except OSError as exc:
                self._abandon_segment()
                return exc
        return None

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._marks.close()

    def _commit_to_segment(self, messages: Sequence[Message], first: int) -> int:
        """Write and sync as many as the open segment takes; how many that were."""
        if self._descriptor >= 0 and self.at.offset >= self._segment_bytes:
            os.close(self._descriptor)
            self._descriptor = -1
        buffers: list[bytes] = []
        at = self.at
        fresh = self._descriptor < 0
        if fresh:
            self._salt = os.urandom(_SALT_BYTES)
            buffers.append(encode_segment_header(self._salt, at.sequence))
            at = at._replace(segment=at.sequence, offset=SEGMENT_HEADER_BYTES)
            self._create(at.segment)
        taken = 0
        while first + taken < len(messages) and (taken == 0 or at.offset < self._segment_bytes):
            message = messages[first + taken]
            head, at = encode_frame(message, self._salt, at)
            buffers += (head, message.payload)
            taken += 1
        self._disk.write(self._descriptor, buffers)
        if self._fsync:
            self._disk.sync(self._descriptor)
            if fresh:
                self._disk.sync_folder(self._folder)
        self._marks.publish(at)
        self.at = at
        self._doomed = None
        return taken

    def _create(self, first: int) -> None:
        if self._doomed is not None:
            self._doomed.unlink(missing_ok=True)
            self._doomed = None
        path = Segment(self._folder, first).path
        self._descriptor = self._disk.create(path)
        # Until its first entries are safe the file is nothing; its number goes to the next one.
        self._doomed = path

    def _abandon_segment(self) -> None:
        """After an error: what the kernel still holds of this file cannot be known.

        A sync that failed may have thrown the pages away and marked them clean, so that the next
        one would succeed and mean nothing. What was safe before stays; the rest is cut off if
        that works, and if not, the number of the next segment tells readers where to stop.
        """
        if self._descriptor < 0:
            return
        with contextlib.suppress(OSError):
            if self._doomed is None:
                os.ftruncate(self._descriptor, self.at.offset)
            else:
                self._doomed.unlink()
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        self._descriptor = -1
