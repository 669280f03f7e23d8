"""Which records of a batch a tail shows: filter, then sample when there are too many.

Two limits keep a tail affordable and readable. Rows that the vectorised mask cannot decide are
turned into records for the predicate, at most `EXAMINED_PER_S` a second; of the rows that match at
most `SHOWN_PER_S` a second are shown. Beyond them one in N is taken, and N is told.
"""

from __future__ import annotations

import math

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from logstream.live.mask import plan
from logstream.query import Filter
from logstream.query.evaluate import predicate
from logstream.record import records_of

__all__ = ["EXAMINED_PER_S", "SHOWN_PER_S", "Matcher", "Sampler", "Selected", "Selector"]

SHOWN_PER_S = 5_000
EXAMINED_PER_S = 20_000


class Sampler:
    """Keeps one in ``n``, where ``n`` follows how many a second there are.

    Args:
        limit_per_s: Up to this rate everything is kept.
    """

    def __init__(self, limit_per_s: int) -> None:
        self.n = 1
        self._limit = limit_per_s
        self._since_s = -math.inf
        self._seen = 0
        self._phase = 0

    def keep(self, count: int, now_s: float) -> range:
        """Which of the next ``count`` things to keep, seen at ``now_s`` (monotonic)."""
        passed_s = now_s - self._since_s
        if passed_s >= 1:
            self.n = max(1, math.ceil(self._seen / passed_s / self._limit))
            self._since_s, self._seen = now_s, 0
        self._seen += count
        self.n = max(self.n, math.ceil(self._seen / self._limit))
        first = -self._phase % self.n
        self._phase = (self._phase + count) % self.n
        return range(first, count, self.n)


class Selected(msgspec.Struct, frozen=True):
    """What a tail gets of one batch: ``rows`` are row numbers in it, to be shown."""

    rows: list[int]
    matched: int
    unexamined: int


class Matcher:
    """A filter over batches.

    Raises:
        QueryError: the filter asks of a field what it cannot answer.
    """

    def __init__(self, where: Filter) -> None:
        self._plan = plan(where)
        self._accepts = predicate(where)

    def candidates(self, batch: pa.RecordBatch) -> tuple[list[int] | range, bool]:
        """Row numbers that may match, in order, and whether they all do."""
        mask = self._plan(batch)
        if mask.rows is None:
            return range(batch.num_rows), mask.exact
        return pc.indices_nonzero(mask.rows).to_pylist(), mask.exact

    def examine(self, batch: pa.RecordBatch, rows: list[int]) -> list[int]:
        """Those of the rows that match."""
        if not rows:
            return []
        records = records_of(batch.take(pa.array(rows, pa.int64())))
        return [row for row, record in zip(rows, records, strict=True) if self._accepts(record)]

    def matching(self, batch: pa.RecordBatch) -> list[int]:
        """Row numbers of all that match, in order."""
        rows, exact = self.candidates(batch)
        return list(rows) if exact else self.examine(batch, list(rows))


class Selector:
    """A tail's filter and its two samplers."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._examined = Sampler(EXAMINED_PER_S)
        self._shown = Sampler(SHOWN_PER_S)

    @property
    def sample(self) -> int:
        """What is shown now is one in this many of what is there."""
        return self._examined.n * self._shown.n

    def select(self, batch: pa.RecordBatch, now_s: float) -> Selected:
        """What to show of a batch that came at ``now_s`` (monotonic)."""
        rows, exact = self._matcher.candidates(batch)
        unexamined = 0
        if not exact:
            looked_at = [rows[i] for i in self._examined.keep(len(rows), now_s)]
            unexamined = len(rows) - len(looked_at)
            rows = self._matcher.examine(batch, looked_at)
        shown = [rows[i] for i in self._shown.keep(len(rows), now_s)]
        return Selected(shown, len(rows), unexamined)
