"""Rows by pattern in one window, as a store counted them or as a sample lets one guess."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from logstream.dashboard.pattern_sample import Sample
from logstream.store.base import PatternCount
from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS

__all__ = ["Counts", "Tally", "counts_of_sample"]


@dataclass(slots=True)
class Tally:
    """Rows of one pattern in one window."""

    levels: Counter[str] = field(default_factory=Counter)
    series: Counter[int] = field(default_factory=Counter)
    first_ns: int = MAX_TIMESTAMP_NS
    last_ns: int = MIN_TIMESTAMP_NS

    def add(self, found: PatternCount, scale: float) -> None:
        """Count some more."""
        count = round(found.count * scale)
        self.levels[found.level] += count
        self.series[found.start_ns] += count
        self.first_ns = min(self.first_ns, found.first_ns)
        self.last_ns = max(self.last_ns, found.last_ns)


class Counts:
    """Rows of one window by pattern; `None` stands for those that fit none."""

    def __init__(self, found: Sequence[PatternCount], scale: float = 1.0) -> None:
        self._tallies: defaultdict[int | None, Tally] = defaultdict(Tally)
        for each in found:
            self._tallies[each.pattern].add(each, scale)

    def of(self, pattern: int | None) -> Tally:
        """Those of one pattern."""
        return self._tallies.get(pattern) or Tally()

    @property
    def total(self) -> int:
        """How many there are of all."""
        return sum(tally.levels.total() for tally in self._tallies.values())


def counts_of_sample(
    sample: Sample, match: Callable[[str], int | None], interval_ns: int
) -> Counts:
    """What the store would have counted, from a sample."""
    times: defaultdict[tuple[int | None, int, str], list[int]] = defaultdict(list)
    for row in sample.rows:
        start_ns = row.timestamp_ns // interval_ns * interval_ns
        times[match(row.message), start_ns, row.level].append(row.timestamp_ns)
    found = [PatternCount(*key, len(each), min(each), max(each)) for key, each in times.items()]
    return Counts(found, sample.matched / len(sample.rows) if sample.rows else 1.0)
