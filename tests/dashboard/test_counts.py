"""Histogram, facets, fields and their values."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote as percent

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logstream.dashboard.histogram import AUTO_BUCKETS, auto_interval_ns
from logstream.dashboard.services import Services
from logstream.record import Record
from logstream.store.base import TimeRange
from logstream.testing.clock import FakeClock
from logstream.testing.query_strategies import any_text
from tests.dashboard.support import (
    NOW_NS,
    S,
    assert_error,
    make_services,
    open_client,
    store_records,
)

HISTOGRAM = "/api/v1/histogram"


async def test_histogram_fills_empty_buckets(
    client: httpx.AsyncClient, stored: Sequence[Record]
) -> None:
    """Buckets follow each other without gaps and add up to what matches, split by level."""
    answer = (await client.get(HISTOGRAM, params={"interval": "1m"})).json()
    assert answer["interval_s"] == 60
    assert len(answer["buckets"]) == 16  # the range starts and ends inside a minute
    assert [bucket["partial"] for bucket in answer["buckets"]] == [True, *[False] * 14, True]
    assert answer["total"] == sum(b["total"] for b in answer["buckets"]) == len(stored)
    assert answer["values"] == ["info", "warn", "error", "fatal"]
    assert any(bucket["counts"] == {} for bucket in answer["buckets"])


async def test_histogram_by_a_field(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """by= splits by any field, its commonest value first."""
    answer = (await client.get(HISTOGRAM, params={"by": "service", "query": "level:info"})).json()
    assert answer["values"] == ["api", "web"]
    assert answer["by"] == "service"


async def test_automatic_interval_keeps_to_120_buckets(
    client: httpx.AsyncClient, stored: Sequence[Record]
) -> None:
    """interval=auto, the default, never answers more than 120 buckets."""
    answer = (await client.get(HISTOGRAM)).json()
    assert answer["interval_s"] == 10
    assert len(answer["buckets"]) <= AUTO_BUCKETS


@given(start=st.integers(0, 2 * 10**18), length=st.integers(1, 2 * 10**18))
def test_auto_interval_always_fits(start: int, length: int) -> None:
    """Whatever the range, its buckets at the automatic interval are 120 at most."""
    between = TimeRange(start, start + length)
    width = auto_interval_ns(between)
    first = between.start_ns // width * width
    assert -(-(between.end_ns - first) // width) <= AUTO_BUCKETS


@pytest.mark.parametrize(
    ("interval", "text"), [("soon", "interval"), ("0s", "interval"), ("1ns", "more than")]
)
async def test_bad_intervals(client: httpx.AsyncClient, interval: str, text: str) -> None:
    """An interval that is none, or makes too many buckets, is refused."""
    response = await client.get(HISTOGRAM, params={"interval": interval})
    assert_error(response, 400, "bad_request", text)


async def test_facets_count_values(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """Each field asked for comes with its values, counts, and the filter that finds them."""
    answer = (await client.get("/api/v1/facets", params={"fields": "service,status"})).json()
    service, status = answer["facets"]
    assert service["field"] == "service"
    assert [(v["value"], v["count"]) for v in service["values"]] == [
        ("api", 3),
        ("db", 2),
        ("web", 1),
    ]
    assert [(v["value"], v["count"]) for v in status["values"]] == [("200", 3), ("502", 1)]
    found = await client.get("/api/v1/search", params={"query": service["values"][1]["filter"]})
    assert found.json()["stats"]["matched"] == 2


async def test_facet_names_may_hold_commas(client: httpx.AsyncClient, services: Services) -> None:
    """A quoted name keeps its comma; a bare attribute key is taken as it is."""
    record = Record(timestamp_ns=NOW_NS - 1, attributes={"a,b": "1", "c d": "2"})
    await store_records(services.store, [record])
    answer = (await client.get("/api/v1/facets", params={"fields": '"a,b",c d'})).json()
    assert [facet["field"] for facet in answer["facets"]] == ['"a,b"', '"c d"']
    assert all(facet["values"][0]["count"] == 1 for facet in answer["facets"])


async def test_too_many_facets_are_refused(client: httpx.AsyncClient) -> None:
    """More than fifty fields at once are refused."""
    names = ",".join(f"f{i}" for i in range(51))
    response = await client.get("/api/v1/facets", params={"fields": names})
    assert_error(response, 400, "bad_request", "too many")


async def test_fields_that_occur(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """The fields of the matching records come with counts, as queries would write them."""
    answer = (await client.get("/api/v1/fields")).json()
    counts = {field["name"]: field["count"] for field in answer["fields"]}
    assert counts["status"] == 4
    assert counts['"a/b c"'] == 1


async def test_values_by_prefix(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """Only values that start with the prefix come back."""
    answer = await client.get("/api/v1/fields/status/values", params={"prefix": "5"})
    assert [value["value"] for value in answer.json()["values"]] == ["502"]


@pytest.mark.parametrize("written", ["a%2Fb%20c", "a/b%20c", "%22a%2Fb%20c%22", "a%2Fb+c"])
async def test_field_names_in_paths(
    client: httpx.AsyncClient, stored: Sequence[Record], written: str
) -> None:
    """A field with slashes and spaces is found however its path was encoded; + is a plus."""
    answer = await client.get(f"/api/v1/fields/{written}/values")
    assert answer.status_code == 200, answer.text
    values = [value["value"] for value in answer.json()["values"]]
    assert values == ([] if "+" in written else ["x,y"])


@settings(max_examples=15)
@given(key=any_text(12).filter(lambda key: key != ""), value=any_text(12))
async def test_any_field_and_value_round_trips(key: str, value: str) -> None:
    """Any attribute can be asked for in the path, and the filter answered finds its record."""
    async with make_services(clock=FakeClock(NOW_NS)) as services:
        record = Record(timestamp_ns=NOW_NS - 1, attributes={key: value})
        await store_records(services.store, [record, Record(timestamp_ns=NOW_NS - S)])
        async with open_client(services) as client:
            fields = (await client.get("/api/v1/fields")).json()["fields"]
            (name,) = [f["name"] for f in fields if f["count"] == 1]
            url = f"/api/v1/fields/{percent(name, safe='').replace('.', '%2E')}/values"
            (found,) = (await client.get(url)).json()["values"]
            assert found["value"] == value
            matches = await client.post("/api/v1/search", json={"query": found["filter"]})
            assert [r["attributes"] for r in matches.json()["records"]] == [{key: value}]
