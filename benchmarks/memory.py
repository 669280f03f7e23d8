"""Memory over time: idle, at its peak under load, and whether it stays flat."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks import load, proc
from benchmarks.servers import Server
from benchmarks.stats import median
from benchmarks.table import Row, at_most, note

AREA = "memory"
IDLE_BAR_MB = 600.0
# What "flat" allows: growth of the last quarter's median over the second quarter's.
GROWTH_BAR_SHARE = 0.10
IDLE_AFTER_S = 10.0


class Watch:
    """Samples the memory of process trees for the length of a `with` block."""

    def __init__(self, pids: Sequence[int], *, interval_s: float = 0.25) -> None:
        self._pids = tuple(pids)
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.samples: list[tuple[float, int]] = []

    @property
    def peak_pss(self) -> int:
        """The largest proportional set size seen, in bytes."""
        return max((pss for _, pss in self.samples), default=0)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        began = time.monotonic()
        while True:
            self.samples.append((time.monotonic() - began, proc.memory(self._pids).pss))
            if self._stop.wait(self._interval_s):
                return


def idle(server: Server) -> Iterator[Row]:
    """Memory and CPU of a platform that nobody uses, ten seconds after it became ready."""
    time.sleep(IDLE_AFTER_S)
    before_s = proc.cpu_s(server.pids)
    time.sleep(5.0)
    busy = (proc.cpu_s(server.pids) - before_s) / 5.0
    now = proc.memory(server.pids)
    raw = {"pss": now.pss, "rss": now.rss, "cores": busy, "processes": _processes(server)}
    yield at_most(AREA, "idle `up`, all processes", now.pss / 1e6, IDLE_BAR_MB, " MB", **raw)
    yield note(AREA, "idle, shared pages counted once per process", f"{now.rss / 1e6:.0f} MB")
    yield note(AREA, "idle CPU", f"{busy * 100:.1f} % of one core")


def flat(server: Server, corpus_file: Path, *, seconds: float, rate: int) -> Iterator[Row]:
    """Whether memory stays where it is under a steady load."""
    with Watch(server.pids, interval_s=1.0) as watch:
        running = load.live(server.logs_url, corpus_file, rate=rate, seconds=seconds)
        running.result()
    early, late, growth = growth_of(watch.samples)
    what = f"growth over {seconds / 60:.0f} min at {rate:,} records/s"
    raw = {"samples": watch.samples, "early": early, "late": late}
    yield at_most(AREA, what, growth * 100, GROWTH_BAR_SHARE * 100, " %", **raw)
    yield note(AREA, "second quarter → last quarter", f"{early / 1e6:.0f} → {late / 1e6:.0f} MB")


def growth_of(samples: Sequence[tuple[float, int]]) -> tuple[float, float, float]:
    """Median of the second and of the last quarter, and the growth between them as a share.

    The first quarter is left out: caches and pools fill then, in any server.

    Raises:
        ValueError: fewer than four samples.
    """
    if len(samples) < 4:
        raise ValueError("too few samples")
    quarter = len(samples) // 4
    early = median([pss for _, pss in samples[quarter : 2 * quarter]])
    late = median([pss for _, pss in samples[-quarter:]])
    return early, late, late / early - 1


def _processes(server: Server) -> dict[str, int]:
    found = (stat for root in server.pids for stat in proc.tree(root))
    return {proc.command_line(stat.pid)[:120]: proc.memory_of(stat.pid).pss for stat in found}
