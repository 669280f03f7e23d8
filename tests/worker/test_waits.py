"""A worker that waits says so: what for and how long, in the log and in the metrics."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import signal
from collections import Counter
from pathlib import Path

import pytest

from logstream import metrics
from logstream.clock import SYSTEM_CLOCK
from logstream.store import open_store
from logstream.testing.clickhouse_server import ClickHouseServer
from logstream.testing.clock import FakeClock
from logstream.worker import waits
from logstream.worker.service import run_worker
from logstream.worker.waits import FIRST_S, Waits
from tests.worker.pipeline import QUICK, memory_broker, send, stored, until, until_empty


def _shown(what: str) -> float:
    return next(
        value
        for name, labels, value in metrics.samples()
        if name == "logstream_worker_waiting_seconds" and labels == {"on": what}
    )


def test_a_long_wait_is_told_again_and_again(caplog: pytest.LogCaptureFixture) -> None:
    """Told first after 5 s, then each time it has doubled, and when it is over; shown meanwhile."""
    clock = FakeClock()
    waiting = Waits(clock)
    with caplog.at_level(logging.WARNING):
        with waiting.on("store"):
            for _ in range(30):
                waiting.report()
                clock.advance(1.0)
            waiting.report()
            assert _shown("store") == 30
        waiting.report()
    assert [each.args for each in caplog.records] == [
        ("store", 5.0), ("store", 10.0), ("store", 20.0), ("store", 30.0),
    ]  # fmt: skip
    assert "over" in caplog.messages[-1]
    assert _shown("store") == 0


def test_a_short_wait_is_not_worth_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """What takes less than 5 s is in no log and no gauge."""
    clock = FakeClock()
    waiting = Waits(clock)
    with waiting.on("broker"):
        clock.advance(FIRST_S - 0.1)
        waiting.report()
    assert caplog.records == []
    assert not any(labels == {"on": "broker"} and value for _, labels, value in metrics.samples())


async def test_a_store_that_hears_nothing_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the store's server is frozen nothing fails, and yet the log says what is waited for;
    when it thaws everything is stored once."""
    monkeypatch.setattr(waits, "FIRST_S", 0.2)
    server = ClickHouseServer(tmp_path / "server")
    server.start()
    store = open_store(server.url("logstream"))
    broker, stop = memory_broker(SYSTEM_CLOCK), asyncio.Event()
    try:
        await store.start()
        settings = dataclasses.replace(QUICK, retry_max_s=0.05)
        task = asyncio.create_task(run_worker(broker, store, settings, stop=stop))
        await send(broker, ["a"])
        await until_empty(broker)
        server.signal(signal.SIGSTOP)
        await send(broker, ["b"])
        await until(lambda: "still waiting for the store" in caplog.text)
        assert _shown("store") > 0
        server.signal(signal.SIGCONT)
        await until_empty(broker)
        assert "the wait for the store is over" in caplog.text
        assert await stored(store) == Counter({"a": 1, "b": 1})
        stop.set()
        await task
    finally:
        await store.close()
        server.stop()
