"""Sends the simulator's records at their own pace and keeps the ledger."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import secrets
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from logstream.client import Answer, ServerUnreachable
from logstream.client.http import retry_after_s
from logstream.clock import NS_PER_S
from logstream.simulate.generate import events
from logstream.simulate.http import AsyncConnection
from logstream.simulate.ledger import Ledger

__all__ = ["Plan", "Progress", "new_run", "simulate"]

_SYNC_EVERY_S = 0.2
_LONGEST_PAUSE_S = 2.0
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_ENCODER = msgspec.json.Encoder()


def new_run() -> str:
    """A name for a run, unlike any other."""
    return secrets.token_hex(8)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send. ``seconds`` 0: until stopped; ``batch``: records in one request;
    ``drain_s``: how long requests are tried after the last record was made."""

    url: str
    run: str
    api_key: str = ""
    scenario: str = "mixed"
    rate: float = 200.0
    seconds: float = 0.0
    seed: int = 1
    connections: int = 4
    batch: int = 100
    drain_s: float = 60.0
    timeout_s: float = 10.0


@dataclasses.dataclass(slots=True)
class Progress:
    """Records so far; ``retries`` counts requests tried again, ``behind_s`` how late we are."""

    made: int = 0
    acknowledged: int = 0
    refused: int = 0
    unanswered: int = 0
    retries: int = 0
    behind_s: float = 0.0
    last_error: str = ""


class _Request(msgspec.Struct, frozen=True):
    first: int
    count: int
    body: bytes
    content_type: str


async def simulate(
    plan: Plan,
    *,
    stop: asyncio.Event,
    ledger: Ledger | None = None,
    progress: Progress | None = None,
    start_ns: int | None = None,
) -> Progress:
    """Send until the plan's time is over or ``stop`` is set; then wait for what is unanswered.

    Requests that fail for want of an answer or with a 5xx or 429 are tried again with the same
    Idempotency-Key, through any number of restarts of the other side, until ``plan.drain_s``
    after the end. Memory is bounded by the requests under way.
    """
    progress = progress or Progress()
    queue: asyncio.Queue[_Request | None] = asyncio.Queue(plan.connections * 2)
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        syncing = group.create_task(_sync(ledger)) if ledger is not None else None
        posting = [
            group.create_task(_post_all(plan, queue, over, ledger, progress))
            for _ in range(plan.connections)
        ]
        producing = group.create_task(
            _produce(plan, queue, stop, progress, start_ns or time.time_ns())
        )
        ending = group.create_task(stop.wait())
        # With the queue full the producer may wait for ever: what it holds was not sent.
        await asyncio.wait(
            {producing, ending},
            timeout=plan.seconds + plan.drain_s if plan.seconds else None,
            return_when=asyncio.FIRST_COMPLETED,
        )
        producing.cancel()
        ending.cancel()
        closing = group.create_task(_close(queue, len(posting)))
        await asyncio.wait(posting, timeout=plan.drain_s)
        over.set()
        await asyncio.wait((*posting, closing))
        if syncing is not None:
            syncing.cancel()
    return progress


async def _close(queue: asyncio.Queue[_Request | None], readers: int) -> None:
    for _ in range(readers):
        await queue.put(None)


async def _sync(ledger: Ledger) -> None:
    while True:
        await asyncio.sleep(_SYNC_EVERY_S)
        await asyncio.to_thread(ledger.sync)


async def _produce(
    plan: Plan,
    queue: asyncio.Queue[_Request | None],
    stop: asyncio.Event,
    progress: Progress,
    start_ns: int,
) -> None:
    begun_s = time.monotonic()
    end_ns = start_ns + int(plan.seconds * NS_PER_S) if plan.seconds else None
    source = events(plan.seed, plan.scenario, plan.rate, start_ns)
    for request in _requests(plan, source, end_ns):
        due_s = (request[1] - start_ns) / NS_PER_S - (time.monotonic() - begun_s)
        progress.behind_s = max(-due_s, 0.0)
        if due_s > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), due_s)
        if stop.is_set():
            return
        await queue.put(request[0])
        progress.made += request[0].count


def _requests(
    plan: Plan, source: Iterator[dict[str, Any]], end_ns: int | None
) -> Iterator[tuple[_Request, int]]:
    """Requests, each with the time of its last record. A request is cut short rather than held
    back for long when there is little traffic."""
    content_type = "application/json" if plan.batch == 1 else "application/x-ndjson"
    lines: list[bytes] = []
    first = opened_ns = last_ns = 0
    for seq, event in enumerate(source):
        at_ns: int = event["timestamp"]
        if end_ns is not None and at_ns >= end_ns:
            break
        if lines and (len(lines) >= plan.batch or at_ns - opened_ns > NS_PER_S // 4):
            yield _Request(first, len(lines), b"\n".join(lines), content_type), last_ns
            lines, first = [], seq
        if not lines:
            opened_ns = at_ns
        event["simulate.run"] = plan.run
        event["simulate.seq"] = seq
        lines.append(_ENCODER.encode(event))
        last_ns = at_ns
    if lines:
        yield _Request(first, len(lines), b"\n".join(lines), content_type), last_ns


async def _post_all(
    plan: Plan,
    queue: asyncio.Queue[_Request | None],
    over: asyncio.Event,
    ledger: Ledger | None,
    progress: Progress,
) -> None:
    connection = AsyncConnection(plan.url, api_key=plan.api_key, timeout_s=plan.timeout_s)
    try:
        while (request := await queue.get()) is not None:
            if ledger is not None:
                ledger.sent(request.first, request.count)
            answer = await _post(plan, connection, request, over, progress)
            if answer is None:
                progress.unanswered += request.count
                continue
            refused, all_named = _refused(answer, request.count)
            if not all_named:
                # Which ones were taken nobody can say: the ledger must not claim to know.
                progress.unanswered += request.count
                continue
            progress.refused += len(refused)
            progress.acknowledged += request.count - len(refused)
            if refused:
                progress.last_error = answer.error()
            if ledger is not None:
                ledger.answered(request.first, request.count, refused)
    finally:
        await connection.close()


async def _post(
    plan: Plan,
    connection: AsyncConnection,
    request: _Request,
    over: asyncio.Event,
    progress: Progress,
) -> Answer | None:
    pause_s = 0.05
    while True:
        wished_s: float | None = None
        try:
            answer = await connection.post(
                request.body, content_type=request.content_type, key=f"{plan.run}-{request.first}"
            )
            if answer.status not in _RETRIED:
                return answer
            progress.last_error, wished_s = answer.error(), retry_after_s(answer.headers)
        except ServerUnreachable as exc:
            progress.last_error = exc.message
        progress.retries += 1
        if over.is_set():
            return None
        delay_s = wished_s if wished_s is not None else pause_s * random.uniform(0.5, 1.0)  # noqa: S311 – jitter
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), delay_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _refused(answer: Answer, count: int) -> tuple[list[int], bool]:
    """Offsets of the records that the answer says were not taken, and whether it names them all
    (an answer describes so many errors only)."""
    found = answer.json()
    if answer.status >= 300 or not isinstance(found, dict):
        return list(range(count)), True
    rejected = found.get("rejected") or 0
    named = sorted({error["index"] for error in found.get("errors") or ()})
    if rejected == count:
        return list(range(count)), True
    return named, len(named) == rejected
