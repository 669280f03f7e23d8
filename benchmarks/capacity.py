"""How many processes, shards and bytes a rate of records takes: the model behind docs/scale.md.

    python -m benchmarks.capacity [RATE …]

Pure arithmetic on measured costs; what is assumed is in `Assumptions`, one line each.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from math import ceil
from typing import Final

RATES: Final = (10_000, 100_000, 1_000_000, 10_000_000)
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Costs:
    """Core-µs a record, as `benchmarks.scale` measures them with bulk requests."""

    ingest: float = 4.0
    redis: float = 1.4
    worker: float = 2.5
    store: float = 4.6
    follow: float = 0.65


@dataclass(frozen=True, slots=True)
class Assumptions:
    """``busy``: how much of a core is planned for, the rest is for peaks; ``query_share``: what
    of a ClickHouse server's cores is left for queries; bytes are a record's, as sent, in the
    broker, on disk; ``outage_s``: how long the store may be away before senders are refused."""

    busy: float = 0.6
    query_share: float = 0.5
    server_cores: int = 16
    sent_bytes: float = 260.0
    broker_bytes: float = 118.0
    disk_bytes: float = 39.0
    store_replicas: int = 2
    redis_replicas: int = 2
    redis_shard_bytes: float = 16e9
    redis_shard_bytes_per_s: float = 100e6
    outage_s: float = 600.0
    group_rows: int = 200_000
    flush_interval_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Needs:
    """What one rate takes. Network in bits/s, all directions added up at Redis."""

    rate: int
    ingest_processes: int
    redis_shards: int
    redis_backlog_bytes: float
    workers: int
    store_shards: int
    disk_bytes_per_day: float
    ingest_bits_per_s: float
    redis_bits_per_s: float
    inserts_per_shard_s: float


def needs(rate: int, costs: Costs = Costs(), assume: Assumptions = Assumptions()) -> Needs:
    """What ``rate`` records a second take."""
    per_core = assume.busy * 1e6
    workers = max(ceil(rate * costs.worker / per_core), 1)
    store_cores = rate * costs.store / (1e6 * assume.busy * (1 - assume.query_share))
    # A replica fetches and merges parts: nearly the work of inserting them.
    store_shards = max(ceil(store_cores / assume.server_cores), 1)
    backlog = rate * assume.broker_bytes * assume.outage_s
    redis_shards = max(
        ceil(rate * costs.redis / per_core),
        ceil(backlog / assume.redis_shard_bytes),
        ceil(rate * assume.broker_bytes / assume.redis_shard_bytes_per_s),
    )
    # A worker writes when a group is full, or once in an interval when it is not.
    inserts_s = max(rate / assume.group_rows, workers / assume.flush_interval_s)
    # In: once and to each replica. Out: to a worker, and to the one dashboard that follows.
    redis_times = 1 + (assume.redis_replicas - 1) + 2
    return Needs(
        rate=rate,
        ingest_processes=max(ceil(rate * costs.ingest / per_core), 1),
        redis_shards=redis_shards,
        redis_backlog_bytes=backlog,
        workers=workers,
        store_shards=store_shards,
        disk_bytes_per_day=rate * DAY_S * assume.disk_bytes * assume.store_replicas,
        ingest_bits_per_s=rate * assume.sent_bytes * 8,
        redis_bits_per_s=rate * assume.broker_bytes * 8 * redis_times,
        inserts_per_shard_s=inserts_s / store_shards,
    )


HEAD: Final = (
    "records/s", "ingestion processes", "Redis shards", "kept by Redis in 10 min", "workers",
    "ClickHouse shards", "disk a day, 2 replicas", "network in", "network at Redis",
    "inserts/s a shard",
)  # fmt: skip


def table(rates: tuple[int, ...] = RATES) -> list[str]:
    """The capacity table as Markdown lines."""
    lines = [f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    for rate in rates:
        found = needs(rate)
        cells = (
            _thousands(rate), _thousands(found.ingest_processes), str(found.redis_shards),
            _scaled(found.redis_backlog_bytes, "B"), _thousands(found.workers),
            str(found.store_shards), _scaled(found.disk_bytes_per_day, "B"),
            _scaled(found.ingest_bits_per_s, "bit/s"), _scaled(found.redis_bits_per_s, "bit/s"),
            f"{found.inserts_per_shard_s:.2g}",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _thousands(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def _scaled(value: float, unit: str) -> str:
    for prefix, size in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if value >= size:
            return f"{value / size:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


if __name__ == "__main__":
    print("\n".join(table(tuple(map(int, sys.argv[1:])) or RATES)))
