"""The capacity model: it grows with the rate, and the documentation shows what it says."""

from __future__ import annotations

from pathlib import Path

from benchmarks.capacity import RATES, Assumptions, Costs, needs, table

DOCS = Path(__file__).parents[2] / "docs" / "scale.md"


def test_small_rates_need_one_of_each() -> None:
    """Nothing is ever less than one."""
    least = needs(1)
    assert (least.ingest_processes, least.workers, least.redis_shards, least.store_shards) == (
        1, 1, 1, 1,
    )  # fmt: skip


def test_needs_grow_with_the_rate() -> None:
    """Ten times the records take about ten times of everything, once there is more than one."""
    one, ten = needs(10_000_000), needs(100_000_000)
    for name in ("ingest_processes", "redis_shards", "workers", "store_shards"):
        ratio = getattr(ten, name) / getattr(one, name)
        assert 7 <= ratio <= 10, name
    assert ten.disk_bytes_per_day == 10 * one.disk_bytes_per_day


def test_costs_and_assumptions_count() -> None:
    """Dearer records take more processes, a longer outage more Redis, replicas more disk."""
    base = needs(1_000_000)
    assert needs(1_000_000, Costs(ingest=34.0)).ingest_processes > base.ingest_processes
    longer = needs(1_000_000, assume=Assumptions(outage_s=6_000.0))
    assert longer.redis_shards > base.redis_shards
    alone = needs(1_000_000, assume=Assumptions(store_replicas=1))
    assert alone.disk_bytes_per_day == base.disk_bytes_per_day / 2


def test_the_documentation_shows_the_model() -> None:
    """docs/scale.md has the table that `python -m benchmarks.capacity` prints, costs included."""
    text = DOCS.read_text()
    for line in table(RATES):
        assert line in text, f"print it again: python -m benchmarks.capacity\n{line}"
    costs = Costs()
    for name in Costs.__slots__:
        assert f"| {name} | {getattr(costs, name):g} |" in text, name
