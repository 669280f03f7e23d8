from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logstream.settings import Settings
from logstream.worker.coalesce import Policy, Size, Waiting

POLICY = Policy(flush_rows=100, flush_bytes=10_000, flush_after_s=1.0, max_rows=1_000)


def waiting(rows: int, size: int = 0, *, since_s: float = 0.0) -> Waiting:
    return Waiting(entries=1, rows=rows, bytes=size, since_s=since_s)


class TestPolicy:
    def test_nothing_waiting_is_never_due(self) -> None:
        """Without an entry there is no group, however late it is and even when stopping."""
        assert POLICY.due(Waiting(), 1e9, stopping=True) is None

    def test_few_and_young_wait(self) -> None:
        """Below every limit nothing is written."""
        assert POLICY.due(waiting(99, 9_999), 0.99) is None

    def test_enough_rows_are_due_at_once(self) -> None:
        """`flush_rows` rows are written without waiting."""
        assert POLICY.due(waiting(100), 0.0) == "rows"

    def test_enough_bytes_are_due_at_once(self) -> None:
        """`flush_size_bytes` bytes are written without waiting."""
        assert POLICY.due(waiting(1, 10_000), 0.0) == "bytes"

    def test_age_counts_from_the_first_entry(self) -> None:
        """A group is as old as its oldest entry, whenever others joined it."""
        young = Waiting().plus(Size(1, 1), 5.0).plus(Size(1, 1), 5.9)
        assert POLICY.due(young, 5.99) is None
        assert POLICY.due(young, 6.0) == "age"
        assert POLICY.due_in_s(young, 5.75) == 0.25

    def test_a_backlog_makes_larger_groups(self) -> None:
        """While the broker is known to hold more, a group grows beyond `flush_rows`, but not
        beyond `group_max_rows` and not for longer than the flush interval."""
        assert POLICY.due(waiting(100), 0.5, more=True) is None
        assert POLICY.due(waiting(1_000), 0.5, more=True) == "rows"
        assert POLICY.due(waiting(100), 1.0, more=True) == "rows"

    def test_stopping_writes_what_there_is(self) -> None:
        """When the worker stops, the little there is is due."""
        assert POLICY.due(waiting(1), 0.0, stopping=True) == "stop"

    def test_a_full_group_takes_no_more(self) -> None:
        """Reading goes on up to the limits of one insert, and no further."""
        assert not POLICY.is_full(waiting(999, 9_999))
        assert POLICY.is_full(waiting(1_000))
        assert POLICY.is_full(waiting(1, 10_000))

    def test_settings_become_the_policy(self) -> None:
        """Each limit is a setting, and `group_max_rows` is never below `flush_rows`."""
        settings = Settings(flush_rows=70, group_max_rows=50, flush_interval_s=2.0)
        policy = Policy.of(settings)
        assert (policy.flush_rows, policy.max_rows, policy.flush_after_s) == (70, 70, 2.0)


@given(
    sizes=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 5_000)), max_size=30),
    step_s=st.floats(0.001, 0.3),
)
def test_no_entry_waits_longer_than_the_interval(
    sizes: list[tuple[int, int]], step_s: float
) -> None:
    """Whatever arrives, a group is due at the latest one interval after its first entry."""
    now_s = 0.0
    held = Waiting()
    for rows, size in sizes:
        held = held.plus(Size(rows, size), now_s)
        now_s += step_s
        assert POLICY.due(held, held.since_s + 1.0) is not None
        if POLICY.due(held, now_s) is not None:
            held = Waiting()
