"""Copying between stores: each record once, through crashes, outages and what cannot be stored."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pyarrow as pa
import pytest

from logstream.errors import (
    CorruptData,
    LogStreamError,
    RecordsRejected,
    SettingError,
    StoreUnavailable,
)
from logstream.migrate import places
from logstream.migrate.copy import Copy, Totals
from logstream.migrate.journal import Journal, Step
from logstream.migrate.numbers import END, group_number
from logstream.migrate.source import Chunk, Refused, StoreSource
from logstream.record import Record, batch_of, records_of
from logstream.store.base import ROW_BITS, InsertResult, TimeRange
from logstream.store.memory import MemoryStore
from logstream.testing.store_contract import ALL_TIME, START_NS, every_page, log, logs
from logstream.worker.write import ids_of_group

ROWS = 50


class Crash(Exception):
    """The process dies here."""


class Dying(MemoryStore):
    """A store whose n-th insert stores a share of its rows and then raises."""

    def __init__(self, at: int, share: float, error: Callable[[], Exception]) -> None:
        super().__init__()
        self.at, self.share, self.error = at, share, error
        self.inserts = 0

    async def insert(
        self, batch: pa.RecordBatch, *, group: int, first_row: int = 0, verify: bool = False
    ) -> InsertResult:
        self.inserts += 1
        if self.inserts != self.at:
            return await super().insert(batch, group=group, first_row=first_row, verify=verify)
        part = batch.slice(0, int(batch.num_rows * self.share))
        await super().insert(part, group=group, first_row=first_row, verify=verify)
        raise self.error()


async def _no_sleep(_: float) -> None:
    await asyncio.sleep(0)


async def source_of(records: list[Record], between: TimeRange = ALL_TIME) -> StoreSource:
    """A store with these records, twins among them, out of order."""
    store = MemoryStore()
    await store.insert(batch_of(records[::2]), group=7)
    await store.insert(batch_of(records[1::2]), group=3)
    return StoreSource(store, between)


async def copied(
    source: StoreSource, to: MemoryStore, folder: Path, *, retry_s: float = 120.0
) -> Totals:
    """One run of a copy, in batches of a dozen records."""
    journal = Journal(folder, "copy")
    try:
        return await Copy(
            "a > b", source, to, journal, batch_rows=12, retry_s=retry_s, sleep=_no_sleep
        ).run()
    finally:
        journal.close()


async def contents(store: MemoryStore) -> Counter[str]:
    return Counter(str(row.record) for row in await every_page(store, limit=1_000))


TWINS = [*logs(ROWS), *logs(5), *[log(99, at_ns=START_NS)] * 3]


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory store hands out a few rows at once, so that a copy has several batches."""
    monkeypatch.setattr("logstream.store.memory._EXPORT_ROWS", 5)


async def test_everything_arrives_once(tmp_path: Path) -> None:
    """Each record is there, twins included, and a second run has nothing to do."""
    source, to = await source_of(TWINS), MemoryStore()
    assert await copied(source, to, tmp_path) == Totals(len(TWINS), 0)
    assert await contents(to) == Counter(map(str, TWINS))
    assert await copied(source, to, tmp_path) == Totals(len(TWINS), 0)
    assert await contents(to) == Counter(map(str, TWINS))


@pytest.mark.parametrize("at", range(1, 7))
@pytest.mark.parametrize("share", [0, 0.5, 1])
async def test_a_copy_that_died_goes_on(tmp_path: Path, at: int, share: float) -> None:
    """Wherever it dies, also with a batch stored in part, the next run ends with each once."""
    source, to = await source_of(TWINS), Dying(at, share, Crash)
    with pytest.raises(Crash):
        await copied(source, to, tmp_path)
    # What was begun is finished as it was fixed, whatever becomes of the source.
    assert (await copied(source, to, tmp_path)).copied == len(TWINS)
    assert await contents(to) == Counter(map(str, TWINS))


