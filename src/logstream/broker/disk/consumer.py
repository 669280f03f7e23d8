"""The consumer: reads, fixes groups, acknowledges them, deletes what is done with."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from logstream.broker.base import Consumer, DeadLetter, Entry, Group
from logstream.broker.disk.entries import Entries, merge, wait_for
from logstream.broker.disk.files import Lock, MarkWriter, list_segments
from logstream.broker.disk.format import Mark
from logstream.broker.disk.letters import DeadLetters
from logstream.broker.disk.recovery import ACKED
from logstream.broker.disk.slots import Folder
from logstream.broker.disk.state import ConsumerState, Plan, Range
from logstream.errors import BrokerUnavailable

__all__ = ["DiskConsumer"]

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")
_EVERYTHING = 1 << 62


class DiskConsumer(Consumer):
    """Made and used on one thread of its own, but for the waiting.

    Raises:
        BrokerUnavailable: what was fixed before cannot be read.
        OSError: the disk refuses.
    """

    def __init__(
        self,
        folder: Folder,
        state: ConsumerState,
        letters: DeadLetters,
        lock: Lock,
        thread: ThreadPoolExecutor,
    ) -> None:
        self._folder = folder
        self._state = state
        self._letters = letters
        self._lock = lock
        self._thread = thread
        self._acked: dict[str, MarkWriter] = {}
        self._deleted_to: dict[str, int] = {}
        self._reads: list[list[Range]] = []
        self._unfixed: list[Entry] = []
        self._closed = False
        self._entries = Entries(folder, self._start, folder.quarantine)
        self._tidy(state.progress)
        self._unfinished = self._load_unfinished()

    async def unfinished(self) -> Group | None:
        return next(iter(self._unfinished.values()), None)

    async def read(self, *, max_bytes: int, wait_s: float) -> list[Entry]:
        self._check_open()
        if not await wait_for(self._entries, wait_s):
            return []
        return await self._run(self._read, max_bytes)

    async def fix(self, entries: Sequence[Entry]) -> Group:
        self._check_open()
        return await self._run(self._fix, entries)

    async def ack(self, group: Group) -> None:
        self._check_open()
        await self._run(self._ack, group.number)

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        self._check_open()
        await self._run(self._letters.add, letters)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._run(self._release)
        self._thread.shutdown()

    def _check_open(self) -> None:
        if self._closed:
            raise BrokerUnavailable("this consumer is closed")

    async def _run(self, call: Callable[..., _Result], *arguments: object) -> _Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, call, *arguments)

    # From here on: on our thread

    def _release(self) -> None:
        self._entries.close()
        for mark in self._acked.values():
            mark.close()
        self._letters.close()
        self._state.close()
        self._lock.release()

    def _start(self, slot: Path) -> Mark:
        known = self._state.progress.get(slot.name)
        if known is not None:
            return known
        segments = list_segments(slot)
        # Without a progress of ours, what is not there any more was acknowledged by another's.
        return Mark(segments[0].first, 0, segments[0].first) if segments else Mark()

    def _load_unfinished(self) -> dict[int, Group]:
        groups: dict[int, Group] = {}
        for number, plan, acked in self._state.unfinished():
            entries: list[Entry] = []
            for read in plan.reads:
                runs = [self._reread(part, skip=acked) for part in read]
                entries += merge(runs)
            if not acked:
                groups[number] = _group(number, plan, entries, replayed=True)
        return groups

    def _reread(self, part: Range, *, skip: bool) -> list[Entry]:
        reader = self._entries.readers.get(part.writer)
        if reader is None:
            _log.error("the folder of writer %s is gone, with entries that were fixed", part.writer)
            return []
        try:
            if skip:
                reader.move(part.after)
                return []
            return reader.read(part.after, _EVERYTHING, at_least_one=True)
        finally:
            # Damage at the very end of what was fixed must not make it end elsewhere.
            reader.move(part.after)

    def _read(self, max_bytes: int) -> list[Entry]:
        taken = self._entries.read(max_bytes)
        entries = merge(list(taken.values())) if taken else []
        readers = self._entries.readers
        read = [Range(writer, readers[writer].at) for writer in taken]
        if len(read) == 1 and self._reads and [r.writer for r in self._reads[-1]] == [*taken]:
            self._reads[-1] = read
        elif read:
            self._reads.append(read)
        self._unfixed += entries
        return entries

    def _fix(self, entries: Sequence[Entry]) -> Group:
        if not entries:
            raise ValueError("no entries to fix")
        if [e.position for e in entries] != [e.position for e in self._unfixed]:
            raise ValueError("not the entries that were read and not yet fixed, in that order")
        ids = [
            (e.position.writer, e.position.sequence, e.message.dedup_id)
            for e in entries
            if e.message.dedup_id
        ]
        number, plan = self._state.fix(self._reads, ids)
        self._reads = []
        self._unfixed = []
        return _group(number, plan, entries, replayed=False)

    def _ack(self, number: int) -> None:
        moved = self._state.ack(number)
        self._unfinished.pop(number, None)
        self._tidy(moved or self._state.progress)

    def _tidy(self, progress: Mapping[str, Mark]) -> None:
        """Publish how far we are and delete the segments that lie wholly behind that.

        What cannot be done now is done at the next acknowledgement or start: both follow from
        the state file.
        """
        for writer, mark in progress.items():
            slot = self._folder.writers / writer
            try:
                if writer not in self._acked:
                    self._acked[writer] = MarkWriter(slot / ACKED)
                self._acked[writer].publish(mark)
                if self._deleted_to.get(writer, -1) < mark.segment:
                    self._delete_before(slot, mark)
                    self._deleted_to[writer] = mark.segment
            except OSError as exc:
                _log.warning("cannot tidy up %s: %s", slot, exc)

    @staticmethod
    def _delete_before(slot: Path, mark: Mark) -> None:
        segments = list_segments(slot)
        # The newest stays even when it is done with: its name keeps the writer's place.
        for segment, following in itertools.pairwise(segments):
            if following.first <= mark.sequence:
                segment.path.unlink(missing_ok=True)


def _group(number: int, plan: Plan, entries: Sequence[Entry], *, replayed: bool) -> Group:
    dropped = set(plan.dropped)
    kept = [e for e in entries if (e.position.writer, e.position.sequence) not in dropped]
    return Group(
        number=number,
        entries=tuple(kept if dropped else entries),
        duplicates=len(dropped),
        replayed=replayed,
    )
