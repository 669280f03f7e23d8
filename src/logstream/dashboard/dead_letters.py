"""``/api/v1/dead-letters``: records the store would not take; look, replay, delete."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.params import JSONBody, QueryParameter

from logstream.broker.base import DeadLetter, Message
from logstream.dashboard.answers import RecordBody, record_body
from logstream.dashboard.errors import ERRORS
from logstream.dashboard.params import ServicesDependency
from logstream.errors import BadRequest, CorruptData, NotFound
from logstream.record import decode_batch, records_of
from logstream.timestamps import format_timestamp

__all__ = ["delete_dead_letters", "list_dead_letters", "replay_dead_letters"]

MOST = 1_000
SHOWN_RECORDS = 5

LetterLimit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=MOST, description="Most dead letters.")
]
Ids = Annotated[
    str, QueryParameter(name="ids", description="Dead letters by id, separated by commas; or all.")
]


class DeadLetterAnswer(msgspec.Struct):
    """``records`` shows the first few of ``rows``, messages cut to 4 096 characters."""

    id: str
    reason: str
    at: str
    rows: int
    bytes: int
    records: list[RecordBody]


class DeadLettersAnswer(msgspec.Struct):
    """Newest first; ``total``: how many there are."""

    dead_letters: list[DeadLetterAnswer]
    total: int


class ReplayRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Ids of dead letters, or ``["all"]`` for the newest 1 000."""

    ids: list[str]


class ReplayAnswer(msgspec.Struct):
    """What went back into the queue."""

    dead_letters: int
    records: int


class DeleteAnswer(msgspec.Struct):
    """How many were forgotten."""

    dead_letters: int


@get("/dead-letters", responses=ERRORS, summary="Records the store would not take")
async def list_dead_letters(
    services: ServicesDependency, limit: LetterLimit = 100
) -> DeadLettersAnswer:
    """The newest dead letters with their reasons."""
    letters = await services.broker.dead_letters(limit=limit)
    status = await services.broker.status()
    # Each is decompressed whole, and all together may be hundreds of megabytes.
    shown = await asyncio.to_thread(lambda: [_answer(letter) for letter in letters])
    return DeadLettersAnswer(shown, status.dead_letters)


def _answer(letter: DeadLetter) -> DeadLetterAnswer:
    try:
        batch = decode_batch(letter.payload)
        shown = records_of(batch.slice(0, SHOWN_RECORDS))
    except CorruptData:
        shown = []  # the reason says why it is here; that it cannot be shown must not hide it
    return DeadLetterAnswer(
        letter.id,
        letter.reason,
        format_timestamp(letter.at_ns),
        letter.rows,
        len(letter.payload),
        [record_body(record, truncate=4_096) for record in shown],
    )


@post("/dead-letters/replay", status_code=200, responses=ERRORS, summary="Try dead letters again")
async def replay_dead_letters(
    services: ServicesDependency, data: JSONBody[ReplayRequest]
) -> ReplayAnswer:
    """Put dead letters back into the queue and forget them.

    A replay that is cut short may be asked for again: a letter is stored once all the same.
    """
    letters = await _chosen(services, data.ids)
    async with await services.broker.producer() as producer:
        for letter in letters:
            await producer.append(
                Message(
                    payload=letter.payload,
                    rows=letter.rows,
                    received_ns=services.clock.time_ns(),
                    dedup_id=hashlib.blake2b(letter.id.encode(), digest_size=16).digest(),
                )
            )
            await services.broker.remove_dead_letters([letter.id])
    return ReplayAnswer(len(letters), sum(letter.rows for letter in letters))


@delete("/dead-letters", status_code=200, responses=ERRORS, summary="Forget dead letters")
async def delete_dead_letters(services: ServicesDependency, ids: Ids) -> DeleteAnswer:
    """Delete dead letters for good."""
    letters = await _chosen(services, [each for each in ids.split(",") if each])
    removed = await services.broker.remove_dead_letters([letter.id for letter in letters])
    return DeleteAnswer(removed)


async def _chosen(services: ServicesDependency, ids: list[str]) -> list[DeadLetter]:
    if not ids:
        raise BadRequest("ids is empty", hint="give ids as listed, or all")
    letters = await services.broker.dead_letters(limit=MOST)
    if ids == ["all"]:
        return letters
    known = {letter.id: letter for letter in letters}
    for each in ids:
        if each not in known:
            raise NotFound(f"there is no dead letter {each[:100]!r}", hint="it may be replayed")
    return [known[each] for each in dict.fromkeys(ids)]
