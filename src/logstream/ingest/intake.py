"""From a body to an answer, whatever port it came by: decode, make safe, say how far it came."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
import pyarrow as pa
from msgspec.structs import replace

from logstream import metrics
from logstream.broker.base import Message, Position, Producer
from logstream.errors import BadRequest, LogStreamError, RetryLater
from logstream.ingest.coalesce import Coalescer, Done, Taken
from logstream.ingest.idempotency import part_id
from logstream.ingest.request import SMALL_BYTES
from logstream.ingest.tally import Tally
from logstream.record import concat, encode_batch
from logstream.wire import NativeDecoder, RecordError, Rejections, split

__all__ = ["Intake", "NothingAccepted", "Outcome"]

_log = logging.getLogger(__name__)

ENTRY_ROWS = 100_000
"""Most records of one entry, so that the worker can always build groups of the size it wants."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a request's records. ``ack`` is how far they have come."""

    accepted: int
    rejected: int
    errors: list[RecordError]
    ack: str

    def to_json(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "rejected": self.rejected,
            "errors": [{"index": e.index, "reason": e.reason} for e in self.errors],
            **_more(self.rejected, self.errors),
            "ack": self.ack,
        }


class NothingAccepted(BadRequest):
    """Not one record of the body was accepted."""

    code = "nothing_accepted"

    def __init__(self, rejections: Rejections) -> None:
        total = rejections.total
        if not total:
            super().__init__("there are no records in the body")
        else:
            first = rejections.errors[0].reason
            what = "the record was" if total == 1 else f"all {total} records were"
            super().__init__(f"{what} refused: {first}")
        self._rejected, self._errors = total, rejections.errors

    def details(self) -> dict[str, Any]:
        return {
            "accepted": 0,
            "rejected": self._rejected,
            "errors": [{"index": e.index, "reason": e.reason} for e in self._errors],
            **_more(self._rejected, self._errors),
        }


def _more(rejected: int, errors: list[RecordError]) -> dict[str, int]:
    """Says how many errors are not in the list, when there are any."""
    return {"more_errors": rejected - len(errors)} if rejected > len(errors) else {}


