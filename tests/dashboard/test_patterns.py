"""Patterns over the API: honest numbers, on memory, on chDB, and where a store cannot count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logstream.dashboard import pattern_sample, patterns
from logstream.dashboard.pattern_sample import slices
from logstream.dashboard.services import Services
from logstream.query import parse
from logstream.query.evaluate import predicate
from logstream.record import Record
from logstream.store.base import HistogramBucket, Store, TimeRange
from logstream.store.clickhouse.driver import chdb_client
from logstream.store.clickhouse.store import ClickHouseStore
from logstream.store.memory import MemoryStore
from logstream.testing.clock import FakeClock
from logstream.timestamps import format_timestamp
from tests.dashboard.support import (
    NOW_NS,
    S,
    assert_error,
    make_services,
    open_client,
    store_records,
)

PATTERNS = "/api/v1/patterns"


class Uncounting(MemoryStore):
    """A store that cannot count by patterns, as MongoDB's."""

    count_patterns = Store.count_patterns


@pytest.fixture(params=["memory", "chdb", "cannot count"])
async def services(
    request: pytest.FixtureRequest, clock: FakeClock, tmp_path: Path
) -> AsyncIterator[Services]:
    store: Store = MemoryStore()
    if request.param == "chdb":
        store = ClickHouseStore(chdb_client(tmp_path / "store", memory_bytes=0))
    elif request.param == "cannot count":
        store = Uncounting()
    async with make_services(clock=clock, store=store) as made:
        yield made


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(services) as opened:
        yield opened


def log(ago_s: float, message: str, level: str = "info", service: str = "api") -> Record:
    number = {"info": 9, "error": 17}[level]
    return Record(
        timestamp_ns=NOW_NS - int(ago_s * S),
        message=message,
        level=level,
        severity_number=number,
        service=service,
    )


def mix() -> list[Record]:
    """In the last 10 minutes 60 requests and 6 errors; in the 10 before 30 requests alone."""
    return [
        *(log(1_190 - n * 10, f"GET /a/{n} took {n}ms") for n in range(30)),
        *(log(590 - n * 9, f"GET /a/{n} took {n}ms", service="web" * (n % 2)) for n in range(60)),
        *(log(100 - n, f"cannot reach 10.0.0.{n}", "error") for n in range(6)),
    ]


