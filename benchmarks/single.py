"""Single-log requests: LogStream and the Express peer in turns, and LogStream under stress."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import load, proc, servers
from benchmarks.client import Client
from benchmarks.servers import Server
from benchmarks.stats import median
from benchmarks.table import Row, at_least, at_most, note, skipped

AREA = "single POST /logs"
RATIO_BAR = 6.0
P99_BAR_MS = 10.0
HEAVY_QUERY = "/a.*[0-9]{4}.*z|order.*7$/ | stats count() n by service"


def measure(server: Server, *, seconds: float) -> dict[str, Any]:
    """One turn at 64 connections, with the CPU that the server used per request."""
    before_s = proc.cpu_s(server.pids)
    result = load.single(server.logs_url, seconds=seconds).result()
    used_s = proc.cpu_s(server.pids) - before_s
    requests = max(int(result.raw["requests"]), 1)
    return {**result.raw, "server_us_per_request": used_s * 1e6 / requests}


def in_turns(contenders: list[Server], *, turns: int, seconds: float) -> dict[str, dict[str, Any]]:
    """Each contender measured `turns` times, alternating, after one short warm-up each.

    Returns, by server name, the turns themselves and the median of each figure.
    """
    for server in contenders:
        measure(server, seconds=min(seconds, 2.0))
    taken: dict[str, list[dict[str, Any]]] = {server.name: [] for server in contenders}
    for _ in range(turns):
        for server in contenders:
            taken[server.name].append(measure(server, seconds=seconds))
    return {name: {**medians(each), "turns": each} for name, each in taken.items()}


def medians(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """The middle value of each figure over the turns, and all statuses added up."""
    statuses: dict[str, int] = {}
    for turn in turns:
        for status, count in turn["statuses"].items():
            statuses[status] = statuses.get(status, 0) + count
    figures = ("requests_per_s", "generator_us_per_request", "server_us_per_request")
    return {
        **{name: median([turn[name] for turn in turns]) for name in figures},
        **{
            name: median([turn["latency"][name] for turn in turns]) for name in ("p50_ms", "p99_ms")
        },
        "statuses": statuses,
    }


def against_peer(folder: Path, *, turns: int, seconds: float) -> Iterator[Row]:
    """The ratio to the Express peer and the p99, both servers up, used in turns."""
    with servers.logstream_up(_fresh(folder, "up")) as ours:
        try:
            with servers.express_peer(_fresh(folder, "express")) as peer:
                figures = in_turns([ours, peer], turns=turns, seconds=seconds)
        except servers.Unavailable as reason:
            yield skipped(AREA, "ratio to Express + zod + BullMQ", str(reason))
            figures = in_turns([ours], turns=turns, seconds=seconds)
    mine = figures[ours.name]
    for name, its in figures.items():
        yield note(AREA, name, describe(its), **its)
    if len(figures) == 2:
        theirs = next(its for name, its in figures.items() if name != ours.name)
        ratio = mine["requests_per_s"] / theirs["requests_per_s"]
        yield at_least(AREA, "ratio to Express + zod + BullMQ", ratio, RATIO_BAR, "×")
    yield at_most(AREA, "p99, 64 connections", mine["p99_ms"], P99_BAR_MS, " ms")
    yield _only_accepted(mine)


def store_stopped(folder: Path, *, turns: int, seconds: float) -> Iterator[Row]:
    """Ingestion alone: nobody reads the broker."""
    with servers.logstream_ingest(_fresh(folder, "ingest")) as ours:
        mine = in_turns([ours], turns=turns, seconds=seconds)[ours.name]
    yield note(AREA, "store stopped", describe(mine), **mine)
    yield at_most(AREA, "p99, store stopped", mine["p99_ms"], P99_BAR_MS, " ms")


def under_heavy_query(server: Server, *, turns: int, seconds: float) -> Iterator[Row]:
    """While one client repeats a full scan by a regular expression; the store must hold data."""
    with repeating(server, HEAVY_QUERY) as durations_s:
        mine = in_turns([server], turns=turns, seconds=seconds)[server.name]
    mine["heavy_query_s"] = durations_s
    told = f"{describe(mine)}; {len(durations_s)} heavy queries meanwhile"
    yield note(AREA, "heavy query running", told, **mine)
    yield at_most(AREA, "p99, heavy query running", mine["p99_ms"], P99_BAR_MS, " ms")


@contextmanager
def repeating(server: Server, query: str) -> Iterator[list[float]]:
    """Ask `query` of everything stored, again and again, for the length of the block.

    Yields a list to which each finished query's time in seconds is added. A failed query ends the
    repetition and is raised at the end of the block.
    """
    stop = threading.Event()
    durations_s: list[float] = []
    failures: list[Exception] = []

    def ask() -> None:
        with Client(server.dashboard_port) as client:
            while not stop.is_set():
                asked = {"query": query, "from": "now-30d", "to": "now+1d"}
                try:
                    answer = client.get_json("/api/v1/search", asked)
                except (OSError, RuntimeError) as error:
                    failures.append(error)
                    return
                durations_s.append(float(answer["stats"]["elapsed_ms"]) / 1e3)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield durations_s
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]


def describe(figures: dict[str, Any]) -> str:
    """One line for people."""
    return (
        f"{figures['requests_per_s']:,.0f} requests/s, p50 {figures['p50_ms']:.1f} ms, "
        f"p99 {figures['p99_ms']:.1f} ms, {figures['server_us_per_request']:.0f} core-µs a request "
        f"(generator {figures['generator_us_per_request']:.0f})"
    )


def _only_accepted(figures: dict[str, Any]) -> Row:
    others = {status: n for status, n in figures["statuses"].items() if status != "202"}
    told = "every answer 202" if not others else f"other answers: {others}"
    return Row(AREA, "answers", "202 only", told, "missed" if others else "met")


def _fresh(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir(parents=True)
    return path
