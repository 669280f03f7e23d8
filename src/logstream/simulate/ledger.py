"""What a simulation sent and how it was answered, in a file that only grows.

One line of text an event, numbers in decimal::

    run ID START_NS              a run began: the header, the first line
    sent FIRST COUNT             a request with these records is about to be tried
    ack FIRST COUNT REFUSED      it was answered; REFUSED: "-", or comma-separated offsets
    end                          the simulation ended as planned

A request is written as sent before its first try and as answered after its answer, so that a
record of which the ledger knows no answer may be stored or not. Answers are fsynced a few times
a second: one that a crash of the simulator took away counts as no answer, which is never wrong.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from logstream.errors import CorruptData

__all__ = ["ACKNOWLEDGED", "REFUSED", "UNANSWERED", "UNSENT", "Ledger", "Outcome", "read_ledger"]

UNSENT, UNANSWERED, ACKNOWLEDGED, REFUSED = range(4)
"""What can have become of a record."""


class Ledger:
    """Writes one run's ledger; open one per file.

    Raises:
        FileExistsError: the file is there already.
    """

    def __init__(self, path: Path, run: str, start_ns: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._dirty = False
        self._write(f"run {run} {start_ns}\n")
        os.fsync(self._fd)

    def sent(self, first: int, count: int) -> None:
        """Records ``first … first + count - 1`` are about to be sent."""
        self._write(f"sent {first} {count}\n")

    def answered(self, first: int, count: int, refused: Sequence[int]) -> None:
        """They were answered; ``refused`` are offsets from ``first``."""
        self._write(f"ack {first} {count} {','.join(map(str, refused)) or '-'}\n")

    def sync(self) -> None:
        """Make what was written so far safe. Waits for the disk; any thread may call it."""
        if self._dirty:
            self._dirty = False
            os.fsync(self._fd)

    def close(self) -> None:
        """End the run."""
        if self._fd >= 0:
            self._write("end\n")
            os.fsync(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _write(self, line: str) -> None:
        os.write(self._fd, line.encode())
        self._dirty = True


class Outcome(NamedTuple):
    """A whole ledger: ``states[seq]`` is one of the four constants, one byte a record."""

    run: str
    start_ns: int
    states: bytearray


def read_ledger(path: Path) -> Outcome:
    """What became of each record; one byte a record is held.

    Raises:
        CorruptData: not a ledger.
        OSError: cannot be read.
    """
    with path.open(encoding="ascii", errors="replace") as lines:
        header = next(lines, "").split()
        if len(header) != 3 or header[0] != "run" or not header[2].isdigit():
            raise CorruptData(f"{path} is not a ledger of the simulator")
        states = bytearray()
        for number, line in enumerate(_whole(lines), 2):
            try:
                _apply(line.split(), states)
            except (ValueError, IndexError) as exc:
                raise CorruptData(f"{path}, line {number} is not a line of a ledger") from exc
    return Outcome(header[1], int(header[2]), states)


def _whole(lines: Iterator[str]) -> Iterator[str]:
    # The last line may have been cut by a crash.
    return (line for line in lines if line.endswith("\n"))


def _apply(words: list[str], states: bytearray) -> None:
    if words[0] == "end":
        return
    first, count = int(words[1]), int(words[2])
    if first < 0 or not 0 < count <= 10_000_000:
        raise ValueError("out of range")
    if words[0] == "sent":
        states.extend(bytes([UNSENT]) * (first + count - len(states)))
        states[first : first + count] = bytes([UNANSWERED]) * count
    elif words[0] == "ack" and first + count <= len(states):
        states[first : first + count] = bytes([ACKNOWLEDGED]) * count
        for offset in words[3].split(",") if words[3] != "-" else ():
            states[first + int(offset)] = REFUSED
    else:
        raise ValueError("unknown word")
