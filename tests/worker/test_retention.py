from __future__ import annotations

import logging

import pytest

from logstream.clock import NS_PER_S
from logstream.record import Record, batch_of
from logstream.settings import Settings
from logstream.store.memory import MemoryStore
from logstream.testing.clock import FakeClock
from logstream.worker.retention import enforce

DAY_S = 86_400
START_NS = 1_700_000_000 * NS_PER_S
MONTH = Settings(retention_s=30.0 * DAY_S)


async def store_with(*ages_days: int) -> MemoryStore:
    """A store with one record of each age at the start."""
    store = MemoryStore()
    records = [Record(timestamp_ns=START_NS - age * DAY_S * NS_PER_S) for age in ages_days]
    await store.insert(batch_of(records), group=1)
    return store


async def rows(store: MemoryStore) -> int:
    return (await store.stats()).rows


async def test_old_days_are_dropped() -> None:
    """At the first look already, days past the retention go and the others stay."""
    store, clock = await store_with(0, 10, 40), FakeClock(START_NS)
    await enforce(store, MONTH, clock=clock, last=None)
    assert await rows(store) == 2


async def test_a_clock_that_jumped_ahead_drops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """When the wall clock is a year ahead of the time that passed, this look only warns; had the
    clock been set right by the next one, nothing would have been lost."""
    store, clock = await store_with(0, 10), FakeClock(START_NS)
    last = await enforce(store, MONTH, clock=clock, last=None)
    clock.advance(3600)
    clock.jump(400 * DAY_S)
    with caplog.at_level(logging.WARNING):
        last = await enforce(store, MONTH, clock=clock, last=last)
    assert await rows(store) == 2
    assert "retention skipped once" in caplog.text
    clock.jump(-400 * DAY_S)
    clock.advance(3600)
    await enforce(store, MONTH, clock=clock, last=last)
    assert await rows(store) == 2


async def test_a_clock_that_stays_ahead_is_believed() -> None:
    """The second look in a row at the same time line drops what is old by it."""
    store, clock = await store_with(0, 10), FakeClock(START_NS)
    last = await enforce(store, MONTH, clock=clock, last=None)
    clock.jump(400 * DAY_S)
    last = await enforce(store, MONTH, clock=clock, last=last)
    clock.advance(3600)
    await enforce(store, MONTH, clock=clock, last=last)
    assert await rows(store) == 0


async def test_a_wrong_clock_at_the_start_drops_nothing() -> None:
    """Far ahead of the newest record, the first look waits for the second."""
    store, clock = await store_with(0, 10), FakeClock(START_NS)
    clock.jump(400 * DAY_S)
    await enforce(store, MONTH, clock=clock, last=None)
    assert await rows(store) == 2


async def test_an_empty_store_is_no_reason_to_wonder() -> None:
    """Without records there is nothing to compare with, and nothing to drop."""
    store = MemoryStore()
    await enforce(store, MONTH, clock=FakeClock(START_NS), last=None)
    assert await rows(store) == 0
