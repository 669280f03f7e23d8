"""Bulk NDJSON: cores and wall time from the first byte sent to all searchable, merges settled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import load, proc, servers
from benchmarks.client import Client
from benchmarks.corpus import Corpus
from benchmarks.latency import INSERTS_METRIC, ROWS_METRIC
from benchmarks.memory import Watch
from benchmarks.servers import Server
from benchmarks.stages import Stages
from benchmarks.table import Row, at_least, at_most, note

AREA = "bulk NDJSON"
CORE_US_BAR = 6.0
RECORDS_PER_S_BAR = 250_000.0
MEMORY_BAR_MB = 1200.0
BYTES_BAR = 40.0
RECORDS_EACH = 2000
# Asking costs the server CPU that would be charged to the records: a counter, not often.
POLL_S = 0.1
# The store's gauges are set by the worker's monitor, every few seconds.
GAUGES_WAIT_S = 90.0


@dataclass(frozen=True, slots=True)
class Imported:
    """What one import took; times from the first byte sent, CPU of all server processes."""

    records: int
    acknowledged_s: float
    searchable_s: float
    settled_s: float
    cpu_s: float
    cpu_until_searchable_s: float
    inserts: int
    processes_us: dict[str, float]
    peak_pss_mb: float
    generator: dict[str, Any]

    @property
    def core_us(self) -> float:
        """Core-µs per record, merges included."""
        return self.cpu_s * 1e6 / self.records

    @property
    def records_per_s(self) -> float:
        """Records per second of wall time until all were searchable."""
        return self.records / self.searchable_s


def import_corpus(server: Server, corpus: Corpus) -> Imported:
    """Send the corpus to a platform that has none of its records, wait until all is settled.

    Raises:
        TimeoutError: records are missing, or merges do not settle.
        RuntimeError: a search counts more or fewer records than were sent.
    """
    before = proc.cpu_s(server.pids)
    before_each = proc.process_cpu_s(server.pids)
    counted_before = _counted(server)
    with Watch(server.pids) as watch:
        running = load.bulk(server.logs_url, corpus, records_each=RECORDS_EACH)
        result = running.result()
        found_at = wait_found(server, corpus, counted_before.get(ROWS_METRIC, 0.0))
        searchable_cpu = proc.cpu_s(server.pids) - before
        settled_at = servers.wait_settled(server.pids)
    first_byte = float(result.raw["first_byte_unix_ns"]) / 1e9
    each = proc.process_cpu_s(server.pids)
    used = {_role(pid): s - before_each.get(pid, 0.0) for pid, s in each.items()}
    return Imported(
        records=result.records,
        acknowledged_s=float(result.raw["elapsed_s"]),
        searchable_s=found_at - first_byte,
        settled_s=max(settled_at, found_at) - first_byte,
        cpu_s=proc.cpu_s(server.pids) - before,
        cpu_until_searchable_s=searchable_cpu,
        inserts=int(_counted(server)[INSERTS_METRIC] - counted_before.get(INSERTS_METRIC, 0.0)),
        processes_us={role: s * 1e6 / result.records for role, s in used.items()},
        peak_pss_mb=watch.peak_pss / 1e6,
        generator=result.raw,
    )


def wait_found(
    server: Server, corpus: Corpus, stored_before: float, *, timeout_s: float = 120.0
) -> float:
    """The Unix time at which all of the corpus was stored, once a search has counted it.

    Raises:
        TimeoutError: records are missing after `timeout_s`.
        RuntimeError: the search counts another number in the corpus's range.
    """
    deadline = time.monotonic() + timeout_s
    stored = 0.0
    with Client(server.port) as client:
        while (stored := client.metrics().get(ROWS_METRIC, 0.0) - stored_before) < corpus.records:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{stored:.0f} of {corpus.records} records stored")
            time.sleep(POLL_S)
    found_at = time.time()
    asked = {
        "query": "* | stats count() n",
        "from": corpus.start.isoformat(),
        "to": corpus.end.isoformat(),
    }
    with Client(server.dashboard_port) as client:
        count = int(client.get_json("/api/v1/search", asked)["records"][0]["n"])
    if count != corpus.records:
        raise RuntimeError(f"{count} records found, {corpus.records} were sent")
    return found_at


def rows(imported: Imported) -> Iterator[Row]:
    """The rows of one import into an empty store."""
    generator = imported.generator
    raw = {name: getattr(imported, name) for name in Imported.__slots__}
    yield at_most(
        AREA, "core-µs per record, all processes", imported.core_us, CORE_US_BAR, "", **raw
    )
    yield at_least(
        AREA, "records/s, wall, until searchable", imported.records_per_s, RECORDS_PER_S_BAR, ""
    )
    yield note(
        AREA,
        f"{imported.records:,} records: acknowledged / searchable / settled",
        f"{imported.acknowledged_s:.1f} / {imported.searchable_s:.1f} / {imported.settled_s:.1f} s",
    )
    told = ", ".join(f"{role} {us:.2f}" for role, us in imported.processes_us.items())
    yield note(AREA, "by process, core-µs per record", told)
    waiting_us = (imported.cpu_s - imported.cpu_until_searchable_s) * 1e6 / imported.records
    yield note(AREA, "of which after all were searchable (merges)", f"{waiting_us:.2f}")
    mean_rows = imported.records / max(imported.inserts, 1)
    yield note(AREA, "inserts", f"{imported.inserts} of {mean_rows:,.0f} records on average")
    yield note(
        AREA,
        "requests of 2 000 records, 4 connections",
        f"p50 {generator['latency']['p50_ms']:.0f} ms, p99 {generator['latency']['p99_ms']:.0f} ms,"
        f" statuses {generator['statuses']}",
    )
    generator_us = generator["generator_cpu_s"] * 1e6 / imported.records
    yield note(AREA, "load generator, core-µs per record", f"{generator_us:.2f}")
    yield at_most(AREA, "memory at its peak", imported.peak_pss_mb, MEMORY_BAR_MB, " MB")


def by_difference(imported: Imported, stages: Stages) -> Row:
    """What is left of the whole for HTTP and what holds the stages together."""
    rest_us = imported.core_us - stages.total
    what = "of which HTTP and the rest: whole less the stages, core-µs per record"
    return note(AREA, what, f"{rest_us:.2f}")


def disk_rows(server: Server, store_folder: Path, records: int) -> Iterator[Row]:
    """Bytes per record of the active parts, as the store itself counts them."""
    metrics = _settled_gauges(server, records)
    stored, used = metrics["logstream_store_records"], metrics["logstream_store_bytes"]
    yield at_most("on disk", "bytes per record", used / stored, BYTES_BAR, " B", records=stored)
    folder = sum(file.stat().st_size for file in store_folder.rglob("*") if file.is_file())
    told = f"{folder / stored:.1f} B"
    yield note("on disk", "whole folder, merged parts awaiting removal included", told)


def _settled_gauges(server: Server, records: int) -> dict[str, float]:
    deadline = time.monotonic() + GAUGES_WAIT_S
    while time.monotonic() < deadline:
        with Client(server.port) as client:
            metrics = client.metrics()
        if metrics.get("logstream_store_records", 0.0) >= records:
            return metrics
        time.sleep(1.0)
    raise TimeoutError(f"/metrics does not count {records} records after {GAUGES_WAIT_S:.0f} s")


def _counted(server: Server) -> dict[str, float]:
    with Client(server.port) as client:
        return client.metrics()


def _role(pid: int) -> str:
    """What a process of the platform is, by its command: `ingest`, `store_process`, `up`."""
    words = proc.command_line(pid).split()
    after_module = words[words.index("-m") + 1 :] if "-m" in words else words[1:]
    named = [word for word in after_module if Path(word).name != "logstream"]
    return f"{named[0].rpartition('.')[2] if named else 'process'} ({pid})"
