"""What a worker waits for is on the pipeline page."""

from __future__ import annotations

import httpx

from logstream import metrics


async def test_a_worker_that_waits_is_a_warning(client: httpx.AsyncClient) -> None:
    """A store that has not answered the worker for long is the gravest kind of warning; once it
    has answered there is none."""
    metrics.WAITING_SECONDS.labels("store").set(25)
    try:
        warnings = (await client.get("/api/v1/pipeline")).json()["warnings"]
        told = [each for each in warnings if "waited for the store for 25 s" in each["message"]]
        assert [(each["severity"], each["panel"]) for each in told] == [("critical", "database")]
    finally:
        metrics.WAITING_SECONDS.labels("store").set(0)
    warnings = (await client.get("/api/v1/pipeline")).json()["warnings"]
    assert not any("waited for" in each["message"] for each in warnings)