async def test_what_is_refused_does_not_pile_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source of which nothing is a record is noted bit by bit, not held until its end."""
    monkeypatch.setattr("logstream.migrate.copy._BATCH_REFUSED", 10)

    class Rubbish(StoreSource):
        async def chunks(self, after: bytes) -> AsyncGenerator[Chunk]:
            for n in range(10):
                yield Chunk(None, b"%d" % n, (Refused("x", "no record"),) * 5)

    journal = Journal(tmp_path, "copy")
    told: list[Totals] = []
    source = Rubbish(MemoryStore(), ALL_TIME)
    totals = await Copy("a > b", source, MemoryStore(), journal, moved=told.append).run()
    journal.close()
    assert totals == Totals(0, 50)
    assert [each.refused for each in told] == [10, 20, 30, 40, 50, 50]
    assert len(journal.refused_path.read_text().splitlines()) == 50


async def test_a_fixed_batch_does_not_need_its_source(tmp_path: Path) -> None:
    """Rows that retention took from the source after the crash are copied all the same."""
    source, to = await source_of(TWINS), Dying(1, 0.5, Crash)
    with pytest.raises(Crash):
        await copied(source, to, tmp_path)
    fixed = Journal(tmp_path, "copy")
    begun = fixed.read()
    fixed.close()
    assert begun is not None
    assert begun[1] is not None
    await copied(await source_of([]), to, tmp_path)
    assert await contents(to) == Counter(str(record) for record in records_of(begun[1]))


@pytest.mark.parametrize("share", [0, 0.5, 1])
async def test_a_store_that_is_away_is_waited_for(tmp_path: Path, share: float) -> None:
    """An insert that may have got through is repeated and stored once."""
    source = await source_of(TWINS)
    to = Dying(2, share, lambda: StoreUnavailable("away"))
    await copied(source, to, tmp_path)
    assert await contents(to) == Counter(map(str, TWINS))


async def test_a_store_that_stays_away_ends_it(tmp_path: Path) -> None:
    """After ``retry_s`` the error goes on, and the next run takes it up."""
    source = await source_of(TWINS)
    to = Dying(2, 0, lambda: StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        await copied(source, to, tmp_path, retry_s=-1.0)
    await copied(source, to, tmp_path)
    assert await contents(to) == Counter(map(str, TWINS))


class Breaking(StoreSource):
    """Breaks off once after each chunk."""

    async def chunks(self, after: bytes) -> AsyncGenerator[Chunk]:
        async for chunk in super().chunks(after):
            yield chunk
            raise StoreUnavailable("away")


async def test_a_source_that_breaks_off_is_read_on(tmp_path: Path) -> None:
    """Reading goes on behind the last chunk, nothing twice."""
    whole, to = await source_of(TWINS), MemoryStore()
    await copied(Breaking(whole._store, ALL_TIME), to, tmp_path)
    assert await contents(to) == Counter(map(str, TWINS))


async def test_newer_records_are_copied_by_the_next_run(tmp_path: Path) -> None:
    """A copy that is run again takes what came since."""
    source, to = await source_of(logs(20)), MemoryStore()
    await copied(source, to, tmp_path)
    await source._store.insert(batch_of([log(number) for number in range(20, 30)]), group=9)
    assert (await copied(source, to, tmp_path)).copied == 30
    assert await contents(to) == Counter(map(str, logs(30)))


async def test_a_lost_state_is_noticed(tmp_path: Path) -> None:
    """Without its state a copy finds its own records and stops, and keeps on stopping."""
    source, to = await source_of(TWINS), MemoryStore()
    await copied(source, to, tmp_path / "one")
    for _ in range(2):
        with pytest.raises(LogStreamError, match="under the numbers of this copy"):
            await copied(source, to, tmp_path / "two")
    assert await contents(to) == Counter(map(str, TWINS))


class Picky(MemoryStore):
    """Will not have one record."""

    async def insert(
        self, batch: pa.RecordBatch, *, group: int, first_row: int = 0, verify: bool = False
    ) -> InsertResult:
        if str(log(13)) in map(str, records_of(batch)):
            raise RecordsRejected("not this one")
        return await super().insert(batch, group=group, first_row=first_row, verify=verify)


async def test_what_the_destination_will_not_have_is_kept(tmp_path: Path) -> None:
    """A record that is rejected goes to a file with its reason, and its neighbours are stored."""
    source, to = await source_of(logs(30)), Picky()
    assert await copied(source, to, tmp_path) == Totals(29, 1)
    assert await contents(to) == Counter(
        str(record) for n, record in enumerate(logs(30)) if n != 13
    )
    kept = (tmp_path / "copy.refused.ndjson").read_text()
    assert "request 13" in kept
    assert "not this one" in kept


async def test_only_records_of_the_time_asked_for(tmp_path: Path) -> None:
    """A copy may be limited to a range of time, half-open."""
    between = TimeRange(log(10).timestamp_ns, log(20).timestamp_ns)
    source, to = await source_of(logs(30), between), MemoryStore()
    assert await source.total(b"") == 10
    assert (await copied(source, to, tmp_path)).copied == 10
    assert await contents(to) == Counter(map(str, logs(30)[10:20]))


def test_two_runs_of_one_copy_are_refused(tmp_path: Path) -> None:
    """The state has one holder at a time."""
    held = Journal(tmp_path, "copy")
    with pytest.raises(SettingError, match="running already"):
        Journal(tmp_path, "copy")
    held.close()
    Journal(tmp_path, "copy").close()


def test_a_damaged_state_is_said(tmp_path: Path) -> None:
    """Damage is an error, not a fresh start."""
    journal = Journal(tmp_path, "copy")
    assert journal.read() is None
    journal.write(Step(number=1, position=b"x", copied=2, refused=0), batch_of(logs(2)))
    whole = journal.path.read_bytes()
    for damaged in (b"", b"{", whole[:-40], b'{"number":1}\n'):
        journal.path.write_bytes(damaged)
        with pytest.raises(CorruptData):
            journal.read()
    journal.close()


def test_numbers_keep_clear_of_a_workers() -> None:
    """Copies are below all groups that a worker with a clock of this century writes."""
    november_2004_ms = 1_099_511_627_776
    assert ids_of_group(november_2004_ms).start >> ROW_BITS >= END
    numbers = [group_number(copy, n) for copy in "ab" for n in (0, 1, 65_535, 65_536, 1 << 30)]
    assert len(set(numbers)) == len(numbers)
    assert all(0 <= number < END for number in numbers)
    assert group_number("a", 5) == group_number("a", 0) + 5


def test_equal_places_are_told(tmp_path: Path) -> None:
    """Users, passwords, options and other names of this machine do not make another store."""
    same = [
        ("clickhouse://u:p@localhost:8123/logs", "clickhouse://127.0.0.1/logs?compression=lz4"),
        ("mongodb://localhost", "mongodb://u:p@127.0.0.1:27017/logstream?w=1"),
        (f"chdb://{tmp_path}/a/../b", f"chdb://{tmp_path}/b"),
    ]
    for one, other in same:
        assert places.place_of(one) == places.place_of(other)
        with pytest.raises(SettingError, match="the same store"):
            places.check(one, places.place_of(one), places.place_of(other))
    assert places.place_of("mongodb://user:secret@h/d", "logs") == "mongodb h:27017/d/logs"
    nowhere = f"chdb://{tmp_path}/none"
    with pytest.raises(SettingError, match="no store at"):
        places.check(nowhere, places.place_of(nowhere), "elsewhere")
    with pytest.raises(SettingError, match="memory"):
        places.place_of("memory:")
    with pytest.raises(SettingError, match="no store of kind"):
        places.place_of("http://x")
