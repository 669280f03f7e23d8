"""Where what cannot be read any more is set aside for a person to see."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from logstream.broker.disk.files import Segment

__all__ = ["Quarantine"]

_log = logging.getLogger(__name__)


class Quarantine:
    """One file for each damaged stretch or missing run of entries, named by where it was.

    The names make setting aside idempotent: a stretch met again, by a replay or after a crash, is
    neither copied nor counted twice.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def damaged(self, segment: Segment, start: int, data: bytes) -> None:
        """Keep the bytes that stood in the segment from ``start`` on."""
        end = start + len(data)
        name = f"{segment.path.parent.name}-{segment.path.stem}-{start}-{end}.bad"
        self._keep(name, data, f"{segment.path} is damaged from byte {start} to {end}")

    def missing(self, writer: str, first: int, after: int) -> None:
        """Note that the entries from ``first`` to before ``after`` are gone without a trace."""
        text = f"entries {first} to {after - 1} of writer {writer} are missing"
        self._keep(f"{writer}-{first}-{after}.missing", text.encode(), text)

    def count(self) -> int:
        """How many are set aside and have not been removed by somebody."""
        try:
            return len(os.listdir(self.folder))  # noqa: PTH208 - twice as fast, asked every second
        except FileNotFoundError:
            return 0

    def _keep(self, name: str, data: bytes, what: str) -> None:
        path = self.folder / name
        if path.exists():
            return
        try:
            self.folder.mkdir(exist_ok=True)
            draft = self.folder.parent / f".{name}"
            draft.write_bytes(data)
            draft.rename(path)
        except OSError as exc:
            # Going on matters more: only a consumer that goes on can empty a full disk.
            _log.error("%s; it could not be set aside either: %s", what, exc)
        else:
            _log.warning("%s; set aside as %s", what, path)
