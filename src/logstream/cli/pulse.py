"""The platform's pulse in one line, from its own metrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Pulse", "Reading", "read"]

_TOTALS = (
    "logstream_records_accepted_total",
    "logstream_records_rejected_total",
    "logstream_records_stored_total",
    "logstream_broker_records",
)
_SEARCHABLE = "logstream_searchable_seconds_bucket"


class Reading(NamedTuple):
    """Totals at one moment; ``searchable``: upper bound in seconds → entries up to it."""

    at_s: float
    accepted: float
    rejected: float
    stored: float
    waiting: float
    searchable: dict[float, float]


def read(samples: Iterable[tuple[str, dict[str, str], float]], at_s: float) -> Reading:
    """Pick what the pulse needs out of all samples."""
    totals = dict.fromkeys(_TOTALS, 0.0)
    searchable: dict[float, float] = {}
    for name, labels, value in samples:
        if name in totals:
            totals[name] += value
        elif name == _SEARCHABLE:
            searchable[float(labels["le"])] = searchable.get(float(labels["le"]), 0.0) + value
    accepted, rejected, stored, waiting = (totals[name] for name in _TOTALS)
    return Reading(at_s, accepted, rejected, stored, waiting, searchable)


class Pulse:
    """Turns readings into lines; each is compared with the one before it."""

    def __init__(self) -> None:
        self._before: Reading | None = None
        self._p50_s: float | None = None

    def line(self, now: Reading) -> str:
        """Rate since the last reading, and how things stand."""
        before, self._before = self._before, now
        rate = 0.0
        if before is not None and now.at_s > before.at_s:
            rate = max(now.accepted - before.accepted, 0.0) / (now.at_s - before.at_s)
            p50_s = _median(before.searchable, now.searchable)
            self._p50_s = p50_s if p50_s is not None else self._p50_s
        parts = [
            f"{rate:,.0f} records/s",
            f"{now.stored:,.0f} stored since the start",
            f"{now.waiting:,.0f} waiting",
        ]
        if now.rejected:
            parts.append(f"{now.rejected:,.0f} refused")
        if self._p50_s is not None:
            parts.append(f"searchable after {_seconds(self._p50_s)} (p50)")
        return " · ".join(parts)


def _median(before: dict[float, float], now: dict[float, float]) -> float | None:
    """The median of what was observed between two readings, interpolated inside its bucket."""
    bounds = sorted(now)
    grown = [now[bound] - before.get(bound, 0.0) for bound in bounds]
    if not grown or grown[-1] <= 0:
        return None
    half = grown[-1] / 2
    lower, below = 0.0, 0.0
    for bound, count in zip(bounds, grown, strict=True):
        if count >= half:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (half - below) / max(count - below, 1e-9)
        lower, below = bound, count
    return None


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"