async def ask(client: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    response = await client.get(PATTERNS, params={"from": "now-10m", **params})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_patterns_are_counted_and_compared(
    client: httpx.AsyncClient, services: Services
) -> None:
    """Each has its count, levels, services, times and series, and how it was just before."""
    await store_records(services.store, mix())
    answer = await ask(client)
    assert (answer["matched"], answer["sampled"], answer["previous_matched"]) == (66, 66, 30)
    assert answer["exact"] is (type(services.store) is not Uncounting)
    requests, errors = answer["patterns"]
    assert requests["template"] == "GET /a/<num> took <duration>"
    assert (requests["count"], requests["previous"], requests["change"]) == (60, 30, 1.0)
    assert (requests["new"], errors["new"]) == (False, True)
    assert (errors["count"], errors["levels"], errors["change"]) == (6, {"error": 6}, None)
    assert requests["share"] + errors["share"] == pytest.approx(1)
    assert [each["count"] for each in requests["services"]] == [30, 30]
    assert errors["tokens"][0]["kind"] == "ip"
    assert len(errors["tokens"][0]["values"]) == 6
    assert errors["first_seen"] < errors["last_seen"]
    assert sum(requests["series"]) == 60
    assert len(requests["series"]) == len(answer["starts"]) <= 48
    assert answer["other"]["count"] == 0


async def test_a_filter_finds_what_was_counted(
    client: httpx.AsyncClient, services: Services
) -> None:
    """Added to a query as it is, a pattern's filter finds as many records as it was said to."""
    await store_records(services.store, [*mix(), log(5, "took\t9 of GET /a/x\n")])
    for each in (await ask(client))["patterns"]:
        found = await client.get(
            "/api/v1/search", params={"query": each["filter"], "from": "now-10m"}
        )
        assert found.json()["stats"]["matched"] == each["count"]


_WORDS = st.sampled_from(
    ["user", "took", "17", "5ms", "10.0.0.1", "/a/b", "x=1", "x=b", "in", "\n"]
)


@given(st.lists(st.lists(_WORDS, min_size=1, max_size=4).map(" ".join), min_size=1, max_size=25))
@example(["\n \n 10.0.0.1", "17", "10.0.0.1"])
@settings(max_examples=30, deadline=None)
def test_numbers_are_those_of_the_records_that_filters_find(messages: list[str]) -> None:
    """A pattern's count and times are those of the records that its filter finds and none of a
    pattern with more text; together with the rest they are all records."""
    rows = [log(500 - n, each) for n, each in enumerate(messages)]

    async def asked() -> dict[str, Any]:
        async with make_services(clock=FakeClock(NOW_NS)) as made, open_client(made) as client:
            await store_records(made.store, rows)
            return await ask(client)

    answer = asyncio.run(asked())
    left = rows
    for each in sorted(answer["patterns"], key=_most_text_first):
        keep = predicate(parse(each["filter"]).filter)
        found, left = [row for row in left if keep(row)], [row for row in left if not keep(row)]
        times = [format_timestamp(row.timestamp_ns) for row in found]
        assert each["count"] == len(found)
        assert [each["first_seen"], each["last_seen"]] == [min(times), max(times)]
    assert answer["other"]["count"] == len(left)


def _most_text_first(pattern: dict[str, Any]) -> tuple[int, str]:
    text = sum(len(part["text"]) for part in pattern["parts"])
    return -text, str(parse(pattern["filter"]).filter)


async def test_every_store_counts_alike(client: httpx.AsyncClient, services: Services) -> None:
    """White space, line ends and letters beyond ASCII are read by all engines as by queries."""
    odd = [
        "a\vb 1",
        "a\vb 2",
        "end 3\n",
        "end 4",
        "  in 5",
        "größe 6µs",
        "größe 7µs",
        "x\0 8",
        "\t",
    ]
    await store_records(services.store, [log(9 - n, each) for n, each in enumerate(odd)])
    answer = await ask(client)
    assert answer["other"]["count"] == 0
    assert sum(each["count"] for each in answer["patterns"]) == len(odd)
    assert {each["template"]: each["count"] for each in answer["patterns"]}["a\vb <num>"] == 2


async def test_only_the_query_is_looked_at(client: httpx.AsyncClient, services: Services) -> None:
    """Query and limit narrow it; what is not listed is counted as other."""
    await store_records(services.store, mix())
    assert (await ask(client, query="level:error"))["matched"] == 6
    answer = await ask(client, limit=1)
    assert len(answer["patterns"]) == 1
    assert answer["other"]["count"] == 6
    assert sum(answer["other"]["series"]) == 6


async def test_the_same_asked_in_json(client: httpx.AsyncClient, services: Services) -> None:
    """POST takes queries that are too long for an address."""
    await store_records(services.store, mix())
    query = " OR ".join(["cannot"] * 400)
    response = await client.post(PATTERNS, json={"query": query, "from": "now-10m", "limit": 5})
    assert response.status_code == 200, response.text
    assert response.json()["matched"] == 6


async def test_nothing_matches(client: httpx.AsyncClient, services: Services) -> None:
    """An empty range is an answer without patterns."""
    answer = await ask(client)
    assert (answer["matched"], answer["patterns"], answer["other"]["count"]) == (0, [], 0)
    assert services.store is not None


async def test_a_window_with_nothing_before_makes_nothing_new(
    client: httpx.AsyncClient, services: Services
) -> None:
    """Where nothing at all was before, there is no news to tell."""
    await store_records(services.store, [log(1, "first 1")])
    assert (await ask(client))["patterns"][0]["new"] is False


@pytest.mark.parametrize(
    ("params", "code"),
    [({"limit": 0}, "bad_request"), ({"limit": 500}, "bad_request"), ({"query": "("}, "bad_query")],
)
async def test_bad_requests(client: httpx.AsyncClient, params: dict[str, Any], code: str) -> None:
    """What cannot be answered is refused in the one error shape."""
    assert_error(await client.get(PATTERNS, params=params), 400, code)


async def test_a_sample_is_spread_over_the_range(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than are looked at: every part of the range has its share, and all are counted."""
    monkeypatch.setattr(pattern_sample, "SAMPLE_ROWS", 50)
    rows = [log(595 - n, f"old way {n}") for n in range(295)]
    rows += [log(295 - n, f"new road {n}") for n in range(295)]
    await store_records(services.store, rows)
    answer = await ask(client)
    assert answer["matched"] == 590
    assert answer["sampled"] <= 50
    counts = {each["template"]: each["count"] for each in answer["patterns"]}
    assert set(counts) == {"old way <num>", "new road <num>"}
    if answer["exact"]:
        assert set(counts.values()) == {295}
    else:
        assert all(200 < count < 390 for count in counts.values())


@given(
    counts=st.lists(st.integers(0, 1_000), max_size=30),
    number=st.integers(1, 30),
    width=st.integers(1, 10**12),
)
def test_slices_cover_the_range_once(counts: list[int], number: int, width: int) -> None:
    """The parts follow each other from its start to its end, and are no more than wanted."""
    buckets = [HistogramBucket(n * width, {"": each}) for n, each in enumerate(counts) if each]
    between = TimeRange(0, max(len(counts), 1) * width)
    found = slices(buckets, between, width, number)
    assert len(found) <= number
    if buckets:
        assert [found[0].start_ns, found[-1].end_ns] == [0, between.end_ns]
        assert all(a.end_ns == b.start_ns for a, b in pairwise(found))
        assert all(each.start_ns < each.end_ns for each in found)


async def test_long_templates_are_fewer(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine is given no more to look for than it can make ready; the rest is other."""
    monkeypatch.setattr(patterns, "MAX_CHARS", 60)
    await store_records(services.store, mix())
    answer = await ask(client)
    assert [each["template"] for each in answer["patterns"]] == ["GET /a/<num> took <duration>"]
    assert answer["other"]["count"] == 6


async def test_leaving_stops_it(services: Services) -> None:
    """When whoever asked has gone, nothing goes on working for it."""
    await store_records(services.store, mix())
    async with open_client(services) as client:
        asking = asyncio.ensure_future(client.get(PATTERNS, params={"from": "now-10m"}))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (await ask(client))["matched"] == 66
