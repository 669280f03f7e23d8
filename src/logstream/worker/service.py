"""The worker with all that goes on beside it, as one coroutine to run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from logstream.broker.base import Broker
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import BrokerUnavailable, StoreError
from logstream.settings import Settings
from logstream.store.base import Store
from logstream.worker import retention
from logstream.worker.monitor import report_broker, report_store
from logstream.worker.retry import Sleep, pause
from logstream.worker.worker import GroupListener, Worker

__all__ = ["run_worker"]

_WAITS_EVERY_S = 1.0
_BROKER_EVERY_S = 1.0
_STORE_EVERY_S = 10.0

_log = logging.getLogger(__name__)


async def run_worker(
    broker: Broker,
    store: Store,
    settings: Settings,
    *,
    stop: asyncio.Event,
    listeners: Sequence[GroupListener] = (),
    clock: Clock = SYSTEM_CLOCK,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Run the batch worker, the gauges and the retention until ``stop`` is set.

    Returns within about ``settings.shutdown_timeout_s`` after that. Broker and store are open
    and stay so.

    Raises:
        BrokerUnavailable: this broker has a consumer already.
    """
    worker = Worker(broker, store, settings, listeners=listeners, clock=clock, sleep=sleep)
    ended = asyncio.Event()
    beside = [
        _every(_WAITS_EVERY_S, _waits_report(worker), stop=ended, sleep=sleep),
        _every(_BROKER_EVERY_S, _broker_report(broker, clock), stop=ended, sleep=sleep),
        _every(_STORE_EVERY_S, lambda: report_store(store), stop=ended, sleep=sleep),
        _every(retention.INTERVAL_S, _retention(store, settings, clock), stop=ended, sleep=sleep),
    ]
    tasks = [asyncio.ensure_future(each) for each in (_stopping(worker, stop), *beside)]
    running = asyncio.ensure_future(worker.run())
    try:
        await asyncio.wait({running, *tasks[1:]}, return_when=asyncio.FIRST_COMPLETED)
        # A task beside it only ends by itself with an error: that must not go unseen.
        for task in tasks[1:]:
            if task.done():
                task.result()
        await running
    finally:
        ended.set()
        for task in (running, *tasks):
            task.cancel()
        await asyncio.gather(running, *tasks, return_exceptions=True)


async def _stopping(worker: Worker, stop: asyncio.Event) -> None:
    await stop.wait()
    worker.stop()


async def _every(
    seconds: float, look: Callable[[], Awaitable[None]], *, stop: asyncio.Event, sleep: Sleep
) -> None:
    failing = False
    while True:
        try:
            await look()
            failing = False
        except (BrokerUnavailable, StoreError) as exc:
            # The worker itself says when they are down; once a change is enough here too.
            if not failing:
                _log.warning("%s", exc)
            failing = True
        if await pause(seconds, stop=stop, sleep=sleep):
            return


def _waits_report(worker: Worker) -> Callable[[], Awaitable[None]]:
    async def look() -> None:
        worker.waits.report()

    return look


def _broker_report(broker: Broker, clock: Clock) -> Callable[[], Awaitable[None]]:
    was_high = False

    async def look() -> None:
        nonlocal was_high
        was_high = await report_broker(broker, clock=clock, was_high=was_high)

    return look


def _retention(store: Store, settings: Settings, clock: Clock) -> Callable[[], Awaitable[None]]:
    last: retention.ClockReading | None = None

    async def look() -> None:
        nonlocal last
        last = await retention.enforce(store, settings, clock=clock, last=last)

    return look
