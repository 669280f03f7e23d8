"""Ids, blocks and tokens, without an engine; and what the engine makes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import (
    QueryCancelled,
    QueryError,
    QueryTimeout,
    QueryTooExpensive,
    RecordsRejected,
    StoreError,
    StoreUnavailable,
)
from logstream.record import Record, batch_of, complete, records_of
from logstream.store.base import ROW_BITS
from logstream.store.clickhouse.errors import read_error, write_error
from logstream.store.clickhouse.insert import blocks_of, encoded, with_ids
from logstream.store.clickhouse.migrations import Migration, all_migrations, pending
from logstream.store.clickhouse.store import ClickHouseStore
from logstream.testing.query_strategies import records
from logstream.testing.store_contract import START_NS, logs
from tests.store.engine import Engines

_DAY_NS = 86_400 * 10**9


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """chDB, open for the whole module."""
    engines = Engines(tmp_path_factory.mktemp("chdb"))
    yield engines
    engines.close()


@pytest.fixture
async def store(engines: Engines) -> AsyncIterator[ClickHouseStore]:
    """An empty store."""
    store = engines.store()
    await store.start()
    yield store
    await store.close()


def test_ids_count_up_from_the_first() -> None:
    """Row i of a batch gets the first id plus i."""
    ids = with_ids(batch_of(logs(5)), 7 << ROW_BITS | 3).column("RecordId").to_pylist()
    assert ids == [7 << ROW_BITS | row for row in range(3, 8)]


@given(days=st.lists(st.integers(0, 3000), min_size=1, max_size=50), missing=st.integers(0, 50))
def test_blocks_hold_every_row_once_and_few_days(days: list[int], missing: int) -> None:
    """However the days lie, no block has more than the engine takes, and a replay of some of the
    rows cuts between the same days under the same names."""
    batch = batch_of([Record(timestamp_ns=day * _DAY_NS) for day in days])
    batch = with_ids(batch, 0)
    blocks = list(blocks_of(batch, "t"))
    spread = [{at // _DAY_NS for at in block.batch.column("Timestamp").cast(pa.int64()).to_pylist()}
              for block in blocks]  # fmt: skip
    assert all(max(each) - min(each) < 100 for each in spread)
    ids = [row for block in blocks for row in block.batch.column("RecordId").to_pylist()]
    assert sorted(ids) == list(range(len(days)))
    assert len({block.token for block in blocks}) == len(blocks)


@given(rows=st.lists(records(), max_size=8), start=st.integers(0, 8))
def test_encoding_changes_no_value(rows: list[Record], start: int) -> None:
    """Dictionaries say the same as the plain columns, of a slice of a batch too."""
    batch = batch_of(rows).slice(min(start, len(rows)))
    plain = encoded(batch).cast(batch.schema) if batch.num_rows else batch
    assert records_of(complete(plain)) == rows[start:]


async def test_one_batch_is_one_block(store: ClickHouseStore, engines: Engines) -> None:
    """A batch of one day becomes one part, of whatever size, so that it is there whole or not."""
    rows = 1 << ROW_BITS
    batch = pa.RecordBatch.from_arrays(
        [
            pa.repeat(pa.scalar(START_NS, pa.timestamp("ns", tz="UTC")), rows),
            pa.repeat("x", rows),
        ],
        names=["Timestamp", "Body"],
    )
    await store.insert(batch, group=1)
    parts = engines.client.query(
        "SELECT count(), sum(rows) FROM system.parts "
        f"WHERE database = '{store._database}' AND table = 'otel_logs' AND active"
    ).result_rows
    assert parts == [(1, rows)]


def test_migrations_are_numbered_without_gaps() -> None:
    """The files that ship are 1, 2, 3, …, each with something to do."""
    migrations = all_migrations()
    assert [each.number for each in migrations] == list(range(1, len(migrations) + 1))
    assert all(each.statements for each in migrations)


def test_only_new_migrations_are_pending() -> None:
    """What was applied is not applied again; an edited or unknown one is an error."""
    first, second = Migration(1, "a", ("A",)), Migration(2, "b", ("B",))
    assert pending({}, [second, first]) == (first, second)
    assert pending({1: first.checksum}, [first, second]) == (second,)
    with pytest.raises(StoreUnavailable, match="differs"):
        pending({1: "other"}, [first])
    with pytest.raises(StoreUnavailable, match="newer"):
        pending({1: first.checksum, 2: second.checksum}, [first])


async def test_starting_again_changes_nothing(store: ClickHouseStore, engines: Engines) -> None:
    """A second start on the same database applies nothing and finds the rows."""
    await store.insert(batch_of(logs(3)), group=1)
    before = _schema(engines, store)
    await store.close()
    again = ClickHouseStore(engines.open_client, database=store._database)
    await again.start()
    assert (await again.stats()).rows == 3
    assert _schema(engines, again) == before
    await again.close()


def _schema(engines: Engines, store: ClickHouseStore) -> object:
    return engines.client.query(
        "SELECT name, create_table_query, (SELECT groupArray((number, checksum)) "
        f"FROM {store._database}.schema_migrations) FROM system.tables "
        f"WHERE database = '{store._database}' ORDER BY name"
    ).result_rows


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (159, "Code: 159. DB::Exception: Timeout exceeded", QueryTimeout),
        (241, "Code: 241. DB::Exception: Memory limit exceeded", QueryTooExpensive),
        (396, "Code: 396. DB::Exception: Limit for result exceeded", QueryTooExpensive),
        (394, "Code: 394. DB::Exception: Query was cancelled", QueryCancelled),
        (427, "Code: 427. DB::Exception: Cannot compile regexp", QueryError),
        (243, "Code: 243. DB::Exception: Cannot reserve space", StoreUnavailable),
        (None, "connection refused", StoreUnavailable),
        (47, "Code: 47. DB::Exception: Unknown identifier", StoreError),
    ],
)
def test_codes_of_failed_queries(code: int | None, message: str, kind: type[Exception]) -> None:
    """Each of the engine's codes says what the asker can do about it."""
    assert type(read_error(code, message)) is kind


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (6, "Code: 6. DB::Exception: Cannot parse", RecordsRejected),
        (53, "Code: 53. DB::Exception: Type mismatch", RecordsRejected),
        (252, "Code: 252. DB::Exception: Too many partitions for single INSERT", RecordsRejected),
        (252, "Code: 252. DB::Exception: Too many parts (3000). Merges", StoreUnavailable),
        (241, "Code: 241. DB::Exception: Memory limit exceeded", StoreUnavailable),
        (243, "Code: 243. DB::Exception: Not enough space", StoreUnavailable),
        (204, "Code: 204. DB::Exception: Cannot fsync", StoreUnavailable),
        (159, "Code: 159. DB::Exception: Timeout", StoreUnavailable),
        (9999, "Code: 9999. DB::Exception: what nobody has seen", StoreUnavailable),
    ],
)
def test_codes_of_failed_inserts(code: int, message: str, kind: type[Exception]) -> None:
    """Only what the data is to blame for is given up on."""
    assert type(write_error(code, message)) is kind
