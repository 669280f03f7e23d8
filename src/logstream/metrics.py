"""Every number LogStream reports about itself, one row each, in Prometheus's terms.

The processes of one platform report together: where ``PROMETHEUS_MULTIPROC_DIR`` names a folder,
each process keeps its numbers in a file of its own there and `render` adds them all up, so any
port answers for the whole platform. prometheus_client looks at that variable when it is imported,
which is why the command line sets it before anything imports this module. A process that was
killed leaves its counts behind; nothing is counted twice.

Label values come from small fixed sets (a reason, a stage), never from what users send.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Iterator, Sequence

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_FAST_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# Close together around the default flush interval of 1 s, where quantiles are read off.
_SEARCHABLE_S = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 30, 120)
_ROWS = (1, 10, 100, 1_000, 5_000, 10_000, 50_000, 100_000, 250_000, 500_000, 1_000_000)


def _latest(name: str, help: str, labels: tuple[str, ...] = ()) -> Gauge:
    return Gauge(name, help, labels, multiprocess_mode="mostrecent")


# Ingestion

INGEST_REQUESTS = Counter(
    "logstream_ingest_requests", "Requests to the ingestion API, by HTTP status.", ("status",)
)
INGEST_SECONDS = Histogram(
    "logstream_ingest_request_seconds",
    "Time from a request's first byte to its answer.",
    buckets=_FAST_S,
)
INGEST_BYTES = Counter("logstream_ingest_bytes", "Bytes of request bodies, decompressed.")
RECORDS_ACCEPTED = Counter("logstream_records_accepted", "Records acknowledged.")
RECORDS_REJECTED = Counter(
    "logstream_records_rejected", "Records refused in an answer, by reason.", ("reason",)
)
REQUESTS_REPEATED = Counter(
    "logstream_ingest_repeated_requests",
    "Requests whose Idempotency-Key had been seen, answered again and not stored again.",
)

# Broker

BROKER_COMMITS = Counter("logstream_broker_commits", "Group commits (one fsync each).")
BROKER_COMMIT_SECONDS = Histogram(
    "logstream_broker_commit_seconds", "Time of one group commit.", buckets=_FAST_S
)
BROKER_ENTRIES = _latest("logstream_broker_entries", "Entries not yet in the store.")
BROKER_ROWS = _latest("logstream_broker_records", "Records not yet in the store.")
BROKER_BYTES = _latest("logstream_broker_bytes", "Bytes not yet in the store.")
BROKER_CAPACITY_BYTES = _latest("logstream_broker_capacity_bytes", "High-water mark.")
BROKER_OLDEST_SECONDS = _latest("logstream_broker_oldest_seconds", "Age of the oldest entry.")
BROKER_QUARANTINED = _latest(
    "logstream_broker_quarantined", "Corrupt stretches of broker files set aside."
)
DEAD_LETTERS = _latest("logstream_dead_letters", "Dead letters waiting for somebody to look.")

# Worker

GROUPS = Counter(
    "logstream_worker_groups",
    "Groups written to the store, by why they were written then: rows, bytes, age, replay, stop.",
    ("reason",),
)
GROUP_ROWS = Histogram("logstream_worker_group_records", "Records in one group.", buckets=_ROWS)
INSERT_SECONDS = Histogram(
    "logstream_worker_insert_seconds", "Time of one insert into the store.", buckets=_FAST_S
)
RECORDS_STORED = Counter("logstream_records_stored", "Records written to the store.")
RECORDS_DEAD = Counter(
    "logstream_records_dead_lettered", "Records the store would not take, by reason.", ("reason",)
)
WAITING_SECONDS = Gauge(
    "logstream_worker_waiting_seconds",
    "How long a worker has waited for an answer, once it is over 5 s, by what it waits for.",
    ("on",),
    multiprocess_mode="livemax",
)
INSERT_RETRIES = Counter(
    "logstream_worker_insert_retries", "Inserts tried again, by reason.", ("reason",)
)
ENTRIES_REPEATED = Counter(
    "logstream_worker_repeated_entries", "Entries left out because their request was repeated."
)
SEARCHABLE_SECONDS = Histogram(
    "logstream_searchable_seconds",
    "Time from receiving an entry to its records being searchable.",
    buckets=_SEARCHABLE_S,
)

# Store

STORE_ROWS = _latest("logstream_store_records", "Records in the store.")
STORE_BYTES = _latest("logstream_store_bytes", "Bytes of the store on disk.")
RETENTION_DAYS = Counter("logstream_retention_dropped_days", "Days dropped by retention.")
QUERIES = Counter("logstream_queries", "Queries, by kind and outcome.", ("kind", "outcome"))
QUERY_SECONDS = Histogram(
    "logstream_query_seconds", "Time of one query, by kind.", ("kind",), buckets=_FAST_S
)

# Dashboard

SHARES_DROPPED = Counter(
    "logstream_dashboard_dropped_shares", "Short links that went for newer ones or for their age."
)

# Live tail

TAILS = Gauge("logstream_tails", "Live tails open now.", multiprocess_mode="livesum")
TAIL_RECORDS = Counter("logstream_tail_records", "Records sent to live tails.")
TAIL_DROPPED = Counter(
    "logstream_tail_dropped_records", "Matching records not sent to a tail that was too slow."
)
TAIL_FAILURES = Counter(
    "logstream_tail_failures",
    "Errors nobody expected that ended following the broker, which then began anew, or one tail.",
)


def observe_all(histogram: Histogram, values: Sequence[float]) -> None:
    """Observe many values at the price of one: each bucket is written once."""
    bounds = histogram._upper_bounds  # the library has no call for this
    for bound, count in Counts(bisect_left(bounds, value) for value in values).items():
        histogram._buckets[bound].inc(count)
    if values:
        histogram._sum.inc(sum(values))


def render() -> bytes:
    """The Prometheus text exposition of all processes of this platform."""
    return bytes(generate_latest(_registry()))


def samples() -> Iterator[tuple[str, dict[str, str], float]]:
    """Every sample of all processes: (name, labels, value)."""
    for family in _registry().collect():
        for sample in family.samples:
            yield sample.name, dict(sample.labels), sample.value


def _registry() -> CollectorRegistry:
    if DIRECTORY_VARIABLE not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
