"""Percentiles and medians of measured samples: pure functions over plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """A latency distribution in milliseconds; every figure is 0.0 when `count` is 0."""

    count: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float

    def to_json(self) -> dict[str, float]:
        """The figures by name."""
        return asdict(self)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` (0–1) of the samples do not exceed.

    `ordered` must be ascending. Nearest rank, never interpolated, so the answer is always a time
    that some request really took.

    Raises:
        ValueError: `ordered` is empty or `share` is outside 0–1.
    """
    if not ordered:
        raise ValueError("no samples")
    if not 0 <= share <= 1:
        raise ValueError(f"share {share} is outside 0–1")
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]


def summarise(samples_ns: Sequence[int]) -> Latency:
    """The distribution of `samples_ns` (nanoseconds, any order)."""
    if not samples_ns:
        return Latency(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    ordered = sorted(samples_ns)
    p50, p90, p99, p999 = (percentile(ordered, share) / 1e6 for share in (0.5, 0.9, 0.99, 0.999))
    mean = sum(ordered) / len(ordered) / 1e6
    return Latency(len(ordered), mean, p50, p90, p99, p999, ordered[-1] / 1e6)


def median(values: Sequence[float]) -> float:
    """The middle value (mean of the two middle ones for an even count).

    Raises:
        ValueError: `values` is empty.
    """
    if not values:
        raise ValueError("no samples")
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
