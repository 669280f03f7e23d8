"""Runs the load generator as a process of its own and reads its result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.corpus import Corpus

REPOSITORY = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Load:
    """One load generator's result, as `benchmarks.loadgen.report` wrote it."""

    raw: dict[str, Any]

    @property
    def requests_per_s(self) -> float:
        """Requests answered below 400 per second."""
        return float(self.raw["requests_per_s"])

    @property
    def records(self) -> int:
        """Records in requests answered below 400."""
        return int(self.raw["records"])

    @property
    def p99_ms(self) -> float:
        """99th percentile of the answers below 400."""
        return float(self.raw["latency"]["p99_ms"])

    @property
    def generator_us(self) -> float:
        """CPU of the generator per request, in microseconds."""
        return float(self.raw["generator_us_per_request"])


class Running:
    """A load generator that runs."""

    def __init__(self, arguments: list[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.loadgen", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )

    def result(self) -> Load:
        """Wait for its end.

        Raises:
            RuntimeError: it failed.
        """
        output, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError(f"the load generator ended with {self._process.returncode}")
        return Load(json.loads(output))

    def stop(self) -> None:
        """End it early; harmless after its end."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.communicate()


def single(url: str, *, seconds: float, connections: int = 64) -> Running:
    """One log per request, as fast as answers come."""
    return Running(["--url", url, "--connections", str(connections), "--seconds", str(seconds)])


def bulk(url: str, corpus: Corpus, *, records_each: int, connections: int = 4) -> Running:
    """The whole corpus once, as NDJSON bodies, as fast as answers come."""
    requests = -(-corpus.records // records_each)
    return Running(
        ["--url", url, "--mode", "bulk", "--corpus", str(corpus.path), "--connections",
         str(connections), "--records-per-request", str(records_each), "--requests", str(requests)]
    )  # fmt: skip


def live(
    url: str, corpus_file: Path, *, rate: int, seconds: float, records_each: int = 100
) -> Running:
    """The corpus with the present time in each record, at `rate` records per second."""
    return Running(
        ["--url", url, "--mode", "bulk", "--live", "--loop", "--corpus", str(corpus_file),
         "--connections", "16", "--records-per-request", str(records_each), "--rate", str(rate),
         "--seconds", str(seconds)]
    )  # fmt: skip
