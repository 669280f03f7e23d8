"""Send dead letters through the pipeline again, once what was wrong has been mended."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import msgspec

from logstream.broker.base import Broker, DeadLetter, Message, Producer
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import CorruptData
from logstream.record import decode_batch, encode_batch

__all__ = ["Replayed", "replay_dead_letters"]

_MESSAGE_ROWS = 10_000
_ALL = 1 << 31


class Replayed(msgspec.Struct, frozen=True):
    """What was sent again, and the ids of letters that cannot be and were kept."""

    letters: int
    records: int
    unreadable: tuple[str, ...]


async def replay_dead_letters(
    broker: Broker,
    producer: Producer,
    *,
    ids: Collection[str] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Replayed:
    """Append the records of dead letters again, oldest first, and remove each letter after that.

    A record that is rejected again becomes a letter again. A call that breaks off may be repeated:
    a letter that was appended and not yet removed is recognised and stored once.

    Args:
        producer: Whose entries they become; stays open.
        ids: Of the letters; ``None``: all there are.

    Raises:
        BrokerFull, BrokerUnavailable: those sent until then are removed, the rest is kept.
    """
    letters = records = 0
    unreadable: list[str] = []
    for letter in reversed(await broker.dead_letters(limit=_ALL)):
        if ids is not None and letter.id not in ids:
            continue
        try:
            messages = _messages(letter, clock.time_ns())
        except CorruptData:
            unreadable.append(letter.id)
            continue
        for message in messages:
            await producer.append(message)
        await broker.remove_dead_letters([letter.id])
        letters += 1
        records += sum(message.rows for message in messages)
    return Replayed(letters, records, tuple(unreadable))


def _messages(letter: DeadLetter, received_ns: int) -> list[Message]:
    batch = decode_batch(letter.payload)
    parts = [batch.slice(start, _MESSAGE_ROWS) for start in range(0, batch.num_rows, _MESSAGE_ROWS)]
    return [
        Message(
            payload=encode_batch(part),
            rows=part.num_rows,
            received_ns=received_ns,
            dedup_id=_dedup_id(letter.id, index),
        )
        for index, part in enumerate(parts)
    ]


def _dedup_id(letter_id: str, part: int) -> bytes:
    return hashlib.blake2b(f"dead letter {letter_id} {part}".encode(), digest_size=32).digest()
