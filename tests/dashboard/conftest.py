"""A dashboard over real in-memory parts, and the shape that each of its errors must have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest

from logstream.dashboard.services import Services
from logstream.record import Record
from logstream.settings import Settings
from logstream.testing.clock import FakeClock
from tests.dashboard.support import (
    NOW_NS,
    make_services,
    open_client,
    sample_records,
    store_records,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW_NS)


@pytest.fixture
async def services(clock: FakeClock, tmp_path: Path) -> AsyncIterator[Services]:
    async with make_services(clock=clock, settings=Settings(data_dir=tmp_path)) as made:
        yield made


@pytest.fixture
async def stored(services: Services) -> Sequence[Record]:
    """A few records of the last ten minutes, in the store; oldest first."""
    records = sample_records()
    await store_records(services.store, records)
    return records


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(services) as opened:
        yield opened
