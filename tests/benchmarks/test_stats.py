"""Percentiles and medians."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.stats import median, percentile, summarise


class TestPercentile:
    @pytest.mark.parametrize(
        ("share", "expected"), [(0, 1), (0.01, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1, 100)]
    )
    def test_nearest_rank(self, share: float, expected: int) -> None:
        """Of 1…100 the p-th percentile is p, and anything beyond it the next value."""
        assert percentile(range(1, 101), share) == expected

    @given(st.lists(st.integers(), min_size=1), st.floats(0, 1))
    def test_is_a_sample_that_enough_samples_do_not_exceed(
        self, samples: list[int], share: float
    ) -> None:
        """The answer is one of the samples, and at least the share of them are not above it."""
        answer = percentile(sorted(samples), share)
        assert answer in samples
        assert sum(sample <= answer for sample in samples) >= share * len(samples)

    @pytest.mark.parametrize(("samples", "share"), [([], 0.5), ([1], -0.1), ([1], 1.1)])
    def test_refuses_nonsense(self, samples: list[float], share: float) -> None:
        """No samples, or a share outside 0–1, raise ValueError."""
        with pytest.raises(ValueError, match=r"no samples|outside"):
            percentile(samples, share)


def test_summary_is_in_milliseconds() -> None:
    """Nanoseconds go in, milliseconds come out, in any order of samples."""
    latency = summarise([3_000_000, 1_000_000, 2_000_000])
    assert (latency.count, latency.mean_ms, latency.p50_ms, latency.max_ms) == (3, 2.0, 2.0, 3.0)


def test_summary_of_nothing_is_zero() -> None:
    """A run without answers has a distribution of zeros rather than an error."""
    assert summarise([]).p99_ms == 0.0


def test_median_of_even_count_is_between() -> None:
    """With an even count the median is the mean of the middle two."""
    assert median([4, 1, 3, 2]) == 2.5
