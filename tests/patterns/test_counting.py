"""Engines that look for many patterns at once read them as the query language does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from logstream.patterns import Sampled, mine
from logstream.query import Everything
from logstream.record import Record, batch_of
from logstream.store.base import PatternCount, Store, TimeRange
from logstream.store.clickhouse import patterns as counting
from logstream.store.clickhouse.driver import chdb_client
from logstream.store.clickhouse.store import ClickHouseStore
from logstream.store.memory import MemoryStore

ALL_TIME = TimeRange(0, 10**13)
MINUTE_NS = 60 * 10**9

# What engines disagree on: white space, ends of lines, letters beyond ASCII, control characters.
MESSAGES = [
    f"{before}{word} {number}{after}"
    for before in ("", " ", "\t\n")
    for word in ("a", "a\vb", "größe", "日本", "^x$", "x\0y", "\x85", "a/b", r"\d", "µ", "end")
    for number in ("1", "-2.5", "3µs", "10.0.0.1", "c0ffee12", "/p/q")
    for after in ("", "\n", "\v", "\u2028", "\r\n", " $")
] + ["", "\n", "\v", " ", "x" * 3_000, "w " * 300, "w " * 300 + "\n"]


@pytest.fixture(params=["at once", "in turn"])
async def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Store]:
    """ClickHouse with vectorscan, and as if it had been built without."""
    if request.param == "in turn":
        monkeypatch.setattr(counting, "_at_once", lambda patterns, params: "noSuchFunction(Body)")
    store = ClickHouseStore(chdb_client(tmp_path / "store", memory_bytes=0))
    await store.start()
    yield store
    await store.close()


async def test_engines_and_predicate_agree(engine: Store) -> None:
    """Mined from odd messages, templates find in the engine what they find in plain Python."""
    records = [
        Record(timestamp_ns=n * 10**9, message=each, severity_number=n % 25)
        for n, each in enumerate(MESSAGES)
    ]
    half = [Sampled(0, "", "", each) for each in MESSAGES[::2]]
    patterns = [each.pattern for each in mine(half).templates]
    truth = MemoryStore()
    answers: list[dict[tuple[int | None, int, str], PatternCount]] = []
    for store in (truth, engine):
        await store.insert(batch_of(records), group=1)
        found = await store.count_patterns(Everything(), ALL_TIME, patterns, interval_ns=MINUTE_NS)
        assert found is not None
        assert sum(each.count for each in found) == len(MESSAGES)
        answers.append({(each.pattern, each.start_ns, each.level): each for each in found})
    assert answers[0] == answers[1]


async def test_no_patterns_at_all(engine: Store) -> None:
    """Without patterns every row is one that fits none."""
    await engine.insert(batch_of([Record(timestamp_ns=5, message="a")]), group=1)
    found = await engine.count_patterns(Everything(), ALL_TIME, [], interval_ns=MINUTE_NS)
    assert found == [PatternCount(None, 0, "", 1, 5, 5)]
