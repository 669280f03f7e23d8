"""``tail`` over connections that break: nothing is shown twice, and what lacks is said."""

from __future__ import annotations

import json
from itertools import chain, repeat
from typing import Any

import pytest

from logstream.cli import exits, main
from tests.client.stub import Reply, Request, Stub, serving


def record(n: int) -> dict[str, Any]:
    """A record as a tail shows it; its key is another one on each connection."""
    return {"timestamp": f"2026-11-23T10:00:{n:02d}Z", "level": "info", "message": f"m{n}"}


def rows(numbers: list[int], *, hub: str, backfill: bool = False) -> tuple[str, Any]:
    shown = [{**record(n), "key": f"{hub}-{n}", "id": None, "received": None} for n in numbers]
    return "rows", {"rows": shown, "backfill": backfill, "resume": f"{hub}-{numbers[-1]}"}


def status(*, hub: str, gap: bool = False, dropped: int = 0) -> tuple[str, Any]:
    return "status", {"gap": gap, "dropped": dropped, "resume": f"{hub}-0"}


def error(code: str, **members: Any) -> tuple[str, Any]:
    return "error", {"error": {"code": code, "message": code, **members}}


END = error("bad_query")


def follow(
    capsys: pytest.CaptureFixture[str], *connections: list[tuple[str, Any]] | int
) -> tuple[list[str], list[str], list[Request]]:
    """Messages shown, lines on standard error, and requests, when a server answers so in turn."""

    left = iter(connections)
    ages = chain([3600.0, 3600.0], repeat(None))

    def script(request: Request, number: int) -> Reply:
        if request.path == PIPELINE:
            return Reply(200, {"queue": {"oldest_age_s": next(ages)}})
        events = next(left)
        if isinstance(events, int):
            return Reply(events, {"error": {"code": "x", "message": "not now"}})
        # As the server writes it: without spaces.
        text = "".join(
            f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
            for name, data in events
        )
        return Reply(200, text.encode(), {"Content-Type": "text/event-stream"})

    with serving(Stub(script)) as stub:
        code = main(["tail", "--url", stub.url, "--output", "ndjson", "--backfill", "2", "x"])
    assert code == exits.FAILED
    shown = capsys.readouterr()
    messages = [json.loads(line)["message"] for line in shown.out.splitlines()]
    told = [line.replace(stub.url, "URL") for line in shown.err.splitlines()]
    return messages, told, stub.requests


PIPELINE = "/api/v1/pipeline"


def test_a_broken_connection_is_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    """It goes on with the place of the last event, also when the server is away for a while."""
    shown, told, requests = follow(
        capsys,
        [status(hub="a"), rows([1, 2], hub="a", backfill=True)],
        503,
        [status(hub="a"), rows([3], hub="a"), END],
    )
    assert shown == ["m1", "m2", "m3"]
    assert [request.headers.get("last-event-id") for request in requests] == [None, "a-2", "a-2"]
    assert told[:3] == [
        "-- URL ended the stream; trying again",
        "-- not now; trying again",
        "-- connected again, going on behind the last record",
    ]


def test_a_server_started_anew_is_asked_for_what_came_meanwhile(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of its backfill only what is behind the last record shown is shown, twins counted."""
    shown, told, requests = follow(
        capsys,
        [status(hub="a"), rows([1, 2, 2], hub="a")],
        [status(hub="b", gap=True)],
        [
            status(hub="b"), rows([0, 1, 2], hub="b", backfill=True),
            rows([2, 2, 3], hub="b", backfill=True), rows([4], hub="b"), END,
        ],
    )  # fmt: skip
    assert shown == ["m1", "m2", "m2", "m2", "m3", "m4"]
    asked = [request.path == PIPELINE for request in requests]
    assert asked == [False, False, True, True, True, False], "it waits until nothing older waits"
    assert "backfill=1000" in requests[5].path
    assert "last-event-id" not in requests[5].headers
    assert told[:2] == [
        "-- URL ended the stream; trying again",
        "-- connected again, going on behind the last record",
    ]


def test_what_cannot_be_told_apart_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """When nothing of the backfill was shown before, there may be more between."""
    shown, told, _ = follow(
        capsys,
        [status(hub="a"), rows([1], hub="a")],
        [status(hub="b", gap=True)],
        [status(hub="b"), rows([8], hub="b", backfill=True), rows([9], hub="b"), END],
    )
    assert shown == ["m1", "m8", "m9"]
    assert "-- records may be missing between the last one and the next" in told


def test_a_tail_that_showed_nothing_shows_nothing_older(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After a restart an empty tail does not begin with what was there before it."""
    shown, _, _ = follow(
        capsys,
        [status(hub="a")],
        [status(hub="b", gap=True)],
        [status(hub="b"), rows([1], hub="b", backfill=True), rows([2], hub="b"), END],
    )
    assert shown == ["m2"]


def test_troubles_that_pass_are_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """An error event that says when to come back is no end; drops are counted."""
    later = error("broker_unavailable", retry_after_s=1)
    shown, told, _ = follow(
        capsys,
        [status(hub="a", dropped=1_200), later],
        [status(hub="a"), rows([1], hub="a"), END],
    )
    assert shown == ["m1"]
    assert told[0] == "-- 1,200 matching records could not be shown in time"
    assert told[1] == "-- broker_unavailable; trying again"
