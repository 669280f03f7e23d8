"""Query times over a large store, asked through the dashboard's API as its front end does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks.client import Client
from benchmarks.corpus import Corpus
from benchmarks.servers import Server
from benchmarks.stats import median
from benchmarks.table import Row, at_most, note

REPEATS = 7


@dataclass(frozen=True, slots=True)
class Question:
    """One measured question; `bar_ms` is VictoriaLogs's time over 10 M of the same records."""

    what: str
    bar_ms: float
    query: str
    path: str = "/api/v1/search"
    extra: tuple[tuple[str, str | int], ...] = ()


def questions(trace_id: str) -> tuple[Question, ...]:
    """The list, with the trace id of one stored record filled in.

    Pages of records are asked for as the dashboard's own pages do it, without counting all that
    match (`COUNTED` are those whose count costs more than the page).
    """
    newest = (("limit", 50), ("count", "false"))
    return (
        Question("count of a word", 500, "timeout | stats count() n"),
        Question("count of a phrase", 600, '"slow query took" | stats count() n'),
        Question("errors by service", 70, "level:error | stats count() n by service"),
        Question(
            "histogram of all by 10 s and level",
            400,
            "",
            "/api/v1/histogram",
            (("interval", "10s"),),
        ),
        Question("newest 50 of a rare word and an attribute", 50, "killed region:eu", extra=newest),
        Question("one trace id", 20, f"trace_id:{trace_id}", extra=newest),
        Question("count of a regex", 550, r"/took 4\d{3}ms on table/ | stats count() n"),
        Question("newest 50 of everything", 30, "", extra=newest),
        Question("newest 50 of one level", 30, "level:error", extra=newest),
    )


COUNTED = ("killed region:eu", "level:error")
"""Queries whose newest 50 are also asked for with the number of all that match."""

EXPLORE_BAR_MS = 400.0
EXPLORE: tuple[tuple[str, tuple[tuple[str, str | int], ...]], ...] = (
    ("/api/v1/search", (("limit", 50), ("count", "false"))),
    ("/api/v1/histogram", ()),
    ("/api/v1/facets", ()),
)


def measure(server: Server, corpus: Corpus) -> Iterator[Row]:
    """The median of `REPEATS` answers to each question, the first (cold) one kept beside it."""
    area = f"queries, {corpus.records / 1e6:g} M records"
    span = {"from": corpus.start.isoformat(), "to": corpus.end.isoformat()}
    with Client(server.dashboard_port) as client:
        for question in questions(trace_of(corpus)):
            parameters = {"query": question.query, **span, **dict(question.extra)}
            times_ms, answer = repeated(client, question.path, parameters)
            raw = {
                "times_ms": times_ms,
                "query": question.query,
                "engine_ms": answer.get("stats", {}).get("elapsed_ms"),
                "rows": len(answer.get("records", ())),
            }
            yield at_most(area, question.what, median(times_ms), question.bar_ms, " ms", **raw)
        for query in COUNTED:
            parameters = {"query": query, **span, "limit": 50}
            times_ms, answer = repeated(client, "/api/v1/search", parameters)
            told = f"{median(times_ms):.0f} ms, {answer['stats']['matched']:,} match"
            yield note(area, f"newest 50 of {query}, all counted", told, times_ms=times_ms)
    times_ms = [explore_ms(server, span) for _ in range(REPEATS)]
    what = "first page: rows + histogram + facets"
    yield at_most(area, what, median(times_ms), EXPLORE_BAR_MS, " ms", times_ms=times_ms)


def repeated(
    client: Client, path: str, parameters: dict[str, str | int]
) -> tuple[list[float], dict[str, Any]]:
    """The wall time in ms of each of `REPEATS` answers, and the last answer."""
    times_ms = []
    for _ in range(REPEATS):
        began_ns = time.perf_counter_ns()
        answer = client.get_json(path, parameters)
        times_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
    return times_ms, answer


def explore_ms(server: Server, span: dict[str, str]) -> float:
    """Wall time until the three parts of an Explore view, asked at once, have all answered."""

    def ask(part: tuple[str, tuple[tuple[str, str | int], ...]]) -> None:
        path, extra = part
        with Client(server.dashboard_port) as client:
            client.get_json(path, {"query": "", **span, **dict(extra)})

    began_ns = time.perf_counter_ns()
    with ThreadPoolExecutor(len(EXPLORE)) as pool:
        list(pool.map(ask, EXPLORE))
    return (time.perf_counter_ns() - began_ns) / 1e6


def trace_of(corpus: Corpus) -> str:
    """The trace id of the record in the middle of the corpus."""
    middle = corpus.offsets[len(corpus.offsets) // 2]
    with corpus.path.open("rb") as file:
        file.seek(middle if middle < corpus.size_bytes else 0)
        return str(json.loads(file.readline())["trace_id"])
