"""What a copy remembers: how far it came, and the batch that may be half-way there.

One file, replaced as a whole and fsynced before a batch is inserted: a line of JSON, then the
batch itself. So a copy that was killed inserts the very same rows again, whatever became of the
source meanwhile.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from logstream.errors import CorruptData, LogStreamError, SettingError
from logstream.migrate.source import Refused
from logstream.record import decode_batch, encode_batch

__all__ = ["Journal", "Step"]

_VERSION = 1


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One batch: its number from 0, where the source goes on behind it, and the sums up to it."""

    number: int
    position: bytes
    copied: int
    refused: int
    version: int = _VERSION


class Journal:
    """The state of one copy; held by one process at a time.

    Args:
        folder: Made when it is not there.
        name: Of the copy, as a file name.

    Raises:
        SettingError: the folder cannot be used, or another process runs this copy.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.state"
        self.refused_path = folder / f"{name}.refused.ndjson"
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as exc:
            raise SettingError(f"the state folder {folder} cannot be used: {exc.strerror}") from exc
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            os.close(self._lock)
            raise SettingError("this copy is running already") from exc

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._lock)

    def read(self) -> tuple[Step, pa.RecordBatch | None] | None:
        """The last step that was written; ``None``: the copy has not begun.

        Raises:
            CorruptData: the file is damaged.
        """
        try:
            head, _, payload = self.path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        try:
            step = msgspec.json.decode(head, type=Step)
        except msgspec.DecodeError as exc:
            raise CorruptData(f"{self.path} is damaged") from exc
        if step.version != _VERSION:
            raise CorruptData(f"{self.path} was written by another version of LogStream")
        return step, decode_batch(payload) if payload else None

    def write(self, step: Step, batch: pa.RecordBatch | None) -> None:
        """Make a step durable; it replaces the one before it. Blocks."""
        temporary = self.path.with_suffix(".new")
        try:
            with temporary.open("wb") as file:
                file.write(msgspec.json.encode(step) + b"\n")
                if batch is not None:
                    file.write(encode_batch(batch))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as exc:
            raise LogStreamError(
                f"{self.path} cannot be written: {exc.strerror}", hint="run the same command again"
            ) from exc

    def refuse(self, refused: tuple[Refused, ...]) -> None:
        """Keep what is not copied for a person. After a crash some may be there twice."""
        if refused:
            lines: list[Any] = [msgspec.json.encode(each) + b"\n" for each in refused]
            with self.refused_path.open("ab") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
