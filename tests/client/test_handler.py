"""The logging handler: everything a log call says arrives, and nothing comes back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from logstream.client import LogStreamHandler
from tests.client.stub import Stub, serving


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A server that takes everything."""
    with serving(Stub()) as stub:
        yield stub


def logged(stub: Stub, *calls: tuple[int, str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What arrives when these calls are made on a logger."""
    logger = logging.Logger("shop.cart")  # noqa: LOG001 – not shared with other tests
    handler = LogStreamHandler(stub.url, service="shop", attributes={"env": "test"})
    logger.addHandler(handler)
    for level, message, options in calls:
        logger.log(level, message, **options)
    handler.close()
    assert handler.counts.accepted == len(calls)
    return [line for request in stub.requests for line in request.lines]


def test_a_log_call_becomes_a_record(stub: Stub) -> None:
    """Level, message, service, logger and place of the call are there."""
    (line,) = logged(stub, (logging.WARNING, "cart %s", {"extra": {}}))

    assert (line["level"], line["message"], line["service"]) == ("warn", "cart %s", "shop")
    assert line["attributes"]["logger"] == "shop.cart"
    assert line["attributes"]["code.function.name"] == "logged"
    assert line["attributes"]["env"] == "test"
    assert 1e18 < line["timestamp"] < 1e19


def test_extra_fields_become_attributes(stub: Stub) -> None:
    """A field named like a record's own member stays an attribute; trace ids are the record's."""
    extra = {"user": 7, "level": "vip", "timestamp": "never", "trace_id": "ab" * 16}
    (line,) = logged(stub, (logging.INFO, "x", {"extra": extra}))

    assert line["level"] == "info"
    assert line["trace_id"] == "ab" * 16
    assert {key: line["attributes"][key] for key in ("user", "level", "timestamp")} == {
        "user": 7, "level": "vip", "timestamp": "never",
    }  # fmt: skip


def test_exceptions_carry_type_message_and_stack(stub: Stub) -> None:
    """exc_info becomes OpenTelemetry's exception attributes."""
    try:
        raise ValueError("odd")
    except ValueError as error:
        (line,) = logged(stub, (logging.ERROR, "failed", {"exc_info": error}))

    attributes = line["attributes"]
    assert attributes["exception.type"] == "builtins.ValueError"
    assert attributes["exception.message"] == "odd"
    assert "test_handler.py" in attributes["exception.stacktrace"]


class Hostile:
    """Raises when it is shown."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def test_never_raises_into_the_application(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments that cannot be shown, and a bad format, do not reach the caller."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = LogStreamHandler(stub.url)
    logger = logging.Logger("app")  # noqa: LOG001 – not shared with other tests
    logger.addHandler(handler)
    logger.info("%s", Hostile())
    logger.info("%d", "text")
    logger.info("x", extra={"odd": Hostile()})
    logger.info("fine")
    handler.close()

    assert [line["message"] for line in stub.requests[0].lines] == ["fine"]


def test_server_that_is_away_costs_nothing() -> None:
    """Logging goes on when nobody listens; what could not be sent is counted."""
    handler = LogStreamHandler("http://127.0.0.1:9")
    logger = logging.Logger("app")  # noqa: LOG001 – not shared with other tests
    logger.addHandler(handler)
    for _ in range(100):
        logger.info("x")
    counts = handler.counts

    assert counts.waiting + counts.given_up == 100
    handler._sender.close(timeout_s=0.05)
    handler.close()
