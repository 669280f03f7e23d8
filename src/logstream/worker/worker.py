"""The batch worker: read, coalesce, fix, insert, acknowledge.

One coroutine asks the broker for everything, in turn: while the insert of one group runs, the
next entries are read and decoded (in a thread), up to the limits of one group, so that memory
holds two groups at most. A group is fixed only after the one before it was acknowledged.

What can go wrong, and what then happens: ::

    crash anywhere              the fixed group comes back with its number; the store writes what
                                is missing of it (``verify``); what was not fixed is read again
    store down or doubtful      the same group again with ``verify``, backoff with jitter; the
                                broker goes on growing until it refuses
    store rejects records       the bad ones are found by halving and dead-lettered (`isolate`)
    payload is no batch         that entry is dead-lettered as it is
    broker unavailable          the same call again, with backoff
    another worker died         its fixed group is written first, with its number and ``verify``
    taken for dead itself       what was read is forgotten, and read again as a new consumer: an
                                insert still under way has the same token or ids as its
                                repetition by whoever took over, so that the store keeps it once
    anything else               `run` raises: a bug must not look like an outage
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec
import pyarrow as pa

from logstream import metrics
from logstream.broker.base import Broker, Consumer, DeadLetter, Entry, Group
from logstream.clock import NS_PER_S, SYSTEM_CLOCK, Clock
from logstream.errors import BrokerUnavailable, LeaseLost
from logstream.patience import Stopped, until_there
from logstream.record import encode_batch
from logstream.settings import Settings
from logstream.store.base import Store
from logstream.worker.coalesce import FlushReason, Policy, Waiting
from logstream.worker.isolate import Rejected
from logstream.worker.load import Corrupt, Loaded, load, rows_of
from logstream.worker.retry import Sleep, Stopping, backoff_s, pause
from logstream.worker.waits import Waits
from logstream.worker.write import Writer, ids_of_group

__all__ = ["GroupListener", "Worker"]

_READ_BYTES = 4 << 20
_PACE_S = 0.02
"""Pause between two reads that brought little: many small entries are decoded better together."""
_IDLE_S = 0.1
_OBSERVED_ENTRIES = 64
"""Entries of one group whose delay is observed, evenly spread: a group may have tens of
thousands, and their delays lie close together."""

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class GroupListener(Protocol):
    """Told of groups as they pass, in order, on the worker's loop; must return at once."""

    def group_fixed(self, first_id: int) -> None:
        """A group was fixed, or found unfinished; this worker inserted nothing of it yet. Its
        records get ids from ``first_id``, those of all groups before it have lower ones."""

    def group_stored(self, end_id: int, upto: Mapping[str, int]) -> None:
        """All records of the group can be found; their ids, and those of all groups before it,
        are below ``end_id``. ``upto``: writer → sequence of the last of its entries in it."""


class _Flight(msgspec.Struct, frozen=True):
    """A fixed group on its way into the store; the task answers with what has to be
    dead-lettered."""

    group: Group
    reason: FlushReason
    upto: Mapping[str, int]
    task: asyncio.Task[list[DeadLetter]]


