"""Context of one record, and all records of one trace."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest

from logstream.record import Record
from tests.dashboard.support import assert_error

CONTEXT = "/api/v1/context"


async def anchor_of(client: httpx.AsyncClient, message: str) -> dict[str, str]:
    records = (await client.get("/api/v1/search")).json()["records"]
    (found,) = [each for each in records if each["message"] == message]
    return {"id": found["id"], "timestamp": found["timestamp"]}


async def test_context_is_of_the_same_source(
    client: httpx.AsyncClient, stored: Sequence[Record]
) -> None:
    """By default the neighbours share service and host, of any level, oldest first."""
    params = await anchor_of(client, "connection refused")
    answer = (await client.get(CONTEXT, params=params)).json()
    assert [r["message"] for r in answer["before"]] == ["GET /health 200"]
    assert answer["record"]["message"] == "connection refused"
    assert [r["message"] for r in answer["after"]] == ["GET /items 200"]
    assert [each["field"] for each in answer["same"]] == ["service", "host.name"]


async def test_context_can_be_widened(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """same= chooses the fields; empty takes everything around; counts bound both sides."""
    anchor = await anchor_of(client, "connection refused")
    wide = (await client.get(CONTEXT, params={**anchor, "same": "", "after": "2"})).json()
    assert [r["message"] for r in wide["before"]] == ["GET /health 200", "page shown"]
    assert [r["message"] for r in wide["after"]] == ["slow query", "out of memory"]
    assert wide["same"] == []
    by_status = await client.get(CONTEXT, params={**anchor, "same": "status,absent"})
    assert [each["field"] for each in by_status.json()["same"]] == ["status"]
    assert by_status.json()["before"] == by_status.json()["after"] == []


async def test_context_of_an_unknown_record(client: httpx.AsyncClient) -> None:
    """A record that is not there is a 404."""
    params = {"id": "12345", "timestamp": "2023-11-14T22:13:20Z"}
    assert_error(await client.get(CONTEXT, params=params), 404, "not_found", "12345")


@pytest.mark.parametrize(
    "params",
    [
        {"timestamp": "2023-11-14T22:13:20Z"},
        {"id": "1"},
        {"id": "-1", "timestamp": "2023-11-14T22:13:20Z"},
        {"id": "9" * 30, "timestamp": "2023-11-14T22:13:20Z"},
        {"id": "1", "timestamp": "then"},
        {"id": "1", "timestamp": "2023-11-14T22:13:20Z", "before": "100000"},
    ],
)
async def test_bad_anchors(client: httpx.AsyncClient, params: dict[str, str]) -> None:
    """An id or time that is none, or is missing, is a 400."""
    assert_error(await client.get(CONTEXT, params=params), 400, "bad_request")


async def test_a_trace_in_order(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """All records of a trace come oldest first, wherever in the retention they are."""
    trace_id = stored[0].trace_id
    answer = (await client.get(f"/api/v1/trace/{trace_id}")).json()
    expected = [record.message for record in stored if record.trace_id == trace_id]
    assert [record["message"] for record in answer["records"]] == expected
    assert answer["complete"] is True
    cut = (await client.get(f"/api/v1/trace/{trace_id}", params={"limit": 1})).json()
    assert cut["complete"] is False


async def test_a_trace_nobody_has(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """An unknown trace is empty, not an error."""
    assert (await client.get("/api/v1/trace/none")).json()["records"] == []
