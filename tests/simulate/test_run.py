"""Sending: at the asked pace, through any trouble, with a ledger that never claims too much."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from logstream.client import Connection
from logstream.simulate import Ledger, Plan, read_ledger, simulate, verify
from logstream.simulate.ledger import ACKNOWLEDGED, REFUSED, UNANSWERED
from tests.client.stub import Reply, Request, Stub, accept, serving

START_NS = time.time_ns() - 60 * 10**9


def plan(url: str, **changes: Any) -> Plan:
    """A short run that starts in the past, so that it sends as fast as it can."""
    return Plan(
        **{"url": url, "run": "abc", "rate": 200.0, "seconds": 2.0, "batch": 20, "drain_s": 5.0,
           "scenario": "steady", **changes}
    )  # fmt: skip


async def run(chosen: Plan, ledger: Ledger | None = None) -> Any:
    """Run to its end."""
    return await simulate(chosen, stop=asyncio.Event(), ledger=ledger, start_ns=START_NS)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger of run abc."""
    return Ledger(tmp_path / "abc.ledger", "abc", START_NS)


async def test_everything_is_sent_once(ledger: Ledger) -> None:
    """Records carry the run and a number without gaps, and the ledger knows them all."""
    with serving(Stub()) as stub:
        progress = await run(plan(stub.url), ledger)
    ledger.close()
    numbers = sorted(line["simulate.seq"] for r in stub.requests for line in r.lines)

    assert numbers == list(range(progress.made))
    assert progress.acknowledged == progress.made > 100
    assert set(read_ledger(ledger.path).states) == {ACKNOWLEDGED}


async def test_single_log_requests() -> None:
    """With a batch of one each record is a JSON request of its own."""
    with serving(Stub()) as stub:
        progress = await run(plan(stub.url, batch=1, seconds=0.3))
    assert len(stub.requests) == progress.made
    assert {r.headers["content-type"] for r in stub.requests} == {"application/json"}


async def test_trouble_is_retried_with_the_same_key(ledger: Ledger) -> None:
    """Lost connections and refusals for now lead to the very same request again."""

    def script(request: Request, n: int) -> Reply:
        if n % 3 == 0:
            return Reply(None)
        return accept(request, n) if n % 3 else Reply(503, {}, {"Retry-After": "0"})

    with serving(Stub(script)) as stub:
        progress = await run(plan(stub.url), ledger)
    bodies: dict[str, bytes] = {}
    for request in stub.requests:
        key = request.headers["idempotency-key"]
        assert bodies.setdefault(key, request.body) == request.body
    assert len(bodies) < len(stub.requests)
    assert progress.retries
    assert progress.unanswered == 0
    ledger.close()


async def test_refused_and_unanswered_are_noted(ledger: Ledger) -> None:
    """The ledger tells refused records from those of which nobody knows."""

    def script(request: Request, n: int) -> Reply:
        numbers = [line["simulate.seq"] for line in request.lines]
        if 0 in numbers:
            count = len(numbers)
            return Reply(202, {"accepted": count - 1, "rejected": 1,
                               "errors": [{"index": 0, "reason": "bad"}]})  # fmt: skip
        if 45 in numbers:
            return Reply(None)
        return accept(request, n)

    with serving(Stub(script)) as stub:
        progress = await run(plan(stub.url, drain_s=0.2), ledger)
    ledger.close()
    states = read_ledger(ledger.path).states

    assert states[0] == REFUSED
    assert states[1] == ACKNOWLEDGED
    assert states[45] == UNANSWERED
    assert progress.refused == 1


async def test_server_that_never_answers_does_not_hold_us() -> None:
    """The end comes after the given time also when no request was ever answered."""
    with serving(Stub(lambda request, n: Reply(None))) as stub:
        progress = await run(plan(stub.url, seconds=0.2, drain_s=0.1, rate=5_000.0))
    assert progress.acknowledged == 0
    assert progress.unanswered


class Store:
    """Answers the two questions of a verification from a list of numbers."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers

    def __call__(self, request: Request, n: int) -> Reply:
        if request.path.startswith("/api/v1/search"):
            return Reply(200, {"records": [{"n": len(self.numbers)}], "next_cursor": None})
        lines = "".join(
            f'{{"message":"x","attributes":{{"simulate.seq":"{n}"}}}}\n' for n in self.numbers
        )
        return Reply(200, lines.encode())


@pytest.mark.parametrize(
    ("numbers", "counts"),
    [
        ([0, 1, 2], (0, 0, 0)),
        ([0, 1, 2, 3], (0, 0, 0)),
        ([0, 2], (1, 0, 0)),
        ([0, 1, 2, 2], (0, 1, 0)),
        ([0, 1, 2, 77], (0, 0, 1)),
    ],
)
def test_verification(ledger: Ledger, numbers: list[int], counts: tuple[int, int, int]) -> None:
    """Lost, doubled and unknown records are each found; unanswered ones may be there or not."""
    ledger.sent(0, 3)
    ledger.answered(0, 3, [])
    ledger.sent(3, 1)
    ledger.close()
    with serving(Stub(Store(numbers))) as stub:
        connection = Connection(stub.url)
        verdict = verify(connection, read_ledger(ledger.path), timeout_s=0)
        connection.close()
    assert (verdict.lost, verdict.doubled, verdict.unknown) == counts
    assert verdict.good == (counts == (0, 0, 0))
