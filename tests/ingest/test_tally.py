"""Numbers of requests are collected and written in one go."""

from __future__ import annotations

from logstream import metrics
from logstream.ingest.tally import Tally


def _value(name: str, **labels: str) -> float:
    found = [value for n, those, value in metrics.samples() if n == name and those == labels]
    return sum(found)


async def test_what_is_flushed_is_what_single_updates_would_have_said() -> None:
    """Counts, sums and every bucket agree with observing one by one."""
    seconds = [0.0004, 0.0005, 0.003, 0.003, 0.7, 99.0]
    names = [f"{bound:g}" for bound in (0.0005, 0.005, 1.0)]
    before = {
        "status": _value("logstream_ingest_requests_total", status="202"),
        "count": _value("logstream_ingest_request_seconds_count"),
        "sum": _value("logstream_ingest_request_seconds_sum"),
        "accepted": _value("logstream_records_accepted_total"),
        **{n: _bucket(n) for n in names},
    }
    tally = Tally()
    for one in seconds:
        tally.request(202, one)
        tally.accepted(2)
        tally.body(10)
    tally.flush()
    tally.flush()  # nothing is written twice
    assert _value("logstream_ingest_requests_total", status="202") == before["status"] + 6
    assert _value("logstream_ingest_request_seconds_count") == before["count"] + 6
    assert abs(_value("logstream_ingest_request_seconds_sum") - before["sum"] - sum(seconds)) < 1e-6
    assert _value("logstream_records_accepted_total") == before["accepted"] + 12
    assert [_bucket(n) - before[n] for n in names] == [2, 4, 5]


def _bucket(bound: str) -> float:
    return _value(
        "logstream_ingest_request_seconds_bucket", le=bound if "." in bound else bound + ".0"
    )
