"""One platform per data folder: a lock that lives as long as any of its processes."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from logstream.errors import SettingError

__all__ = ["take"]

_POLL_S = 0.1
_DYING_S = 1.0


def take(file: Path, *, patience_s: float) -> int:
    """Take the lock and note our pid; the file descriptor that holds it.

    Whoever inherits the descriptor holds the lock too, so that it is free only when the last
    process has gone. ``patience_s``: how long processes that lost their supervisor are given.

    Raises:
        SettingError: another platform runs on this folder.
    """
    number = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    began_s = time.monotonic()
    while True:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as exc:
            holder = os.pread(number, 32, 0).decode("ascii", "replace").strip()
            waited_s = time.monotonic() - began_s
            # One that was killed a moment ago still looks alive.
            alive = _alive(holder)
            if waited_s >= (min(_DYING_S, patience_s) if alive else patience_s):
                os.close(number)
                raise _in_use(file, holder, alive=alive) from exc
            time.sleep(_POLL_S)
    os.ftruncate(number, 0)
    os.pwrite(number, f"{os.getpid()}\n".encode(), 0)
    return number


def _in_use(file: Path, holder: str, *, alive: bool) -> SettingError:
    folder = file.parent.parent
    if alive:
        return SettingError(
            f"data_dir {folder} is in use by another LogStream (pid {holder})",
            hint="stop that one, or give --data-dir another folder",
        )
    return SettingError(
        f"data_dir {folder} is still in use by processes of a LogStream that died (pid {holder})",
        hint="they end by themselves: try again in a moment",
    )


def _alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):  # it has gone meanwhile, or the system has no such files
        return not Path("/proc/self").exists()
    return state not in "ZX"
