"""The folders of a broker, and who holds which."""

from __future__ import annotations

from pathlib import Path

from logstream.broker.disk.files import Disk, Lock, MarkReader, MarkWriter
from logstream.broker.disk.format import Mark
from logstream.broker.disk.quarantine import Quarantine
from logstream.broker.disk.recovery import ACKED, recover
from logstream.broker.disk.state import read_progress
from logstream.errors import BrokerUnavailable

__all__ = ["Folder"]

_LOCK_WAIT_S = 10.0
_MAX_SLOTS = 10_000


class Folder:
    """Where things are in a broker's folder.

    Raises (all methods):
        OSError: the disk refuses.
    """

    def __init__(self, root: Path, disk: Disk) -> None:
        self.root = root
        self.writers = root / "writers"
        self.consumer_lock = root / "consumer.lock"
        self.consumer_state = root / "consumer.sqlite"
        self.dead_letters = root / "dead_letters.sqlite"
        self.quarantine = Quarantine(root / "quarantine")
        self._disk = disk

    def make(self) -> None:
        if not self.writers.is_dir():
            self.writers.mkdir(parents=True, exist_ok=True)
            self._disk.sync_folder(self.root)
            self._disk.sync_folder(self.root.parent)

    def slots(self) -> list[Path]:
        """The folders of all writers there ever were."""
        if not self.writers.is_dir():
            return []
        return sorted(path for path in self.writers.iterdir() if path.name.isdecimal())

    def take_slot(self) -> tuple[Path, Lock, Mark]:
        """Hold the first free writer's folder, its end recovered.

        Raises:
            BrokerUnavailable: what its last holder left cannot be read.
        """
        taking = Lock(self.root / "slots.lock")
        if not taking.take(wait_s=_LOCK_WAIT_S):
            raise BrokerUnavailable(
                f"process {taking.holder()} has been taking a writer's folder for too long"
            )
        try:
            slot, lock = self._first_free()
        finally:
            taking.release()
        try:
            return slot, lock, self._recover(slot)
        except BaseException:
            lock.release()
            raise

    def recover_orphans(self) -> None:
        """Recover the folders that nobody holds, so that what is safe in them can be read."""
        taking = Lock(self.root / "slots.lock")
        if not taking.take(wait_s=_LOCK_WAIT_S):
            return  # whoever holds it is recovering
        try:
            for slot in self.slots():
                lock = Lock(slot / "lock")
                if lock.take():
                    try:
                        self._recover(slot)
                    finally:
                        lock.release()
        finally:
            taking.release()

    def _first_free(self) -> tuple[Path, Lock]:
        for number in range(_MAX_SLOTS):
            slot = self.writers / f"{number:04d}"
            if not slot.is_dir():
                slot.mkdir()
                self._disk.sync_folder(self.writers)
            lock = Lock(slot / "lock")
            if lock.take():
                return slot, lock
        raise BrokerUnavailable(f"all {_MAX_SLOTS} writers' folders in {self.writers} are held")

    def _recover(self, slot: Path) -> Mark:
        progress = read_progress(self.consumer_state, slot.name)
        acked = MarkReader(slot / ACKED)
        stale = acked.read().sequence < progress.sequence
        acked.close()
        if stale:
            marks = MarkWriter(slot / ACKED)
            marks.publish(progress)
            marks.close()
        return recover(slot, progress, self._disk)
