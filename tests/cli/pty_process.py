"""A command on a terminal of its own: what it draws, and the keys that are pressed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping
from typing import Self

PATIENCE_S = 90.0


class PtyProcess:
    """``logstream …`` with standard input, output and error on a terminal that it leads.

    Use as a context manager: whatever still runs at its end is killed.
    """

    def __init__(self, *arguments: str, environment: Mapping[str, str], columns: int = 100) -> None:
        self._main, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "logstream", *arguments],
            stdin=terminal, stdout=terminal, stderr=terminal, close_fds=True,
            start_new_session=True, env={**environment, "TERM": "xterm-256color"},
            # So that Ctrl-C typed on it becomes a signal.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 – no threads of ours matter
        )  # fmt: skip
        os.close(terminal)
        self._drawn = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def drawn(self) -> str:
        """Everything written so far, control sequences included."""
        return bytes(self._drawn).decode("utf-8", "replace")

    @property
    def text(self) -> str:
        """The same without control sequences."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.drawn)

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._main, keys)

    def until(self, pattern: str) -> re.Match[str]:
        """What matches in the text, as soon as it does."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            waiting = self.process.poll() is None and time.monotonic() < deadline_s
            found = re.search(pattern, self.text)
            if found:
                return found
            assert waiting, f"{pattern} is not in\n{self.text}"
            time.sleep(0.02)

    def wait(self) -> int:
        """The exit code; all that was drawn is there then."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE_S)
        os.close(self._main)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._main, 65_536)
            except OSError:  # how a terminal says that nobody has it open any more
                return
            if not data:
                return
            self._drawn += data
