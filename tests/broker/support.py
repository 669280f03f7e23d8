"""What the disk broker's tests share: making one, crashing its ends, spoiling its files."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from logstream.broker.base import Message
from logstream.broker.disk import DiskBroker
from logstream.broker.disk.consumer import DiskConsumer
from logstream.broker.disk.files import Disk, Segment, list_segments
from logstream.broker.disk.format import (
    SEGMENT_HEADER_BYTES,
    decode_segment_header,
    encode_frame,
    encode_segment_header,
)
from logstream.broker.disk.producer import DiskProducer
from logstream.clock import SYSTEM_CLOCK, Clock

MB = 1_000_000


def make_broker(
    folder: Path,
    *,
    segment_bytes: int = MB,
    capacity_bytes: int = 100 * MB,
    disk: Disk | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> DiskBroker:
    return DiskBroker(
        folder,
        capacity_bytes=capacity_bytes,
        segment_bytes=segment_bytes,
        fsync=True,
        dedup_window_s=3600,
        dead_letter_bytes=MB,
        disk=disk,
        clock=clock,
    )


class RefusingDisk(Disk):
    """A disk on which the next call of one kind fails, after half of its work."""

    def __init__(self) -> None:
        self.refuses = ""
        self.error = errno.EIO
        self.free: int | None = None
        self.synced_after_failure: list[int] = []
        self._failed: set[int] = set()

    def forget(self) -> None:
        """A new process knows nothing of the failures of the last."""
        self._failed.clear()

    def _ask(self, what: str) -> None:
        if self.refuses == what:
            raise OSError(self.error, os.strerror(self.error))

    def create(self, path: Path) -> int:
        self._ask("create")
        descriptor = super().create(path)
        self._failed.discard(os.fstat(descriptor).st_ino)
        return descriptor

    def write(self, descriptor: int, buffers: Sequence[bytes]) -> None:
        if self.refuses == "write":
            whole = b"".join(buffers)
            os.write(descriptor, whole[: len(whole) // 2])
        self._ask("write")
        super().write(descriptor, buffers)

    def sync(self, descriptor: int) -> None:
        inode = os.fstat(descriptor).st_ino
        if inode in self._failed:
            self.synced_after_failure.append(inode)
        if self.refuses == "sync":
            self._failed.add(inode)
        self._ask("sync")
        super().sync(descriptor)

    def sync_folder(self, folder: Path) -> None:
        self._ask("sync_folder")
        super().sync_folder(folder)

    def free_bytes(self, folder: Path) -> tuple[int, int]:
        free, total = super().free_bytes(folder)
        return (free if self.free is None else self.free), total


def crash_producer(producer: DiskProducer) -> None:
    """What the system does to a producer that dies between two commits: close its files."""
    producer._release()
    producer._thread.shutdown()
    producer._closed = True


def crash_consumer(consumer: DiskConsumer) -> None:
    """What the system does to a consumer that dies between two calls."""
    consumer._thread.submit(consumer._release).result()
    consumer._thread.shutdown()
    consumer._closed = True


def leave_unsynced(producer: DiskProducer, messages: Sequence[Message], keep: float) -> None:
    """Write messages as a commit would and stop before the sync: a part of the bytes is left.

    ``keep`` is the part, from 0 to 1.
    """
    writer = producer._writer
    at = writer.at
    start = b""
    if writer._descriptor < 0:
        salt = os.urandom(8)
        path = Segment(writer._folder, at.sequence).path
        start = encode_segment_header(salt, at.sequence)
        at = at._replace(segment=at.sequence, offset=SEGMENT_HEADER_BYTES)
    else:
        path = Segment(writer._folder, at.segment).path
        salt = writer._salt
    parts = [start]
    for each in messages:
        head, at = encode_frame(each, salt, at)
        parts += [head, each.payload]
    data = b"".join(parts)
    with path.open("ab") as file:
        file.write(data[: round(len(data) * keep)])


def segments(folder: Path, slot: str = "0000") -> list[Path]:
    return [segment.path for segment in list_segments(folder / "writers" / slot)]


def frame_ends(path: Path) -> list[int]:
    """The offsets after each frame of an undamaged segment, the header's first."""
    data = path.read_bytes()
    salt, _ = decode_segment_header(data[:SEGMENT_HEADER_BYTES])
    ends = [start for start in range(len(data)) if data.startswith(salt, start)][2:]
    return [*ends, len(data)]
