"""Records by query, page by page; tables of queries with pipes."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logstream.dashboard.services import Services
from logstream.record import Record
from logstream.testing.clock import FakeClock
from logstream.timestamps import format_timestamp, parse_timestamp
from tests.dashboard.support import (
    NOW_NS,
    assert_error,
    make_services,
    open_client,
    pages,
    store_records,
)

SEARCH = "/api/v1/search"


async def test_answers_exactly_the_promised_members(
    client: httpx.AsyncClient, stored: Sequence[Record]
) -> None:
    """The answer has records, next_cursor and stats; ids and timestamps are strings."""
    answer = (await client.get(SEARCH)).json()
    assert set(answer) == {"records", "next_cursor", "stats"}
    assert set(answer["stats"]) == {"matched", "scanned", "elapsed_ms"}
    newest = answer["records"][0]
    expected = stored[-1]
    assert newest == {
        "id": newest["id"],
        "timestamp": format_timestamp(expected.timestamp_ns),
        "level": expected.level,
        "severity_number": expected.severity_number,
        "service": expected.service,
        "message": expected.message,
        "trace_id": expected.trace_id,
        "span_id": expected.span_id,
        "attributes": dict(expected.attributes),
        "resource": dict(expected.resource),
    }
    assert isinstance(newest["id"], str)
    assert parse_timestamp(newest["timestamp"]) == expected.timestamp_ns
    assert answer["stats"]["matched"] == len(stored)
    assert answer["next_cursor"] is None


async def test_get_and_post_agree(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """POST takes the same parameters as JSON and answers the same."""
    asked = {"query": "service:api", "from": "now-1h", "to": "now", "limit": 2}
    by_get = await client.get(SEARCH, params={key: str(value) for key, value in asked.items()})
    by_post = await client.post(SEARCH, json=asked)
    assert by_get.json()["records"] == by_post.json()["records"]
    assert by_post.status_code == 200
    epoch_s = NOW_NS // 10**9
    in_numbers = await client.post(SEARCH, json={**asked, "from": epoch_s - 3600, "to": epoch_s})
    assert in_numbers.json()["records"] == by_get.json()["records"]


async def test_finds_what_the_query_says(
    client: httpx.AsyncClient, stored: Sequence[Record]
) -> None:
    """Only matching records come back, newest first."""
    answer = (await client.get(SEARCH, params={"query": "level:>=error"})).json()
    expected = [r.message for r in reversed(stored) if r.severity_number >= 17]
    assert [record["message"] for record in answer["records"]] == expected


async def test_pipes_answer_a_table(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """A query with pipes answers its rows by column name and no cursor."""
    answer = (await client.get(SEARCH, params={"query": "* | stats count() n"})).json()
    assert answer["records"] == [{"n": len(stored)}]
    assert answer["next_cursor"] is None
    assert set(answer) == {"records", "next_cursor", "stats"}


async def test_a_table_takes_no_cursor(client: httpx.AsyncClient) -> None:
    """A cursor on a query with pipes is refused rather than ignored."""
    response = await client.get(SEARCH, params={"query": "* | limit 1", "cursor": "abc"})
    assert_error(response, 400, "bad_request", "no cursor")


@pytest.mark.parametrize(
    ("from_", "to"),
    [
        ("now-1h", "now"),
        ("-1h", "now"),
        (str(NOW_NS // 10**9 - 3600), str(NOW_NS // 10**9)),
        (str(NOW_NS - 3600 * 10**9), str(NOW_NS)),
        (format_timestamp(NOW_NS - 3600 * 10**9), format_timestamp(NOW_NS)),
    ],
)
async def test_times_in_every_form(
    client: httpx.AsyncClient, stored: Sequence[Record], from_: str, to: str
) -> None:
    """Relative, RFC 3339 and epoch times mean the same range."""
    answer = await client.get(SEARCH, params={"from": from_, "to": to})
    assert answer.json()["stats"]["matched"] == len(stored)


async def test_the_default_range_is_the_last_15_minutes(
    client: httpx.AsyncClient, services: Services
) -> None:
    """Without from and to, older records and those of the future stay out."""
    minute = 60 * 10**9
    moments = [NOW_NS - 16 * minute, NOW_NS - 15 * minute, NOW_NS - 1, NOW_NS]
    await store_records(services.store, [Record(timestamp_ns=each) for each in moments])
    records = (await client.get(SEARCH)).json()["records"]
    assert [parse_timestamp(each["timestamp"]) for each in records] == [NOW_NS - 1, moments[1]]


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"from": "now", "to": "now-1h"}, "not before"),
        ({"from": "now", "to": "now"}, "not before"),
        ({"from": "yesterdayish"}, "from cannot be"),
        ({"to": "32.13.2026"}, "to cannot be"),
        ({"limit": "0"}, "limit"),
        ({"limit": "10001"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"truncate": "-1"}, "truncate"),
        ({"count": "perhaps"}, "count"),
        ({"cursor": "!!"}, "cursor"),
        ({"cursor": "AAAA"}, "cursor"),
        ({"limt": "5"}, "limt"),
    ],
)
async def test_bad_parameters_are_named(
    client: httpx.AsyncClient, params: dict[str, str], text: str
) -> None:
    """Each bad parameter gets a 400 that says which one and why."""
    assert_error(await client.get(SEARCH, params=params), 400, "bad_request", text)


async def test_unknown_parameters_get_a_suggestion(client: httpx.AsyncClient) -> None:
    """A misspelt parameter, in the URL or in JSON, is named with the nearest known one."""
    by_get = await client.get(SEARCH, params={"qery": "x"})
    assert assert_error(by_get, 400, "bad_request", "qery")["hint"] == "did you mean query?"
    by_post = await client.post(SEARCH, json={"form": "now-1h"})
    assert assert_error(by_post, 400, "bad_request", "form")["hint"] == "did you mean from?"


async def test_a_parameter_given_twice_is_refused(client: httpx.AsyncClient) -> None:
    """Two values for one parameter leave no doubt about which was used."""
    response = await client.get(f"{SEARCH}?limit=1&limit=2")
    assert_error(response, 400, "bad_request", "more than once")


@pytest.mark.parametrize(
    "body", ["", "nope", "[]", "null", '{"query": 1}', '{"limit": 0}', '{"query": "\\ud800"}']
)
async def test_bad_bodies(client: httpx.AsyncClient, body: str) -> None:
    """A body that is no search gets a 400 in the one shape."""
    headers = {"content-type": "application/json"}
    assert_error(await client.post(SEARCH, content=body, headers=headers), 400, "bad_request")


@pytest.mark.parametrize(
    "query",
    ["(" * 50_000, "NOT " * 20_000, "-" * 50_000 + "a", "a:" + "(" * 3_000, "a OR " * 20_000],
)
async def test_monstrous_queries(client: httpx.AsyncClient, query: str) -> None:
    """A query too long or too deep is refused like any bad one."""
    assert_error(await client.post(SEARCH, json={"query": query}), 400, "bad_query")


async def test_monstrous_bodies_and_times(client: httpx.AsyncClient) -> None:
    """JSON without a bottom and numbers without an end are 400, not failures of ours."""
    headers = {"content-type": "application/json"}
    deep = b'{"query":' + b"[" * 100_000
    for method, url in (("POST", SEARCH), ("PUT", "/api/v1/views/x")):
        answer = await client.request(method, url, content=deep, headers=headers)
        assert_error(answer, 400, "bad_request")
    endless = "now-" + "9" * 400 + "d"
    assert_error(await client.get(SEARCH, params={"from": endless}), 400, "bad_request", "from")
    histogram = await client.get("/api/v1/histogram", params={"interval": "9" * 400 + "d"})
    assert_error(histogram, 400, "bad_request", "interval")


async def test_a_huge_body_is_refused(client: httpx.AsyncClient) -> None:
    """A body beyond what any search needs is refused before it is read whole."""
    response = await client.post(SEARCH, json={"query": "x" * (2 << 20)})
    assert_error(response, 413, "payload_too_large")


async def test_query_errors_say_where(client: httpx.AsyncClient) -> None:
    """A query that does not parse answers line, column and what could have stood there."""
    error = assert_error(await client.get(SEARCH, params={"query": "a ("}), 400, "bad_query")
    assert error["line"] == 1
    assert error["column"] >= 3
    assert error["expected"]


async def test_messages_are_whole_unless_cut(client: httpx.AsyncClient, services: Services) -> None:
    """truncate cuts long messages, says so, and gives the whole length in bytes."""
    long = "é" * 5_000
    await store_records(services.store, [Record(timestamp_ns=NOW_NS - 1, message=long)])
    whole = (await client.get(SEARCH)).json()["records"][0]
    assert whole["message"] == long
    assert "truncated" not in whole
    cut = (await client.get(SEARCH, params={"truncate": 4096})).json()["records"][0]
    assert cut["message"] == long[:4096]
    assert cut["truncated"] is True
    assert cut["message_bytes"] == 10_000


async def test_matched_can_be_left_uncounted(
    client: httpx.AsyncClient, stored: Sequence[Record]
) -> None:
    """count=false answers a null for matched."""
    answer = (await client.get(SEARCH, params={"count": "false"})).json()
    assert answer["stats"]["matched"] is None
    assert len(answer["records"]) == len(stored)


async def test_a_cursor_belongs_to_its_search(
    client: httpx.AsyncClient, stored: Sequence[Record]
) -> None:
    """A cursor of another query or range, or one that was tampered with, is refused."""
    cursor = (await client.get(SEARCH, params={"limit": 1})).json()["next_cursor"]
    other = await client.get(SEARCH, params={"query": "service:api", "cursor": cursor})
    assert_error(other, 400, "bad_request", "another search")
    ranged = await client.get(SEARCH, params={"from": "now-1h", "cursor": cursor})
    assert_error(ranged, 400, "bad_request", "another search")
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    broken = base64.urlsafe_b64encode(raw[:-1]).decode()
    assert_error(await client.get(SEARCH, params={"cursor": broken}), 400, "bad_request", "cursor")


async def test_pages_keep_the_first_pages_range(
    client: httpx.AsyncClient, stored: Sequence[Record], clock: FakeClock
) -> None:
    """A relative range does not slide while it is being paged through."""
    first = (await client.get(SEARCH, params={"limit": 1})).json()
    clock.advance(600)
    rest = await client.get(SEARCH, params={"limit": 1000, "cursor": first["next_cursor"]})
    assert len(rest.json()["records"]) == len(stored) - 1


@settings(max_examples=15)
@given(
    offsets=st.lists(st.integers(0, 3), max_size=30),
    limit=st.integers(1, 7),
)
def test_paging_visits_every_record_once(offsets: list[int], limit: int) -> None:
    """Following next_cursor over HTTP sees each record once, newest first, equal times included."""

    async def scenario() -> None:
        async with make_services(clock=FakeClock(NOW_NS)) as services:
            records = [
                Record(timestamp_ns=NOW_NS - 10 + offset, message=str(i))
                for i, offset in enumerate(offsets)
            ]
            await store_records(services.store, records)
            async with open_client(services) as client:
                seen = [record async for page in pages(client, limit) for record in page]
        expected = sorted(
            ((record.timestamp_ns, i) for i, record in enumerate(records)), reverse=True
        )
        assert [int(record["message"]) for record in seen] == [i for _, i in expected]

    asyncio.run(scenario())


async def test_explain_shows_the_query_as_understood(client: httpx.AsyncClient) -> None:
    """explain answers the canonical text and a plan in words."""
    answer = (await client.get("/api/v1/explain", params={"query": "  a   b "})).json()
    assert answer["query"] == "a b"
    assert answer["plan"]
