"""Everything `make bench` measures: one table, and the same as JSON.

    python -m benchmarks.run [--quick] [--only NAME …] [--json FILE]

Each section starts the servers it needs on fresh folders and stops them. A section that fails is
reported in its place and the others go on; the exit code is then 1. A missed bar is no failure.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks import bulk, corpus, latency, memory, queries, servers, single, stages
from benchmarks.machine import Machine, describe_machine
from benchmarks.table import Row, note, render

RESULTS: Final = Path(__file__).parent / "results" / "latest.json"
FRESHNESS_RATE: Final = 10_000
# High enough to turn every buffer over many times, low enough to leave a 2-core machine idle time.
FLAT_RATE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long and how much: `FULL` is what the bars are set for."""

    turns: int
    turn_s: float
    bulk_records: int
    query_records: int
    freshness_s: float
    flat_s: float


FULL: Final = Sizes(5, 8.0, 3_000_000, 10_000_000, 60.0, 600.0)
QUICK: Final = Sizes(2, 3.0, 400_000, 1_000_000, 10.0, 40.0)


class Bench:
    """What the sections share: sizes, a private folder, and one corpus made when first needed."""

    def __init__(self, sizes: Sizes, folder: Path, corpus_folder: Path) -> None:
        self.sizes = sizes
        self.folder = folder
        self.measured_stages: stages.Stages | None = None
        self._corpus_folder = corpus_folder

    @cached_property
    def corpus(self) -> corpus.Corpus:
        """The longest corpus any section takes; the others take its beginning."""
        midnight = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        longest = max(self.sizes.bulk_records, self.sizes.query_records)
        return corpus.ensure(self._corpus_folder, longest, midnight)

    def generator(self) -> Iterator[Row]:
        """What the load generator itself costs."""
        with servers.trivial_rsgi(self._fresh("trivial")) as server:
            taken = single.in_turns([server], turns=self.sizes.turns, seconds=self.sizes.turn_s)
        figures = taken[server.name]
        what = "against an RSGI application that only answers"
        yield note("load generator", what, single.describe(figures), **figures)

    def peer(self) -> Iterator[Row]:
        """Single logs, in turns with the Express peer."""
        sizes = self.sizes
        yield from single.against_peer(self._fresh("peer"), turns=sizes.turns, seconds=sizes.turn_s)

    def stopped(self) -> Iterator[Row]:
        """Single logs while the store is stopped."""
        sizes = self.sizes
        yield from single.store_stopped(
            self._fresh("stopped"), turns=sizes.turns, seconds=sizes.turn_s
        )

    def stages(self) -> Iterator[Row]:
        """Core-µs per record of what happens before the store, called as functions."""
        self.measured_stages = stages.measure(
            self.corpus, self._fresh("stages"), store_records=self.sizes.bulk_records
        )
        yield from stages.rows(self.measured_stages)

    def bulk(self) -> Iterator[Row]:
        """One fresh platform: idle, bulk import, disk, freshness, single logs under a query."""
        sizes = self.sizes
        data = self._fresh("bulk") / "data"
        part = self.corpus.first(sizes.bulk_records)
        with servers.logstream_up(data) as server:
            yield from memory.idle(server)
            imported = bulk.import_corpus(server, part)
            yield from bulk.rows(imported)
            if self.measured_stages is not None:
                yield bulk.by_difference(imported, self.measured_stages)
            yield from bulk.disk_rows(server, data / "store", part.records)
            yield from latency.measure(
                server, part.path, seconds=sizes.freshness_s, rate=FRESHNESS_RATE
            )
            yield from single.under_heavy_query(server, turns=sizes.turns, seconds=sizes.turn_s)

    def queries(self) -> Iterator[Row]:
        """Query times over the long corpus."""
        data = self._fresh("queries") / "data"
        part = self.corpus.first(self.sizes.query_records)
        with servers.logstream_up(data) as server:
            imported = bulk.import_corpus(server, part)
            told = (
                f"{imported.core_us:.2f} core-µs a record, {imported.records_per_s:,.0f} records/s,"
                f" {imported.peak_pss_mb:.0f} MB at its peak"
            )
            yield note(bulk.AREA, f"import of {part.records:,} records", told)
            yield from queries.measure(server, part)

    def flat(self) -> Iterator[Row]:
        """Memory over a long steady load."""
        with servers.logstream_up(self._fresh("flat") / "data") as server:
            yield from memory.flat(
                server, self.corpus.path, seconds=self.sizes.flat_s, rate=FLAT_RATE
            )

    def _fresh(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir()
        return path


SECTIONS: Final[dict[str, Callable[[Bench], Iterator[Row]]]] = {
    "generator": Bench.generator,
    "peer": Bench.peer,
    "stopped": Bench.stopped,
    "stages": Bench.stages,
    "bulk": Bench.bulk,
    "queries": Bench.queries,
    "flat": Bench.flat,
}


def run(bench: Bench, names: list[str], console: Console) -> list[Row]:
    """The rows of the named sections, those of a failing section up to its failure."""
    rows: list[Row] = []
    for name in names:
        console.print(f"[dim]{name} …[/]")
        try:
            for row in SECTIONS[name](bench):
                rows.append(row)
                console.print(f"[dim]  {row.what}: {row.measured} {row.verdict}[/]", markup=True)
        except servers.Unavailable as reason:
            rows.append(Row(name, "section", "", str(reason), "skipped"))
        except Exception as error:  # noqa: BLE001  # reported as a row; hours of others go on
            console.print(traceback.format_exc(), markup=False)
            rows.append(Row(name, "section", "", str(error).splitlines()[0][:200], "failed"))
    return rows


def cautions(machine: Machine, sizes: Sizes) -> Iterator[str]:
    """Why the verdicts may not mean what they say."""
    if sizes != FULL:
        yield "Small sizes: the bars are set for the full ones."
    if machine.load_before > 0.25 * machine.cores:
        yield "The machine was busy before the run: every figure is worse than it would be alone."


def main(arguments: list[str] | None = None) -> int:
    """Run the sections asked for, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description="Measure LogStream against its bars.")
    parser.add_argument("--quick", action="store_true", help="small sizes: a few minutes")
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), metavar="NAME",
                        help=f"sections: {', '.join(SECTIONS)}")  # fmt: skip
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the figures go")
    parser.add_argument("--folder", type=Path, help="where the servers' data goes meanwhile")
    parser.add_argument("--keep-corpus", type=Path, help="folder to keep the corpus in and reuse")
    options = parser.parse_args(arguments)
    sizes = QUICK if options.quick else FULL
    # Piped into a file or a CI log, a table of 80 columns would fold every cell.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    with servers.workspace(options.folder) as folder:
        machine = describe_machine(folder)
        console.print(machine.describe(), markup=False)
        started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        bench = Bench(sizes, folder, options.keep_corpus or folder / "corpus")
        rows = run(bench, options.only or list(SECTIONS), console)
    render(rows, console)
    console.print(machine.describe(), markup=False)
    for caution in cautions(machine, sizes):
        console.print(f"[yellow]{caution}[/]")
    report = {
        "started": started,
        "size": "quick" if options.quick else "full",
        "machine": machine.to_json(),
        "rows": [row.to_json() for row in rows],
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1, default=str) + "\n")
    console.print(f"written to {options.json}", markup=False)
    return 1 if any(row.verdict == "failed" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
