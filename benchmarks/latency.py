"""From acknowledged to searchable, and how many database writes batching saves."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from benchmarks import load
from benchmarks.client import Client
from benchmarks.servers import Server
from benchmarks.stats import summarise
from benchmarks.table import Row, at_least, at_most, note, skipped

AREA = "freshness"
SEARCHABLE_P99_BAR_MS = 1500.0
WRITES_SAVED_BAR = 99.9
PROBE_EVERY_S = 0.05
POLL_EVERY_S = 0.02
# How long a probe may stay unseen before it counts as lost.
GIVE_UP_S = 10.0
# What the worker counts: records written, and inserts made for them.
INSERTS_METRIC = "logstream_worker_insert_seconds_count"
ROWS_METRIC = "logstream_records_stored_total"


class Prober:
    """Posts single logs and watches for them in search, each on a connection of its own.

    The time from an acknowledgement to the *end* of the first search that shows the log is an
    upper limit of the true one: it includes that search and up to one polling interval.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._service = f"probe-{uuid.uuid4().hex[:12]}"
        self._waiting: dict[str, int] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.delays_ns: list[int] = []
        self.searches = 0

    def run(self, seconds: float) -> int:
        """Probe for `seconds`; returns how many probes were never seen."""
        poster = threading.Thread(target=self._post_all, args=(seconds,), daemon=True)
        poster.start()
        deadline = time.monotonic() + seconds + GIVE_UP_S
        with Client(self._server.dashboard_port) as client:
            while time.monotonic() < deadline and (poster.is_alive() or self._waiting):
                self._look(client)
                time.sleep(POLL_EVERY_S)
        self._stop.set()
        poster.join()
        return len(self._waiting)

    def _post_all(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with Client(self._server.port) as client:
            while time.monotonic() < deadline and not self._stop.is_set():
                name = uuid.uuid4().hex
                now = dt.datetime.now(dt.UTC).isoformat()
                log = {"level": "info", "message": name, "service": self._service}
                client.post_log({**log, "timestamp": now})
                with self._lock:
                    self._waiting[name] = time.perf_counter_ns()
                time.sleep(PROBE_EVERY_S)

    def _look(self, client: Client) -> None:
        asked = {"query": f"service:{self._service}", "from": "now-30s", "to": "now+5s"}
        answer = client.get_json("/api/v1/search", {**asked, "limit": 200})
        seen_ns = time.perf_counter_ns()
        self.searches += 1
        with self._lock:
            for record in answer["records"]:
                sent_ns = self._waiting.pop(record["message"], None)
                if sent_ns is not None:
                    self.delays_ns.append(max(seen_ns - sent_ns, 0))


def measure(server: Server, corpus_file: Path, *, seconds: float, rate: int) -> Iterator[Row]:
    """Probe a server that takes `rate` records per second meanwhile."""
    running = load.live(server.logs_url, corpus_file, rate=rate, seconds=seconds + 2)
    time.sleep(1.0)
    with Client(server.port) as client:
        before = client.metrics()
        prober = Prober(server)
        lost = prober.run(seconds)
        after = client.metrics()
    result = running.result()
    delays = summarise(prober.delays_ns)
    raw = {**delays.to_json(), "searches": prober.searches, "load": result.raw}
    what = f"acknowledged → searchable, p99 at {rate:,} records/s"
    yield at_most(AREA, what, delays.p99_ms, SEARCHABLE_P99_BAR_MS, " ms", **raw)
    told = f"{delays.count} probes, p50 {delays.p50_ms:.0f} ms, max {delays.max_ms:.0f} ms"
    yield note(AREA, "probes", f"{told}, never seen {lost}")
    latency = result.raw["latency"]
    reached = float(result.raw["records_per_s"])
    yield note(
        AREA,
        "bodies of 100 records, on schedule",
        f"{reached:,.0f} records/s, p50 {latency['p50_ms']:.1f} ms, p99 {latency['p99_ms']:.1f} ms,"
        f" generator {result.generator_us / 100:.2f} core-µs a record",
    )
    yield writes_saved(before, after, rate)


def writes_saved(before: dict[str, float], after: dict[str, float], rate: int) -> Row:
    """1 − inserts/records between two readings of `/metrics`."""
    what = f"database writes saved at {rate:,} records/s"
    inserts = after.get(INSERTS_METRIC, 0.0) - before.get(INSERTS_METRIC, 0.0)
    written = after.get(ROWS_METRIC, 0.0) - before.get(ROWS_METRIC, 0.0)
    if not written:
        return skipped(AREA, what, f"/metrics counts no {ROWS_METRIC}")
    raw = {"inserts": inserts, "records": written}
    return at_least(AREA, what, 100 * (1 - inserts / written), WRITES_SAVED_BAR, " %", **raw)
