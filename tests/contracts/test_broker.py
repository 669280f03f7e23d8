"""Every broker keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from logstream.broker import open_broker
from logstream.broker.base import Broker
from logstream.clock import SYSTEM_CLOCK
from logstream.testing.broker_contract import BrokerContract, HandClock, MakeBroker

_MB = 1_000_000


class TestMemoryBroker(BrokerContract):
    @pytest.fixture
    def make(self) -> MakeBroker:
        return _maker("memory:", segment_bytes=_MB)


class TestDiskBroker(BrokerContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeBroker:
        return _maker(f"disk://{tmp_path}/broker", segment_bytes=_MB)


class TestDiskBrokerOfTinySegments(BrokerContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeBroker:
        return _maker(f"disk://{tmp_path}/broker", segment_bytes=200)


class TestDiskBrokerWithoutFsync(BrokerContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeBroker:
        return _maker(f"disk://{tmp_path}/broker", segment_bytes=_MB, fsync=False)


def _maker(url: str, *, segment_bytes: int, fsync: bool = True) -> MakeBroker:
    def make(
        *,
        capacity_bytes: int = 100 * _MB,
        dedup_window_s: float = 3600.0,
        dead_letter_bytes: int = _MB,
        clock: HandClock | None = None,
    ) -> Broker:
        return open_broker(
            url,
            capacity_bytes=capacity_bytes,
            segment_bytes=segment_bytes,
            fsync=fsync,
            dedup_window_s=dedup_window_s,
            dead_letter_bytes=dead_letter_bytes,
            clock=clock or SYSTEM_CLOCK,
        )

    return make
