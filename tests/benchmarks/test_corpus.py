"""The corpus: deterministic, in the shape and distribution it promises."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import corpus

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_same_seed_same_bytes() -> None:
    """Two generations of one chunk are equal, and another chunk differs."""
    first = corpus.record_lines(3, START)
    assert corpus.record_lines(3, START) == first
    assert corpus.record_lines(4, START) != first


def test_short_is_a_prefix_of_long() -> None:
    """Asking for fewer records gives the beginning of the longer corpus."""
    assert corpus.record_lines(0, START, 500) == corpus.record_lines(0, START)[:500]


def test_records_are_as_described() -> None:
    """Records are 37 µs apart, about 260 bytes long, with every field and the weights promised."""
    lines = corpus.record_lines(1, START)
    records = [json.loads(line) for line in lines]
    levels = Counter(record["level"] for record in records)
    assert 250 < sum(map(len, lines)) / len(lines) < 270
    assert records[2]["timestamp"] == "2026-01-01T00:00:00.370074Z"
    assert set(records[0]["attributes"]) == {"host", "region", "status", "duration_ms"}
    assert {len(record["trace_id"]) for record in records} == {32}
    assert {record["service"] for record in records} == set(corpus.SERVICES)
    assert levels["info"] / len(records) == pytest.approx(77 / 99.1, abs=0.02)
    assert levels["error"] / len(records) == pytest.approx(3 / 99.1, abs=0.01)


def test_bodies_cut_the_file_at_records(tmp_path: Path) -> None:
    """Bodies hold whole records, the asked number each, and add up to the file."""
    made = corpus.ensure(tmp_path, 12_000, START)
    bodies = [bytes(body) for body in made.bodies(2_000)]
    assert [body.count(b"\n") for body in bodies] == [2_000] * 6
    assert b"".join(bodies) == made.path.read_bytes()
    assert [bytes(body) for body in corpus.ensure(tmp_path, 12_000, START).bodies(2_000)] == bodies
    assert [bytes(body) for body in made.first(4_000).bodies(2_000)] == bodies[:2]


def test_bodies_off_the_index_are_refused(tmp_path: Path) -> None:
    """A body size that the index cannot serve raises ValueError."""
    made = corpus.ensure(tmp_path, 1_000, START)
    with pytest.raises(ValueError, match="multiple of 100"):
        list(made.bodies(150))


def test_single_logs_suit_both_apis() -> None:
    """One-log bodies carry the keys both compared servers take, attributes under `metadata`."""
    bodies = corpus.single_logs(3, START)
    assert [set(json.loads(body)) for body in bodies] == [
        {"level", "message", "service", "timestamp", "metadata"}
    ] * 3
