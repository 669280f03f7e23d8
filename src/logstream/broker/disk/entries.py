"""Reads all writers of a folder together: fairly, about in order of receipt, without busy waiting.

Whoever waits looks at each writer's mark, one system call a writer and no disk, every few
milliseconds at first and every `_SLOWEST_LOOK_S` when nothing comes. It costs an idle process
under 1 % of a core and needs nothing from the writers, whatever process they are in.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from logstream.broker.base import Entry
from logstream.broker.disk.files import MarkReader
from logstream.broker.disk.format import Mark
from logstream.broker.disk.quarantine import Quarantine
from logstream.broker.disk.reader import SlotReader
from logstream.broker.disk.recovery import MARK
from logstream.broker.disk.slots import Folder
from logstream.errors import BrokerUnavailable

__all__ = ["Entries", "merge", "wait_for"]

_FIRST_LOOK_S = 0.002
_SLOWEST_LOOK_S = 0.05
_LOOKS_PER_LISTING = 8


class Entries:
    """The readers of all writers.

    Args:
        start: Where to begin in a writer's entries, asked when the writer is first seen.
    """

    def __init__(
        self, folder: Folder, start: Callable[[Path], Mark], quarantine: Quarantine | None
    ) -> None:
        self._folder = folder
        self._start = start
        self._quarantine = quarantine
        self._turn = 0
        self.readers: dict[str, SlotReader] = {}
        self._marks: dict[str, MarkReader] = {}
        self.discover()

    @property
    def gaps(self) -> int:
        return sum(reader.gaps for reader in self.readers.values())

    def discover(self) -> None:
        """Find writers that were not there before."""
        for slot in self._folder.slots():
            if slot.name not in self.readers:
                self._marks[slot.name] = MarkReader(slot / MARK)
                self.readers[slot.name] = SlotReader(slot, self._start(slot), self._quarantine)

    def waiting(self) -> bool:
        """Whether any known writer has something to read: one system call a writer, no disk."""
        return any(
            self._marks[writer].read().sequence > reader.at.sequence
            for writer, reader in self.readers.items()
        )

    def read(self, max_bytes: int) -> dict[str, list[Entry]]:
        """What there is, by writer, each given about the same share.

        Raises:
            BrokerUnavailable: the disk cannot be read, or a segment is of a foreign version.
        """
        self.discover()
        marks = {writer: self._marks[writer].read() for writer in self.readers}
        ready = [w for w, reader in self.readers.items() if reader.at.sequence < marks[w].sequence]
        if ready:
            self._turn += 1
            turn = self._turn % len(ready)
            ready = ready[turn:] + ready[:turn]
        taken: dict[str, list[Entry]] = {}
        budget = max_bytes
        for number, writer in enumerate(ready):
            share = budget // (len(ready) - number)
            try:
                entries = self.readers[writer].read(marks[writer], share, at_least_one=not taken)
            except OSError as exc:
                raise BrokerUnavailable(f"the broker's disk cannot be read: {exc}") from exc
            if entries:
                taken[writer] = entries
                budget = max(budget - sum(len(e.message.payload) for e in entries), 0)
        return taken

    def close(self) -> None:
        for reader in self.readers.values():
            reader.close()
        for mark in self._marks.values():
            mark.close()


def merge(runs: Sequence[list[Entry]]) -> list[Entry]:
    """One list in order of receipt, in which the entries of a run keep their order.

    The same runs give the same list, which is what makes a replayed group equal the first.
    """
    if len(runs) == 1:
        return runs[0]
    keyed: list[tuple[int, Entry]] = []
    for run in runs:
        latest = 0
        for entry in run:
            latest = max(latest, entry.message.received_ns)
            keyed.append((latest, entry))
    keyed.sort(key=lambda pair: pair[0])
    return [entry for _, entry in keyed]


async def wait_for(entries: Entries, wait_s: float) -> bool:
    """Wait until there is something to read, at most ``wait_s``; whether there is."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + wait_s
    pause_s = _FIRST_LOOK_S
    for look in itertools.count():
        if look % _LOOKS_PER_LISTING == 0:
            entries.discover()
        if entries.waiting():
            break
        left_s = give_up - loop.time()
        if left_s <= 0:
            return False
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, _SLOWEST_LOOK_S)
    return True
