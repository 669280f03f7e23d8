"""The result table and small readers of measured text."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from benchmarks.client import parse_metrics
from benchmarks.latency import INSERTS_METRIC, ROWS_METRIC, writes_saved
from benchmarks.memory import growth_of
from benchmarks.table import at_least, at_most, note, render, skipped


@pytest.mark.parametrize(
    ("value", "verdict"), [(5.9, "missed"), (6.0, "met"), (6.1, "met")]
)  # fmt: skip
def test_lower_limit(value: float, verdict: str) -> None:
    """A lower limit is met from the bar upwards."""
    assert at_least("a", "w", value, 6, "×").verdict == verdict


@pytest.mark.parametrize(
    ("value", "verdict"), [(9.9, "met"), (10, "met"), (10.1, "missed")]
)  # fmt: skip
def test_upper_limit(value: float, verdict: str) -> None:
    """An upper limit is met up to the bar."""
    assert at_most("a", "w", value, 10, " ms").verdict == verdict


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.12345, "0.1235"), (6.0, "6"), (99.97, "99.97"), (250_000, "250 000"), (431.26, "431.3")],
)
def test_figures_are_readable(value: float, said: str) -> None:
    """Figures are short, without exponents, thousands apart."""
    assert at_least("a", "w", value, 1, "").measured == said


def test_table_shows_every_row() -> None:
    """All kinds of rows are printed, markup in measured text included as it is."""
    out = io.StringIO()
    rows = [at_most("one", "p99", 3, 10, " ms"), note("one", "n", "[x]"), skipped("two", "s", "no")]
    render(rows, Console(file=out, width=100))
    text = out.getvalue()
    assert all(word in text for word in ("≤ 10 ms", "met", "[x]", "skipped", "no"))


def test_metrics_of_one_name_add_up() -> None:
    """Labelled samples of one metric are summed, comments skipped."""
    text = '# HELP a b\na_total{x="1"} 2\na_total{x="2"} 3.5\nb 1e3\n'
    assert parse_metrics(text) == {"a_total": 5.5, "b": 1000.0}


def test_writes_saved() -> None:
    """Ten inserts for 100 000 records save 99.99 % of the writes."""
    before = {INSERTS_METRIC: 5.0, ROWS_METRIC: 100.0}
    after = {INSERTS_METRIC: 15.0, ROWS_METRIC: 100_100.0}
    row = writes_saved(before, after, 10_000)
    assert (row.measured, row.verdict) == ("99.99 %", "met")


def test_writes_saved_without_counts_is_skipped() -> None:
    """A server that counts nothing gives no figure."""
    assert writes_saved({}, {}, 10_000).verdict == "skipped"


def test_growth_leaves_the_warm_up_out() -> None:
    """The first quarter does not count; growth is the last quarter over the second."""
    samples = [(float(k), mb) for k, mb in enumerate([1, 1, 100, 100, 105, 105, 110, 110])]
    early, late, growth = growth_of(samples)
    assert (early, late) == (100, 110)
    assert growth == pytest.approx(0.10)
