"""The parts apart on one machine: throughput with 1, 2, 4 of each, and what a record costs where.

    python -m benchmarks.scale [--counts 1,2,4] [--records N] [--growth N] [--json FILE]

Each round starts a Redis of its own, a ClickHouse (the test server: the real engine behind its HTTP
protocol), n ingestion processes on one port, n workers and a dashboard; sends a corpus in bulk and
waits until all of it is stored; then sends single logs. Where the load and all parts share a few
cores, more processes cannot do more: what counts is the cost of a record in each part, which
`benchmarks.capacity` makes a plan of. Without Redis the disk broker stands in, with one worker.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from benchmarks import corpus, load, proc, servers
from benchmarks.client import wait_ready
from benchmarks.corpus import Corpus
from benchmarks.machine import describe_machine
from benchmarks.table import Row, note, render
from logstream.query import Everything
from logstream.store import open_store
from logstream.store.base import TimeRange
from logstream.testing.clickhouse_server import ClickHouseServer
from logstream.timestamps import MAX_TIMESTAMP_NS

RESULTS = Path(__file__).parent / "results" / "scale.json"
RECORDS_EACH = 2_000
STORED_TIMEOUT_S = 300.0
SETTLE_TIMEOUT_S = 120.0
SLICES = 4
ROLES = ("ingest", "redis", "worker", "store", "dashboard")


@dataclass(frozen=True, slots=True)
class Parts:
    """A running platform in parts: its folder, port and store URL, and the process trees of each
    role."""

    folder: Path
    port: int
    store_url: str
    pids: dict[str, tuple[int, ...]]

    def cpu_s(self) -> dict[str, float]:
        """CPU so far by role."""
        return {role: proc.cpu_s(pids) for role, pids in self.pids.items()}


@dataclass(frozen=True, slots=True)
class Round:
    """One bulk import: wall times from its start, core-µs a record by role, merges included."""

    records: int
    acknowledged_s: float
    stored_s: float
    core_us: dict[str, float]


@contextmanager
def parts(folder: Path, count: int) -> Iterator[Parts]:
    """``count`` ingestion processes and workers, a dashboard, and the servers they need.

    Raises:
        Unavailable: the `logstream` command is not installed in this environment.
    """
    if not servers.LOGSTREAM.exists():
        raise servers.Unavailable("the logstream command is not installed in this environment")
    folder.mkdir(parents=True)
    redis_port, port, dashboard_port, *worker_ports = servers.free_ports(3 + count)
    pids: dict[str, tuple[int, ...]] = {}
    with ExitStack() as stack:
        broker = f"disk://{(folder / 'broker').absolute()}"
        if shutil.which("redis-server"):
            broker = f"redis://127.0.0.1:{redis_port}/0"
            command = [
                "redis-server", "--port", str(redis_port), "--bind", "127.0.0.1",
                "--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec",
                "--save", "", "--maxmemory-policy", "noeviction",
            ]  # fmt: skip
            redis = stack.enter_context(servers.running(command, folder / "redis.log"))
            pids["redis"] = (redis.pid,)
        else:
            worker_ports = worker_ports[:1]
        server = ClickHouseServer(folder / "clickhouse")
        server.start()
        stack.callback(server.stop)
        store_url = server.url("logstream")
        pids["store"] = tuple(
            stat.pid
            for stat in proc.tree(os.getpid())
            if "clickhouse_http" in proc.command_line(stat.pid)
        )
        environment = {
            "LOGSTREAM_DATA_DIR": str(folder / "data"), "LOGSTREAM_BROKER": broker,
            "LOGSTREAM_STORE": store_url, "LOGSTREAM_INGEST_PORT": str(port),
            "LOGSTREAM_INGEST_PROCESSES": str(count), "LOGSTREAM_LOG_LEVEL": "warning",
            "LOGSTREAM_DASHBOARD_PORT": str(dashboard_port), "LOGSTREAM_RETENTION": "20y",
        }  # fmt: skip

        def start(role: str, own_port: int, **settings: str) -> None:
            log = folder / f"{role}-{own_port}.log"
            process = stack.enter_context(
                servers.running([servers.LOGSTREAM, role], log, env=environment | settings)
            )
            wait_ready(own_port, timeout_s=servers.READY_S, alive=lambda: process.poll() is None)
            pids[role] = (*pids.get(role, ()), process.pid)

        for worker_port in worker_ports:
            start("worker", worker_port, LOGSTREAM_WORKER_PORT=str(worker_port))
        start("ingest", port)
        start("dashboard", dashboard_port)
        yield Parts(folder, port, store_url, pids)


def import_once(running: Parts, sent: Corpus, *, stored_before: int) -> Round:
    """Send the corpus and wait until it is stored and merges have settled.

    Raises:
        TimeoutError: records are missing.
    """
    before = running.cpu_s()
    began_s = time.time()
    url = f"http://127.0.0.1:{running.port}/logs"
    result = load.bulk(url, sent, records_each=RECORDS_EACH).result()
    wanted = stored_before + result.records
    stored_at_s = asyncio.run(_stored(running.store_url, wanted))
    used = {role: cpu_s - before[role] for role, cpu_s in running.cpu_s().items()}
    # The others are idle by now, which is not nothing: only merges are waited for.
    servers.wait_settled(running.pids["store"], timeout_s=SETTLE_TIMEOUT_S)
    used["store"] = running.cpu_s()["store"] - before["store"]
    return Round(
        records=result.records,
        acknowledged_s=float(result.raw["elapsed_s"]),
        stored_s=stored_at_s - began_s,
        core_us={role: used[role] * 1e6 / result.records for role in ROLES if role in used},
    )


async def _stored(store_url: str, wanted: int) -> float:
    """When the store had so many records; it must not have more."""
    store = open_store(store_url)
    await store.start()
    everything = TimeRange(0, MAX_TIMESTAMP_NS + 1)
    deadline_s = time.monotonic() + STORED_TIMEOUT_S
    try:
        while True:
            rows = (await store.stats()).rows
            if rows >= wanted:
                at_s = time.time()
                page = await store.search(Everything(), everything, limit=1)
                if page.stats.matched != wanted:
                    raise RuntimeError(f"{page.stats.matched} records stored, {wanted} were sent")
                return at_s
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{rows} of {wanted} records stored")
            await asyncio.sleep(0.1)
    finally:
        await store.close()


def scale(folder: Path, sent: Corpus, counts: Sequence[int], *, seconds: float) -> Iterator[Row]:
    """Throughput and cost with each number of processes."""
    for count in counts:
        with parts(folder / f"n{count}", count) as running:
            area = f"{count} × ingestion, {len(running.pids['worker'])} × worker"
            done = import_once(running, sent, stored_before=0)
            yield from _told(area, done)
            yield from _complaints(area, running.folder)
            before = running.cpu_s()
            url = f"http://127.0.0.1:{running.port}/logs"
            single = load.single(url, seconds=seconds).result()
            used = {role: s - before[role] for role, s in running.cpu_s().items()}
            requests = max(int(single.raw["requests"]), 1)
            us = {role: s * 1e6 / requests for role, s in used.items()}
            yield note(
                area, "single logs, 64 connections",
                f"{single.requests_per_s:,.0f}/s, p99 {single.p99_ms:.0f} ms; core-µs each: "
                + _by_role(us),
                **single.raw, core_us=us,
            )  # fmt: skip


def growth(folder: Path, records: int, start: dt.datetime) -> Iterator[Row]:
    """What a record costs as the table grows: as many again and again, each time later ones."""
    each = records // SLICES
    with parts(folder / "growth", 1) as running:
        for number in range(SLICES):
            later = start + number * dt.timedelta(hours=1)
            sent = corpus.ensure(folder / f"corpus-{number}", each, later)
            done = import_once(running, sent, stored_before=number * each)
            what = f"records {number * each:,} to {(number + 1) * each:,}, core-µs each"
            yield note("as the table grows", what, _by_role(done.core_us), **asdict(done))
        yield from _complaints("as the table grows", running.folder)


def _told(area: str, done: Round) -> Iterator[Row]:
    yield note(
        area, "bulk NDJSON, records/s: acknowledged, stored",
        f"{done.records / done.acknowledged_s:,.0f}, {done.records / done.stored_s:,.0f}",
        **asdict(done),
    )  # fmt: skip
    yield note(area, "bulk NDJSON, core-µs a record", _by_role(done.core_us))


def _complaints(area: str, folder: Path) -> Iterator[Row]:
    """What the parts have warned of: the folder with their logs is gone afterwards."""
    for log in sorted(folder.glob("*.log")):
        for line in log.read_text(errors="replace").splitlines():
            if log.name != "redis.log" and (" WARNING " in line or " ERROR " in line):
                yield note(area, log.stem, line)


def _by_role(core_us: dict[str, float]) -> str:
    told = [f"{role} {core_us[role]:.2f}" for role in ROLES if role in core_us]
    return f"{', '.join(told)}; all {sum(core_us.values()):.2f}"


def main() -> int:
    """Measure and print; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--counts", default="1,2,4")
    parser.add_argument("--records", type=int, default=400_000)
    parser.add_argument("--seconds", type=float, default=5.0, help="of single logs, each round")
    parser.add_argument("--growth", type=int, default=2_000_000, help="records; 0: leave it out")
    parser.add_argument("--json", type=Path, default=RESULTS)
    given = parser.parse_args()
    console = Console()
    rows: list[Row] = []
    with servers.workspace(None) as folder:
        machine = describe_machine(folder)
        midnight = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        sent = corpus.ensure(folder / "corpus", given.records, midnight)
        counts = [int(each) for each in given.counts.split(",") if each]
        sections = [scale(folder, sent, counts, seconds=given.seconds)]
        if given.growth:
            sections.append(growth(folder, given.growth, midnight))
        for section in sections:
            for row in section:
                rows.append(row)
                console.print(f"{row.area}: {row.what}: {row.measured}")
    console.print(machine.describe())
    render(rows, console)
    result = {"machine": machine.to_json(), "rows": [row.to_json() for row in rows]}
    given.json.write_text(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
