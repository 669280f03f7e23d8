from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from logstream.live.select import Matcher, Sampler
from logstream.query import Filter, Not, parse
from logstream.query.evaluate import predicate
from logstream.record import SCHEMA, Record, batch_of
from logstream.testing.query_strategies import filters, records


@st.composite
def filter_and_records(draw: st.DrawFn) -> tuple[Filter, list[Record]]:
    stored = draw(st.lists(records(), min_size=1, max_size=8))
    return draw(filters(stored)), stored


@given(case=filter_and_records())
def test_a_batch_matches_as_its_records_do(case: tuple[Filter, list[Record]]) -> None:
    """The vectorised filter accepts exactly the rows that the predicate accepts, alone and
    negated."""
    where, stored = case
    batch = batch_of(stored)
    for each in (where, Not(where)):
        accepts = predicate(each)
        expected = [row for row, record in enumerate(stored) if accepts(record)]
        assert Matcher(each).matching(batch) == expected


@given(case=filter_and_records(), data=st.data())
def test_absent_columns_are_empty(case: tuple[Filter, list[Record]], data: st.DataObject) -> None:
    """A column that a batch leaves out counts as its empty value."""
    where, stored = case
    names = data.draw(st.sets(st.sampled_from(SCHEMA.names)))
    kept = [name for name in SCHEMA.names if name in {"Timestamp", "Body"} | names]
    batch = batch_of(stored).select(kept)
    assert Matcher(where).matching(batch) == Matcher(where).examine(
        batch, list(range(batch.num_rows))
    )


def test_common_filters_need_no_records() -> None:
    """Levels, services and their combinations are decided by columns alone."""
    batch = batch_of([Record(timestamp_ns=1, level="info", severity_number=9, service="web")])
    for text in ("*", "level:info", "level:>=warn", "service:web -level:error"):
        assert Matcher(parse(text).filter).candidates(batch)[1]


class TestSampler:
    @given(st.lists(st.integers(0, 500), max_size=30))
    def test_below_the_limit_everything_is_kept(self, counts: list[int]) -> None:
        """Up to the limit each second nothing is left out."""
        sampler = Sampler(500)
        for second, count in enumerate(counts):
            assert len(sampler.keep(count, float(second))) == count
            assert sampler.n == 1

    @given(st.lists(st.integers(0, 3_000), min_size=1, max_size=30))
    def test_one_in_n_is_evenly_spread(self, counts: list[int]) -> None:
        """With a steady N every Nth thing is kept, across calls."""
        sampler = Sampler(100)
        sampler.keep(100_000, 0.0)
        before, total, kept = sampler.n, 0, []
        for count in counts:
            rows = sampler.keep(count, 0.5)
            if sampler.n != before:
                return
            kept += [total + row for row in rows]
            total += count
        assert all(b - a == before for a, b in pairwise(kept))

    def test_it_recovers(self) -> None:
        """When the flood is over, everything is kept again."""
        sampler = Sampler(100)
        sampler.keep(1_000, 0.0)
        assert sampler.n == 10
        sampler.keep(10, 1.0)
        assert list(sampler.keep(10, 2.0)) == list(range(10))
