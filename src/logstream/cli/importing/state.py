"""How far an import has come, in a small file, so that an interrupted one goes on exactly once.

The file holds, for each log file, the offset behind the last batch that was begun and the
stretches of batches begun and not yet answered. A batch's Idempotency-Key is made of the
import's id and its stretch: sent again after a crash, it is recognised and not stored again.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from logstream.errors import CorruptData, SettingError

__all__ = ["FileState", "State"]


class FileState(msgspec.Struct):
    """``identity`` tells whether the name still means the same file, ``turn`` how often that was
    cut and begun anew. ``format`` and ``shift_ns`` are kept so that the same lines become the same
    records."""

    identity: str
    format: str
    shift_ns: int = 0
    offset: int = 0
    pending: list[tuple[int, int]] = []
    turn: int = 0


class _Content(msgspec.Struct):
    id: str
    files: dict[str, FileState] = {}


class State:
    """The state of one import; ``path`` ``None``: kept in memory only.

    Raises:
        CorruptData: the file is there and is not such a state.
        SettingError: the file cannot be read, or (any method) written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._content = _Content(secrets.token_hex(8))
        if path is not None and (content := _read(path)):
            try:
                self._content = msgspec.json.decode(content, type=_Content)
            except msgspec.MsgspecError as exc:
                raise CorruptData(
                    f"{path} is not the state of an import: {exc}",
                    hint="give --resume another file to begin anew",
                ) from exc

    def of(self, name: str, identity: str) -> FileState | None:
        """What is known of a file, ``None``: nothing, or another file has taken its name."""
        known = self._content.files.get(name)
        return known if known is not None and known.identity == identity else None

    def begin_file(self, name: str, state: FileState) -> None:
        """A file is read from its start."""
        before = self._content.files.get(name)
        if before is not None and before.identity == state.identity:
            state.turn = before.turn + 1
        self._content.files[name] = state
        self._save()

    def key(self, state: FileState, start: int, end: int) -> str:
        """The Idempotency-Key of a stretch."""
        turn = f"-{state.turn}" if state.turn else ""
        return f"{self._content.id}-{state.identity}{turn}-{start}-{end}"

    def begin(self, state: FileState, start: int, end: int) -> None:
        """A batch is about to be sent."""
        if (start, end) not in state.pending:
            state.pending.append((start, end))
        state.offset = max(state.offset, end)
        self._save()

    def done(self, state: FileState, start: int, end: int) -> None:
        """A batch was answered."""
        state.pending.remove((start, end))
        self._save()

    def _save(self) -> None:
        if self._path is None:
            return
        temporary = self._path.with_name(self._path.name + ".new")
        try:
            with temporary.open("wb") as file:
                file.write(msgspec.json.encode(self._content))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as exc:
            raise SettingError(
                f"{self._path} cannot be written: {exc.strerror}",
                hint="give --resume a file in a folder that this user may write",
            ) from exc


def _read(path: Path) -> bytes:
    """What the file holds; nothing when there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as exc:
        raise SettingError(f"{path} cannot be read: {exc.strerror}") from exc