class Intake:
    """Takes bodies of LogStream's own JSON to the broker."""

    def __init__(
        self,
        producer: Producer,
        decoder: NativeDecoder,
        tally: Tally,
        *,
        stored_timeout_s: float,
    ) -> None:
        self._producer = producer
        self._tally = tally
        self._decoder = decoder
        self._coalescer = Coalescer(producer, decoder)
        self._stored_timeout_s = stored_timeout_s
        self._background: set[asyncio.Task[None]] = set()

    def submit(self, body: bytes, received_ns: int, done: Done) -> None:
        """Take a body of at most `SMALL_BYTES` along with others; ``done`` is told when it is
        durable, or why it is not.
        """
        self._coalescer.submit(body, received_ns, done)

    def outcome(self, taken: Taken, ack: str) -> Outcome:
        """The answer for what was taken, counted.

        Raises:
            NothingAccepted: no record was accepted.
        """
        if taken.rejections.by_code:
            _count(taken.rejections)
        if taken.position is None:
            raise NothingAccepted(taken.rejections)
        self._tally.accepted(taken.accepted)
        if not taken.rejections.by_code:
            return Outcome(taken.accepted, 0, [], ack)
        return Outcome(taken.accepted, taken.rejections.total, taken.rejections.errors, ack)

    async def take(
        self, body: bytes, *, ack: str, received_ns: int, request_id: bytes = b""
    ) -> tuple[Outcome, list[Position]]:
        """Decode a body, append its records; what came of it, and where its entries are.

        They are durable then, unless ``ack`` asks for less; for more, ask `stored`.

        Raises:
            NothingAccepted: no record was accepted.
            BrokerFull, BrokerUnavailable: nothing was acknowledged.
        """
        if len(body) <= SMALL_BYTES and not request_id and ack != "queued":
            taken = await self._with_others(body, received_ns)
            positions = [] if taken.position is None else [taken.position]
        else:
            messages, rejections = await self._decode(body, received_ns, request_id)
            accepted = sum(message.rows for message in messages)
            if messages and ack == "queued":
                _count(rejections)
                self._in_background(messages, accepted)
                return Outcome(accepted, rejections.total, rejections.errors, ack), []
            positions = await self._append(messages)
            taken = Taken(positions[-1] if positions else None, accepted, rejections)
        return self.outcome(taken, ack), positions

    async def stored(self, outcome: Outcome, positions: list[Position]) -> Outcome:
        """Wait for the store, and say how far the records have come.

        Raises:
            BrokerUnavailable: the broker has lost some of them.
        """
        # Each of them: many workers may store a later one first.
        timeout_s = self._stored_timeout_s
        found = await asyncio.gather(
            *(self._producer.wait_stored(each, timeout_s=timeout_s) for each in positions)
        )
        return replace(outcome, ack="stored" if all(found) else "durable")

    async def _with_others(self, body: bytes, received_ns: int) -> Taken:
        future: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()

        def done(result: Taken | LogStreamError) -> None:
            if future.cancelled():
                return
            if isinstance(result, LogStreamError):
                future.set_exception(result)
            else:
                future.set_result(result)

        self._coalescer.submit(body, received_ns, done)
        return await future

    async def close(self) -> None:
        """Finish what was promised."""
        await asyncio.gather(*self._background)
        await self._coalescer.close()

    async def _decode(
        self, body: bytes, received_ns: int, request_id: bytes
    ) -> tuple[list[Message], Rejections]:
        """The body's entries and errors, letting others run between its parts."""
        rejections = Rejections()
        messages: list[Message] = []
        batches: list[pa.RecordBatch] = []
        index = rows = 0

        def close_entry() -> None:
            batch = batches[0] if len(batches) == 1 else concat(batches)
            messages.append(
                Message(
                    payload=encode_batch(batch),
                    rows=rows,
                    received_ns=received_ns,
                    dedup_id=part_id(request_id, len(messages)),
                )
            )
            batches.clear()

        for n, part in enumerate(split.parts(body)):
            if n:
                await asyncio.sleep(0)
            batch, seen = self._decoder.decode_part(part, received_ns, index, rejections)
            index += seen
            if batch is None:
                continue
            if batches and rows + batch.num_rows > ENTRY_ROWS:
                close_entry()
                rows = 0
            batches.append(batch)
            rows += batch.num_rows
        if batches:
            close_entry()
        return messages, rejections

    async def _append(self, messages: list[Message]) -> list[Position]:
        """Append all of a body's entries; where they are."""
        if len(messages) == 1:
            return [await self._producer.append(messages[0])]
        outcomes = await asyncio.gather(
            *map(self._producer.append, messages), return_exceptions=True
        )
        positions = [each for each in outcomes if not isinstance(each, BaseException)]
        for failure in outcomes:
            if isinstance(failure, RetryLater) and positions:
                raise type(failure)(
                    failure.message,
                    hint=failure.hint,
                    retry_after_s=failure.retry_after_s,
                    maybe_kept=True,
                ) from failure
            if isinstance(failure, BaseException):
                raise failure
        return positions

    def _in_background(self, messages: list[Message], accepted: int) -> None:
        async def finish() -> None:
            try:
                await self._append(messages)
            except LogStreamError:
                # The sender chose not to wait for this; it is still never silent.
                metrics.RECORDS_REJECTED.labels("lost_after_queued").inc(accepted)
                _log.exception("%d queued records could not be made durable", accepted)
            else:
                self._tally.accepted(accepted)

        task = asyncio.create_task(finish())
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _count(rejections: Rejections) -> None:
    for code, count in rejections.by_code.items():
        metrics.RECORDS_REJECTED.labels(code).inc(count)
