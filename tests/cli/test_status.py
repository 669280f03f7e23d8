"""What `logstream status` says of a pipeline."""

from __future__ import annotations

from typing import Any

from logstream.cli.status import describe

PIPELINE: dict[str, Any] = {
    "stages": [
        {"name": "receive", "records_per_s": 1234.4},
        {"name": "database", "records_per_s": None},
    ],
    "queue": {
        "records": 1500, "bytes": 2048, "capacity_bytes": 1 << 30, "fill": 0.015,
        "oldest_age_s": 0.25, "durability": "disk: fsynced",
    },
    "batch": {
        "size_p50": 5000.0, "insert_p50_s": 0.02, "insert_p95_s": None, "writes_saved": 0.9998,
    },
    "storage": {
        "records": 10, "bytes": 400, "bytes_per_record": 40.0, "disk_free_bytes": 5 << 40,
        "retention_s": 2_592_000.0,
    },
    "rejected": [{"reason": "bad_json", "total": 2}],
    "retried": [],
    "dead_lettered": [],
    "warnings": [{"severity": "warning", "message": "the queue grows", "change": "see the log"}],
}  # fmt: skip


def test_a_pipeline_reads_as_sentences() -> None:
    """Rates, sizes and shares carry their units; what is not known is a dash."""
    assert dict(describe(PIPELINE)) == {
        "flow": "receive 1,234/s → database —",
        "queue": "1,500 records, 2.0 KiB of 1.0 GiB (1.5%), oldest 250 ms; disk: fsynced",
        "batches": "p50 5,000 records, insert p50 20 ms p95 —, writes saved 99.98%",
        "storage": "10 records, 400 B (40 B each), 5.0 TiB free, kept 30d",
        "rejected": "2 bad_json",
        "warning": "the queue grows: see the log",
    }


def test_a_store_that_is_down_leaves_the_rest() -> None:
    """Parts the dashboard could not ask are left out."""
    shown = dict(describe({**PIPELINE, "queue": None, "storage": None}))
    assert "queue" not in shown
    assert "batches" in shown
