"""Asking a dashboard for every record of a run."""

from __future__ import annotations

from contextlib import closing

import pytest

from logstream.client.http import Connection
from logstream.simulate.ledger import ACKNOWLEDGED, Outcome
from logstream.simulate.verify import verify
from tests.client.stub import Reply, Request, Stub, serving


@pytest.mark.parametrize("path", ["/api/v1/search", "/api/v1/export"])
@pytest.mark.parametrize("status", [429, 503, 504])
def test_a_busy_store_is_asked_again(path: str, status: int) -> None:
    """Too many queries, no store, a query that took too long: none says what is stored."""
    refused: list[str] = []

    def script(request: Request, _: int) -> Reply:
        if request.path.startswith(path) and not refused:
            refused.append(path)
            return Reply(status, {"error": {"code": "busy", "message": "not now"}})
        if request.path.startswith("/api/v1/search"):
            return Reply(200, {"records": [{"n": 1}]})
        return Reply(200, b'{"attributes":{"simulate.seq":"0"}}\n')

    outcome = Outcome("abc", 0, bytearray([ACKNOWLEDGED]))
    with serving(Stub(script)) as stub, closing(Connection(stub.url)) as connection:
        verdict = verify(connection, outcome, timeout_s=30)
    assert refused
    assert verdict.good
    assert verdict.stored == 1