class Worker:
    """Moves everything from a broker to a store; run once.

    Args:
        sleep: Waits between tries; a fake clock's in tests.
        rng: Where the jitter comes from.

    Attributes:
        waits: What it waits for now.
    """

    def __init__(
        self,
        broker: Broker,
        store: Store,
        settings: Settings,
        *,
        listeners: Sequence[GroupListener] = (),
        clock: Clock = SYSTEM_CLOCK,
        sleep: Sleep = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._broker = broker
        self._broker_url = settings.broker_url
        self._policy = Policy.of(settings)
        self._pace_s = min(_PACE_S, settings.flush_interval_s / 10)
        self._shutdown_timeout_s = settings.shutdown_timeout_s
        self._retry_max_s = settings.retry_max_s
        self._listeners = tuple(listeners)
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311 – jitter, not a secret
        self._stop = asyncio.Event()
        self._give_up = asyncio.Event()
        self.waits = Waits(clock)
        self._writer = Writer(
            store,
            retry_max_s=settings.retry_max_s,
            clock=clock,
            sleep=sleep,
            stop=self._give_up,
            rng=self._rng,
            waits=self.waits,
        )
        self._loaded: list[Loaded] = []
        self._waiting = Waiting()
        self._more = False

    def stop(self) -> None:
        """Read no more, write what was read, and let `run` return within
        ``settings.shutdown_timeout_s``; what is not written by then stays in the broker."""
        if not self._stop.is_set():
            self._stop.set()
            loop = asyncio.get_running_loop()
            loop.call_later(self._shutdown_timeout_s, self._give_up.set)

    async def run(self) -> None:
        """Work until `stop`.

        Raises:
            BrokerUnavailable: somebody else is this broker's consumer.
            SettingError: this broker will never take us.
        """
        try:
            consumer = await until_there(
                "broker", self._broker_url, self._broker.consumer, stop=self._stop
            )
        except Stopped:
            return
        while True:
            try:
                await self._replay(consumer)
                await self._pump(consumer)
                return
            except LeaseLost as exc:
                _log.warning("beginning anew as a consumer: %s", exc)
                self._loaded, self._waiting, self._more = [], Waiting(), False
            except Stopping:
                _log.warning("stopped with records not yet written; they wait in the broker")
                return
            finally:
                await consumer.close()
            try:
                consumer = await self._retried(self._broker.consumer)
            except Stopping:
                return

    async def _replay(self, consumer: Consumer) -> None:
        while not self._stop.is_set():
            group = await self._retried(consumer.unfinished)
            if group is None:
                return
            _log.info("writing group %d again, begun before the last stop", group.number)
            self._tell_fixed(group)
            loaded = await asyncio.to_thread(load, group.entries)
            task = asyncio.ensure_future(self._write(group, loaded))
            flight = _Flight(group, "replay", _upto(group.entries), task)
            await self._landed(flight)
            await self._finish(consumer, flight)

    async def _pump(self, consumer: Consumer) -> None:
        flight: _Flight | None = None
        try:
            while True:
                if flight is not None and flight.task.done():
                    await self._finish(consumer, flight)
                    flight = None
                if flight is None:
                    if consumer.has_unfinished():
                        await self._replay(consumer)
                    flight = await self._take_off(consumer)
                if not self._stop.is_set():
                    await self._read(consumer, flight)
                elif flight is not None:
                    await self._landed(flight)
                else:
                    return
        finally:
            if flight is not None:
                flight.task.cancel()
                await asyncio.gather(flight.task, return_exceptions=True)

    async def _read(self, consumer: Consumer, flight: _Flight | None) -> None:
        """Read for the next group, unless it is full: then wait for the one before it."""
        if flight is not None and self._policy.is_full(self._waiting):
            await self._either(flight.task, self._stop)
            return
        wait_s = _IDLE_S
        if flight is not None:
            wait_s = self._pace_s
        elif self._loaded:
            wait_s = min(_IDLE_S, self._policy.due_in_s(self._waiting, self._clock.monotonic_s()))
        entries = await self._retried(lambda: consumer.read(max_bytes=_READ_BYTES, wait_s=wait_s))
        read_s = self._clock.monotonic_s()
        found = sum(len(entry.message.payload) for entry in entries)
        self._more = found >= _READ_BYTES // 2
        if not entries:
            return
        for loaded in await asyncio.to_thread(load, entries):
            self._loaded.append(loaded)
            self._waiting = self._waiting.plus(loaded.size, read_s)
        if not self._more:
            await asyncio.sleep(self._pace_s)

    async def _take_off(self, consumer: Consumer) -> _Flight | None:
        """Fix what was read and begin to write it, if it is time to."""
        now_s = self._clock.monotonic_s()
        reason = self._policy.due(
            self._waiting, now_s, more=self._more, stopping=self._stop.is_set()
        )
        if reason is None:
            return None
        loaded = self._loaded
        entries = [each.entry for each in loaded]
        group = await self._retried(lambda: consumer.fix(entries))
        self._loaded, self._waiting = [], Waiting()
        if group.duplicates:
            metrics.ENTRIES_REPEATED.inc(group.duplicates)
            kept = {entry.position for entry in group.entries}
            loaded = [each for each in loaded if each.entry.position in kept]
        self._tell_fixed(group)
        task = asyncio.ensure_future(self._write(group, loaded))
        return _Flight(group, reason, _upto(entries), task)

    async def _write(self, group: Group, loaded: Sequence[Loaded]) -> list[DeadLetter]:
        """Everything that can be stored is; the rest as letters."""
        letters = [self._corrupt(each) for each in loaded if isinstance(each.content, Corrupt)]
        batch = await asyncio.to_thread(rows_of, loaded)
        del loaded  # the insert takes long, and these are as large as the batch
        if batch is None:
            return letters
        metrics.GROUP_ROWS.observe(batch.num_rows)
        rejected = await self._writer.write(batch, group=group.number, replayed=group.replayed)
        for each in rejected:
            rows = batch.slice(each.first_row, each.rows)
            letters.append(self._rejected(rows, each))
        return letters

    async def _finish(self, consumer: Consumer, flight: _Flight) -> None:
        letters = flight.task.result()
        group = flight.group
        if letters:
            await self._retried(lambda: consumer.dead_letter(letters))
        for listener in self._listeners:
            listener.group_stored(ids_of_group(group.number).stop, flight.upto)
        metrics.GROUPS.labels(flight.reason).inc()
        now_ns = self._clock.time_ns()
        for entry in group.entries[:: -(-len(group.entries) // _OBSERVED_ENTRIES) or 1]:
            delay_ns = now_ns - entry.message.received_ns
            metrics.SEARCHABLE_SECONDS.observe(max(0, delay_ns) / NS_PER_S)
        await self._retried(lambda: consumer.ack(group))

    def _tell_fixed(self, group: Group) -> None:
        for listener in self._listeners:
            listener.group_fixed(ids_of_group(group.number).start)

    def _corrupt(self, loaded: Loaded) -> DeadLetter:
        assert isinstance(loaded.content, Corrupt)  # noqa: S101 – for the type checker
        message, where = loaded.entry.message, loaded.entry.position
        reason = f"entry {where.sequence} of {where.writer}: {loaded.content.reason}"
        _log.error("dead-lettered %d records: %s", message.rows, reason)
        metrics.RECORDS_DEAD.labels("corrupt").inc(message.rows)
        return DeadLetter(
            payload=message.payload, rows=message.rows, reason=reason, at_ns=self._clock.time_ns()
        )

    def _rejected(self, rows: pa.RecordBatch, why: Rejected) -> DeadLetter:
        _log.error("dead-lettered %d records that the store rejects: %s", why.rows, why.reason)
        metrics.RECORDS_DEAD.labels("rejected").inc(why.rows)
        return DeadLetter(
            payload=encode_batch(rows),
            rows=why.rows,
            reason=why.reason,
            at_ns=self._clock.time_ns(),
        )

    async def _landed(self, flight: _Flight) -> None:
        await self._either(flight.task, self._give_up)
        if not flight.task.done():
            flight.task.cancel()
            await asyncio.gather(flight.task, return_exceptions=True)
            raise Stopping

    @staticmethod
    async def _either(task: asyncio.Task[list[DeadLetter]], event: asyncio.Event) -> None:
        """Until the task is done or the event set, leaving the task alone."""
        waiter = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()

    async def _retried(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """What the broker answers, asked again for as long as it is unavailable.

        Raises:
            Stopping: told to give up meanwhile.
        """
        with self.waits.on("broker"):
            return await self._asked(call)

    async def _asked(self, call: Callable[[], Awaitable[_T]]) -> _T:
        attempt = 0
        while True:
            try:
                answer = await call()
            except BrokerUnavailable as exc:
                attempt += 1
                if attempt == 1:
                    _log.warning("the broker is not available, trying on: %s", exc)
                delay_s = backoff_s(attempt, self._retry_max_s, self._rng)
                if await pause(delay_s, stop=self._give_up, sleep=self._sleep):
                    raise Stopping from exc
            else:
                if attempt:
                    _log.warning("the broker is available again after %d failed tries", attempt)
                return answer


def _upto(entries: Sequence[Entry]) -> dict[str, int]:
    # Entries of one writer come in order, so the last one seen of each is the highest.
    return {entry.position.writer: entry.position.sequence for entry in entries}
