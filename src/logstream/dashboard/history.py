"""The platform's own numbers over the last hour: counters turned into rates.

`metrics` only counts upwards. `History` keeps a sample of the counters every few seconds, so that
a rate, a share or a quantile can be given for any part of the last hour, with a series for its
sparkline. It is filled by `record_history` while the server runs.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from logstream import metrics
from logstream.clock import NS_PER_S, Clock
from logstream.dashboard.peers import Peers

__all__ = ["History", "Sample", "quantile", "record_history", "sample_now"]

INTERVAL_S = 5.0
KEPT = 720  # one hour of samples, about 4 MB

_WANTED = (
    "logstream_ingest_requests_total",
    "logstream_ingest_bytes_total",
    "logstream_records_accepted_total",
    "logstream_records_rejected_total",
    "logstream_records_stored_total",
    "logstream_records_dead_lettered_total",
    "logstream_ingest_repeated_requests_total",
    "logstream_broker_commits_total",
    "logstream_worker_groups_total",
    "logstream_worker_group_records_bucket",
    "logstream_worker_group_records_sum",
    "logstream_worker_insert_seconds_bucket",
    "logstream_worker_insert_retries_total",
    "logstream_worker_repeated_entries_total",
    "logstream_worker_waiting_seconds",
    "logstream_searchable_seconds_bucket",
    "logstream_tail_records_total",
    "logstream_tail_dropped_records_total",
    "logstream_tails",
)

_LARGEST = frozenset({"logstream_worker_waiting_seconds"})
"""What processes do not add up to: the worst of them counts."""

Key = tuple[str, str]
"""A metric's name and the value of its one label, ``""`` without."""


class Sample(msgspec.Struct, frozen=True):
    """The counters at one moment."""

    at_ns: int
    values: Mapping[Key, float]

    def total(self, name: str) -> float:
        """The sum over all labels."""
        return sum(value for (each, _), value in self.values.items() if each == name)

    def by_label(self, name: str) -> dict[str, float]:
        """Label value → count."""
        return {label: value for (each, label), value in self.values.items() if each == name}


def sample_now(now_ns: int, peers: Peers | None = None) -> Sample:
    """The counters of all processes as they are now, of peers as they last said."""
    values: dict[Key, float] = {}
    for name, labels, value in itertools.chain(metrics.samples(), peers.samples() if peers else ()):
        if name in _WANTED:
            key = (name, "".join(labels.values()))
            known = values.get(key, 0.0)
            values[key] = max(known, value) if name in _LARGEST else known + value
    return Sample(now_ns, values)


class History:
    """Samples of the last hour, oldest first."""

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self._samples: deque[Sample] = deque(samples, maxlen=KEPT)

    def add(self, sample: Sample) -> None:
        """Keep one more; the oldest goes when an hour is full."""
        self._samples.append(sample)

    def between(self, start_ns: int, end_ns: int) -> Span:
        """The samples of a stretch of time; may be shorter than asked, or empty."""
        samples = list(self._samples)
        low = bisect.bisect_left(samples, start_ns, key=_at)
        high = bisect.bisect_right(samples, end_ns, key=_at)
        return Span(samples[low:high])

    def last(self, seconds: float, now_ns: int) -> Span:
        """The samples of the last seconds."""
        return self.between(now_ns - round(seconds * NS_PER_S), now_ns)


def _at(sample: Sample) -> int:
    return sample.at_ns


class Span:
    """What happened between the first and the last of some samples."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = samples

    @property
    def seconds(self) -> float:
        """Length in seconds, 0 with fewer than two samples."""
        if len(self.samples) < 2:
            return 0.0
        return (self.samples[-1].at_ns - self.samples[0].at_ns) / NS_PER_S

    def __bool__(self) -> bool:
        return self.seconds > 0

    def increase(self, name: str) -> float:
        """How much a counter grew, all labels together."""
        if not self:
            return 0.0
        return max(self.samples[-1].total(name) - self.samples[0].total(name), 0.0)

    def increases(self, name: str) -> dict[str, float]:
        """How much each label of a counter grew."""
        if not self:
            return {}
        first, last = self.samples[0].by_label(name), self.samples[-1].by_label(name)
        return {label: max(value - first.get(label, 0.0), 0.0) for label, value in last.items()}

    def rate(self, name: str) -> float | None:
        """Growth per second; ``None`` when there is nothing to tell it from."""
        return self.increase(name) / self.seconds if self else None

    def quantile(self, name: str, q: float) -> float | None:
        """A quantile of a histogram's observations in this span; ``None``: there were none."""
        return quantile(self.increases(f"{name}_bucket"), q)

    def parts(self, count: int) -> Iterator[Span]:
        """About ``count`` consecutive spans that touch, for a series."""
        step = max((len(self.samples) - 1) / count, 1.0)
        edges = [round(i * step) for i in range(count + 1)]
        for low, high in itertools.pairwise(edges):
            if high < len(self.samples):
                yield Span(self.samples[low : high + 1])


def quantile(buckets: Mapping[str, float], q: float) -> float | None:
    """A quantile of a cumulative histogram (upper bound as text → count), linear inside a bucket.

    The open last bucket answers with its lower bound.
    """
    bounds = sorted((float(bound), count) for bound, count in buckets.items())
    if not bounds or bounds[-1][1] <= 0:
        return None
    wanted = q * bounds[-1][1]
    low, below = 0.0, 0.0
    for bound, count in bounds:
        if count >= wanted and count > below:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, count
    return low


async def record_history(
    history: History, clock: Clock, stopping: asyncio.Event, peers: Peers
) -> None:
    """Ask the peers and add a sample every `INTERVAL_S` seconds until the event is set."""
    while not stopping.is_set():
        await asyncio.to_thread(peers.refresh)
        history.add(await asyncio.to_thread(sample_now, clock.time_ns(), peers))
        try:
            await asyncio.wait_for(stopping.wait(), INTERVAL_S)
        except TimeoutError:
            continue
