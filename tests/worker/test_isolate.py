from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import RecordsRejected, StoreUnavailable
from logstream.worker.isolate import Isolated, isolate


class Table:
    """Takes stretches of rows without a bad one, and counts."""

    def __init__(self, bad: set[int]) -> None:
        self.bad = bad
        self.rows: list[int] = []
        self.tries = 0

    async def insert(self, first_row: int, rows: int) -> None:
        self.tries += 1
        wanted = range(first_row, first_row + rows)
        if self.bad.intersection(wanted):
            raise RecordsRejected("bad row")
        self.rows.extend(wanted)


async def run(table: Table, rows: int, max_tries: int = 512) -> Isolated:
    return await isolate(table.insert, rows, reason="bad row", max_tries=max_tries)


async def test_one_bad_among_many_is_found_alone() -> None:
    """All neighbours are stored once, in about 2·log2(n) inserts."""
    table = Table({70_123})
    found = await run(table, 100_000)
    assert [(each.first_row, each.rows) for each in found.rejected] == [(70_123, 1)]
    assert sorted(table.rows) == [row for row in range(100_000) if row != 70_123]
    assert table.tries <= 2 * math.ceil(math.log2(100_000))


@given(rows=st.integers(1, 300), data=st.data())
async def test_every_row_is_stored_or_named(rows: int, data: st.DataObject) -> None:
    """Stored rows and rejected stretches make up the batch exactly, whatever is bad and however
    few tries there are; with tries to spare, only bad rows are rejected."""
    bad = data.draw(st.sets(st.integers(0, rows - 1), min_size=1, max_size=8))
    max_tries = data.draw(st.integers(0, 60))
    table = Table(bad)
    found = await run(table, rows, max_tries)
    rejected = [
        row for each in found.rejected for row in range(each.first_row, each.first_row + each.rows)
    ]
    assert sorted(table.rows + rejected) == list(range(rows))
    assert found.stored_rows == len(table.rows)
    assert table.tries <= max_tries
    assert bad <= set(rejected)
    generous = await run(Table(bad), rows)
    assert {each.first_row for each in generous.rejected} == bad


async def test_a_wholly_rejected_batch_costs_a_bounded_number_of_tries() -> None:
    """When nothing is taken, stretches are given up instead of asking for every record."""
    table = Table(set(range(500_000)))
    found = await run(table, 500_000)
    assert table.tries <= 512
    assert found.stored_rows == 0
    assert sum(each.rows for each in found.rejected) == 500_000


async def test_other_errors_pass_through() -> None:
    """A store that goes down in the middle is not taken for bad records."""

    async def insert(first_row: int, rows: int) -> None:
        raise StoreUnavailable("down")

    with pytest.raises(StoreUnavailable):
        await isolate(insert, 8, reason="bad row")
