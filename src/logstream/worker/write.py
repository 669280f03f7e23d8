"""Bring one fixed group into the store, whatever it takes, without knowing where it came from.

The store numbers rows by ``group number << ROW_BITS | row``, so one number covers 2**20 rows. A
broker's group may hold more (a few entries of very many tiny records), so it gets 2**PART_BITS
numbers of its own: part ``p`` of it, the rows from ``p << ROW_BITS``, is the store's group
``number << PART_BITS | p``. The cut depends on nothing that can change between two tries.
"""

from __future__ import annotations

import asyncio
import logging
import random

import msgspec
import pyarrow as pa

from logstream import metrics
from logstream.clock import Clock
from logstream.errors import RecordsRejected, StoreError, StoreUnavailable
from logstream.store.base import ROW_BITS, Store
from logstream.worker.isolate import MAX_TRIES, Rejected, isolate
from logstream.worker.retry import Sleep, Stopping, backoff_s, pause
from logstream.worker.waits import Waits

__all__ = [
    "MAX_GROUP_ROWS",
    "PART_BITS",
    "REJECTED_RUN_ROWS",
    "SUSPECT_TRIES",
    "Writer",
    "ids_of_group",
]

PART_BITS = 2
MAX_GROUP_ROWS = 1 << (ROW_BITS + PART_BITS)
"""Rows of one group that can be stored; those beyond are dead-lettered, to be replayed in
smaller pieces."""

REJECTED_RUN_ROWS = 100_000
"""Rows rejected in a row, not one stored between, from which on the store is taken to be at
fault (its table was changed, say) and not the records: they are kept in the broker, not
dead-lettered, and tried again until the store takes one."""

SUSPECT_TRIES = 10
"""Failures for the same cause, one that nobody knows, after which a store that answers otherwise
is taken to reject the records: about a minute, with the pauses between."""

_DISTRUST_TRIES = 32
"""Inserts spent on each try of a group while the store is taken to be at fault."""

_log = logging.getLogger(__name__)


def ids_of_group(number: int) -> range:
    """The ids that records of this broker's group may get in the store."""
    bits = ROW_BITS + PART_BITS
    return range(number << bits, (number + 1) << bits)


class _Part(msgspec.Struct, frozen=True):
    number: int
    first_row: int
    batch: pa.RecordBatch


class Writer:
    """Inserts groups one after the other and remembers how the store has been.

    Args:
        stop: Set when the worker has to give up waiting for a store that is down.
        waits: Is told while an answer is waited for.
    """

    def __init__(
        self,
        store: Store,
        *,
        retry_max_s: float,
        clock: Clock,
        sleep: Sleep,
        stop: asyncio.Event,
        rng: random.Random,
        waits: Waits,
    ) -> None:
        self._store = store
        self._retry_max_s = retry_max_s
        self._clock = clock
        self._sleep = sleep
        self._stop = stop
        self._rng = rng
        self._waits = waits
        self._rejected_run = 0
        self._blamed = ""

    async def write(self, batch: pa.RecordBatch, *, group: int, replayed: bool) -> list[Rejected]:
        """Store every row that the store takes, once; returns the stretches that it will not.

        Tries for as long as the store is down.

        Raises:
            Stopping: told to stop meanwhile; the group may be stored wholly, in part or not.
        """
        rejected: list[Rejected] = []
        for part in _parts(batch, group):
            found = await self._write_part(part, verify=replayed)
            rejected += [
                Rejected(part.first_row + each.first_row, each.rows, each.reason) for each in found
            ]
        excess = batch.num_rows - MAX_GROUP_ROWS
        if excess > 0:
            reason = f"more records at once than can be numbered ({MAX_GROUP_ROWS})"
            rejected.append(Rejected(MAX_GROUP_ROWS, excess, reason))
        return rejected

    async def _write_part(self, part: _Part, *, verify: bool) -> list[Rejected]:
        self._blamed = ""
        try:
            await self._insert(part, 0, part.batch.num_rows, verify=verify)
        except RecordsRejected as exc:
            return await self._isolate(part, exc.message)
        self._rejected_run = 0
        return []

    async def _isolate(self, part: _Part, reason: str) -> list[Rejected]:
        metrics.INSERT_RETRIES.labels("rejected").inc()
        rows = part.batch.num_rows
        attempt = 0
        while True:
            distrusted = self._rejected_run >= REJECTED_RUN_ROWS
            found = await isolate(
                lambda first, length: self._insert(part, first, length, verify=True),
                rows,
                reason=reason,
                max_tries=_DISTRUST_TRIES if distrusted else MAX_TRIES,
            )
            if found.stored_rows:
                self._rejected_run = 0
                return found.rejected
            if not distrusted:
                self._rejected_run += rows
                return found.rejected
            attempt += 1
            if attempt == 1:
                _log.error(
                    "the store rejected %d records in a row: taking the store to be at fault and "
                    "keeping what comes in the broker until it takes one again: %s",
                    self._rejected_run,
                    reason,
                )
            await self._wait("rejected", attempt)

    async def _insert(self, part: _Part, first_row: int, rows: int, *, verify: bool) -> None:
        with self._waits.on("store"):
            await self._inserted(part, first_row, rows, verify=verify)

    async def _inserted(self, part: _Part, first_row: int, rows: int, *, verify: bool) -> None:
        batch = part.batch.slice(first_row, rows)
        attempt = alike = 0
        suspect = ""
        down_since_s = self._clock.monotonic_s()
        while True:
            began_s = self._clock.monotonic_s()
            try:
                await self._store.insert(
                    batch, group=part.number, first_row=first_row, verify=verify or attempt > 0
                )
            except RecordsRejected:
                raise
            except StoreError as exc:
                attempt += 1
                if attempt == 1:
                    _log.warning("the store does not take records now, trying on: %s", exc)
                cause = exc.suspect if isinstance(exc, StoreUnavailable) else ""
                alike = alike + 1 if cause and cause == suspect else 1
                suspect = cause
                if await self._blames_records(suspect, alike):
                    raise RecordsRejected(exc.message) from exc
                await self._wait("unavailable", attempt)
                continue
            metrics.INSERT_SECONDS.observe(self._clock.monotonic_s() - began_s)
            if attempt:
                _log.warning(
                    "the store takes records again, after %.1f s and %d failed tries",
                    self._clock.monotonic_s() - down_since_s,
                    attempt,
                )
            metrics.RECORDS_STORED.inc(rows)
            return

    async def _blames_records(self, suspect: str, alike: int) -> bool:
        """Whether a cause that nobody knows lies in the records: it came back again and again
        while the store was there. Known once, it is known for the rest of the part."""
        if not suspect or (suspect != self._blamed and alike < SUSPECT_TRIES):
            return False
        try:
            await self._store.ping()
        except StoreError:
            return False
        if suspect != self._blamed:
            _log.error(
                "the store answers, but failed %d times for the same unknown cause (%s): taking "
                "the records to be at fault and looking for them",
                alike,
                suspect,
            )
        self._blamed = suspect
        return True

    async def _wait(self, reason: str, attempt: int) -> None:
        metrics.INSERT_RETRIES.labels(reason).inc()
        delay_s = backoff_s(attempt, self._retry_max_s, self._rng)
        if self._stop.is_set() or await pause(delay_s, stop=self._stop, sleep=self._sleep):
            raise Stopping


def _parts(batch: pa.RecordBatch, group: int) -> list[_Part]:
    size = 1 << ROW_BITS
    return [
        _Part(group << PART_BITS | start // size, start, batch.slice(start, size))
        for start in range(0, min(batch.num_rows, MAX_GROUP_ROWS), size)
    ]
