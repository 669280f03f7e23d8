"""What the disk broker asks of the operating system, in one place so that a test can refuse it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path

from logstream.broker.disk.format import MARK_BYTES, Mark, decode_mark, encode_mark

__all__ = ["Disk", "Lock", "MarkReader", "MarkWriter", "Segment", "list_segments"]

_BUFFERS_PER_WRITE = 512
_SUFFIX = ".seg"


class Disk:
    """The calls that make bytes safe. Each raises OSError and may then have done half its work."""

    def create(self, path: Path) -> int:
        """A new file, opened for appending."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)

    def write(self, descriptor: int, buffers: Sequence[bytes]) -> None:
        """All buffers in order; a short write is carried on with until the system says why."""
        for first in range(0, len(buffers), _BUFFERS_PER_WRITE):
            part = buffers[first : first + _BUFFERS_PER_WRITE]
            total = sum(map(len, part))
            written = os.writev(descriptor, part)
            if written < total:
                rest = memoryview(b"".join(part))
                while written < total:
                    written += os.write(descriptor, rest[written:])

    def sync(self, descriptor: int) -> None:
        os.fdatasync(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """Make files created in the folder stay in it through a power cut."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self, folder: Path) -> tuple[int, int]:
        """(free for us, total) of the folder's file system."""
        found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


class Segment:
    """A segment's name. Sorts by its first entry's number."""

    __slots__ = ("first", "path")

    def __init__(self, folder: Path, first: int) -> None:
        self.first = first
        self.path = folder / f"{first:020d}{_SUFFIX}"


def list_segments(folder: Path) -> list[Segment]:
    """A writer's segments, oldest first."""
    names = [path.stem for path in folder.glob(f"*{_SUFFIX}")]
    return [Segment(folder, first) for first in sorted(int(n) for n in names if n.isdecimal())]


class MarkWriter:
    """Publishes a mark to other processes, through the page cache; never fsynced."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)

    def publish(self, mark: Mark) -> None:
        os.pwrite(self._descriptor, encode_mark(mark), 0)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class MarkReader:
    """Reads the mark of another process: one system call, no disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._last = Mark()

    def read(self) -> Mark:
        """The mark now; before the first is published, the one of an empty writer."""
        if self._descriptor < 0:
            try:
                self._descriptor = os.open(self._path, os.O_RDONLY)
            except FileNotFoundError:
                return self._last
        mark = decode_mark(os.pread(self._descriptor, MARK_BYTES, 0))
        if mark is not None:
            # Caught half written, the one before is as true as it was a moment ago.
            self._last = mark
        return self._last

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Lock:
    """An flock that goes with the process that holds it, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def take(self, *, wait_s: float = 0.0) -> bool:
        """Whether it is ours now. Writes our process id into the file for `holder`."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o640)
        give_up = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    os.close(descriptor)
                    return False
                time.sleep(0.005)
            else:
                break
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return True

    def holder(self) -> str:
        """The process id in the file, for messages."""
        return self._path.read_text(errors="replace").strip() or "unknown"

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
