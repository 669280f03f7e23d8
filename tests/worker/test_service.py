from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import Counter

import pytest

from logstream import metrics
from logstream.broker.base import BrokerStatus
from logstream.clock import SYSTEM_CLOCK
from logstream.errors import BrokerUnavailable
from logstream.store.memory import MemoryStore
from logstream.testing.clock import FakeClock
from logstream.testing.faults import FaultyStore
from logstream.worker.monitor import backlog_is_high, report_broker
from logstream.worker.service import run_worker
from tests.worker.pipeline import QUICK, memory_broker, send, stored, until, until_empty


def status(filled: int) -> BrokerStatus:
    return BrokerStatus(
        entries=1, rows=filled, bytes=filled, capacity_bytes=100, oldest_received_ns=None,
        dead_letters=0, quarantined=0, durability="",
    )  # fmt: skip


async def test_it_runs_until_stopped() -> None:
    """The service moves records, and returns once it is told to stop."""
    broker, store, stop = memory_broker(SYSTEM_CLOCK), MemoryStore(), asyncio.Event()
    task = asyncio.create_task(run_worker(broker, store, QUICK, stop=stop))
    await send(broker, ["a"])
    await until_empty(broker)
    stop.set()
    await task
    assert await stored(store) == Counter({"a": 1})


async def test_a_store_that_is_down_does_not_end_it() -> None:
    """Gauges and retention go on trying, like the worker."""
    broker, stop = memory_broker(SYSTEM_CLOCK), asyncio.Event()
    store = FaultyStore(MemoryStore())
    store.down = True
    settings = dataclasses.replace(QUICK, shutdown_timeout_s=0.05)
    task = asyncio.create_task(run_worker(broker, store, settings, stop=stop))
    await send(broker, ["a"])
    await until(lambda: len(store.inserts) > 2)
    assert not task.done()
    stop.set()
    await task


async def test_a_second_worker_is_refused() -> None:
    """One broker has one consumer; the second learns why it cannot run."""
    broker = memory_broker(SYSTEM_CLOCK)
    async with await broker.consumer():
        with pytest.raises(BrokerUnavailable):
            await run_worker(broker, MemoryStore(), QUICK, stop=asyncio.Event())


async def test_gauges_show_the_broker() -> None:
    """What waits, how much and how long is in the metrics."""
    clock = FakeClock()
    broker = memory_broker(clock)
    await send(broker, ["a", "b"])
    await report_broker(broker, clock=clock, was_high=False)
    values = {name: value for name, _, value in metrics.samples()}
    assert values["logstream_broker_records"] == 2
    assert values["logstream_broker_entries"] == 1


async def test_a_high_backlog_is_announced_once(caplog: pytest.LogCaptureFixture) -> None:
    """Passing 70 % of the broker's room is one line in the log, falling below 60 % another."""
    assert [backlog_is_high(status(69), False), backlog_is_high(status(70), False)] == [False, True]
    assert [backlog_is_high(status(60), True), backlog_is_high(status(59), True)] == [True, False]
    clock = FakeClock()
    broker = memory_broker(clock)
    broker._capacity_bytes = 10
    await send(broker, ["a"])
    with caplog.at_level(logging.WARNING):
        high = await report_broker(broker, clock=clock, was_high=False)
        await report_broker(broker, clock=clock, was_high=high)
    assert len(caplog.records) == 1
