"""One platform per data folder: a lock that lives as long as any of its processes."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from logstream.errors import SettingError

__all__ = ["take"]

_POLL_S = 0.1


def take(file: Path, *, patience_s: float) -> int:
    """Take the lock and note our pid; the file descriptor that holds it.

    Whoever inherits the descriptor holds the lock too, so that it is free only when the last
    process has gone. ``patience_s``: how long processes that lost their supervisor are given.

    Raises:
        SettingError: another platform runs on this folder.
    """
    number = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline_s = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as exc:
            holder = os.pread(number, 32, 0).decode("ascii", "replace").strip()
            if _alive(holder) or time.monotonic() >= deadline_s:
                os.close(number)
                raise SettingError(
                    f"data_dir {file.parent.parent} is in use by another LogStream (pid {holder})",
                    hint="stop that one, or give --data-dir another folder",
                ) from exc
            time.sleep(_POLL_S)
    os.ftruncate(number, 0)
    os.pwrite(number, f"{os.getpid()}\n".encode(), 0)
    return number


def _alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
