"""The simulator's records: the same for the same seed, in order, correlated, and eventful."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice, takewhile
from typing import Any

import pytest

from logstream.severity import LEVELS
from logstream.simulate import SCENARIOS, events
from logstream.simulate.scenario import moment

START_NS = 1_700_000_000 * 10**9


def some(scenario: str = "steady", count: int = 3_000, rate: float = 500.0) -> list[dict[str, Any]]:
    """The first records of a scenario."""
    return list(islice(events(7, scenario, rate, START_NS), count))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_equal_seeds_give_equal_records(scenario: str) -> None:
    """Everything follows from the seed."""
    assert some(scenario) == some(scenario)
    assert some(scenario) != list(islice(events(8, scenario, 500.0, START_NS), 3_000))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_records_are_in_order_and_complete(scenario: str) -> None:
    """Times never go back; every record has level, service, message, host and version."""
    found = some(scenario)
    times = [event["timestamp"] for event in found]
    assert times == sorted(times)
    for event in found:
        assert event["level"] in LEVELS
        assert event["service"]
        assert event["message"]
        assert "%(" not in event["message"]
        assert event["host.name"].startswith(event["service"])


@pytest.mark.parametrize("rate", [5.0, 20_000.0])
def test_rate_is_kept(rate: float) -> None:
    """On average there are as many records a second as were asked for."""
    found = some(count=4_000, rate=rate)
    seconds = (found[-1]["timestamp"] - START_NS) / 1e9
    assert 0.8 < len(found) / seconds / rate < 1.2


def test_traces_run_through_services() -> None:
    """Records of one trace come from several services, and spans name their caller's span."""
    traces = defaultdict(list)
    for event in some():
        if "trace_id" in event:
            traces[event["trace_id"]].append(event)
    whole = [trace for trace in traces.values() if len(trace) > 2]
    assert len(whole) > 100
    assert all(len({event["service"] for event in trace}) > 1 for trace in whole)
    spans = {event["span_id"] for event in some() if "span_id" in event}
    parents = [event["parent_span_id"] for event in some(count=2_000) if "parent_span_id" in event]
    assert sum(parent in spans for parent in parents) > len(parents) * 0.95


def test_burst_and_wave_change_the_traffic() -> None:
    """Traffic rises and falls, and its mean over a cycle stays what was asked for."""
    for scenario in ("burst", "mixed"):
        traffic = [moment(scenario, s / 10).traffic for s in range(6_000)]
        assert max(traffic) > 2.4
        assert 0.95 < sum(traffic) / len(traffic) < 1.05


def test_deploy_changes_the_version_host_by_host() -> None:
    """During a deploy two versions run at once; errors rise for a while."""
    source = events(7, "deploy", 400.0, START_NS)
    found = list(takewhile(lambda e: e["timestamp"] < START_NS + 14 * 10**9, source))
    checkout = [event for event in found if event["service"] == "checkout"]
    hosts = defaultdict(set)
    for event in checkout:
        hosts[event["host.name"]].add(event["service.version"])
    assert all(versions == {"1.0.0", "1.1.0"} for versions in hosts.values())
    assert {e["service.version"] for e in found if e["service"] == "payment"} == {"1.0.0"}


def test_incident_cascades() -> None:
    """While the payment provider is away its callers fail too, with stack traces."""
    source = events(7, "incident", 400.0, START_NS)
    found = list(takewhile(lambda e: e["timestamp"] < START_NS + 25 * 10**9, source))
    during = [e for e in found if e["timestamp"] > START_NS + 8 * 10**9 and e["level"] == "error"]
    assert {"payment", "checkout", "gateway"} <= {event["service"] for event in during}
    assert any("Caused by:" in event.get("exception.stacktrace", "") for event in during)
    assert any(event.get("http.response.status_code") == 504 for event in during)


def test_impossible_plans_are_refused() -> None:
    """An unknown scenario or a rate of nothing is an error at once."""
    with pytest.raises(ValueError, match="nonsense"):
        events(1, "nonsense", 1.0, START_NS)
    with pytest.raises(ValueError, match="0 records"):
        events(1, "steady", 0, START_NS)
