"""What each stage of the bulk path costs, its functions called one after another in one process.

The stages are those of a request's way: HTTP apart, decode and columns (`wire`), the Arrow IPC
that the broker keeps, the append with its fsync, and the worker's reading of it. CPU is that of
the whole process, its helper threads included. Insert and merges are measured by two imports into
a store of their own, one of them with merges stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa

from benchmarks import store_stage
from benchmarks.corpus import Corpus
from benchmarks.table import Row, note
from logstream.broker import open_broker
from logstream.broker.base import Broker, Message, Producer
from logstream.record import concat, decode_batch, encode_batch
from logstream.settings import Settings
from logstream.wire import NativeDecoder, WireLimits, columns, fast

RECORDS = 400_000
RECORDS_EACH = 2_000
# About the 50 000 records at which the worker stops waiting for more.
READ_BYTES = 6 << 20


@dataclass(frozen=True, slots=True)
class Stages:
    """Core-µs per record; `payload_bytes` is what the broker keeps per record."""

    decode: float
    columns: float
    encode: float
    append: float
    read: float
    insert: float
    merges: float
    payload_bytes: float

    @property
    def total(self) -> float:
        """Everything but HTTP and what holds the parts together."""
        before_store = self.decode + self.columns + self.encode + self.append + self.read
        return before_store + self.insert + self.merges


def measure(corpus: Corpus, folder: Path, *, store_records: int) -> Stages:
    """Send the corpus's beginning through the stages, one by one, `store_records` into the store.

    The second of two rounds: in the first one, memory touched for the first time costs more than
    the work, which a server that has run for a minute does not see.
    """
    part = corpus.first(store_records)
    each = 1e6 / part.records
    insert = store_stage.measure(part, folder / "unmerged", merges=False) * each
    whole = store_stage.measure(part, folder / "merged", merges=True) * each
    for number in range(2):
        stages = _before_store(corpus, folder / str(number))
    return replace(stages, insert=insert, merges=whole - insert)


def _before_store(corpus: Corpus, folder: Path) -> Stages:
    part = corpus.first(min(RECORDS, corpus.records))
    bodies = [bytes(body) for body in part.bodies(RECORDS_EACH)]
    decoder = NativeDecoder(WireLimits())
    decoder.decode(bodies[0], now_ns=time.time_ns())  # learns the shape, as a server soon has
    with _timed(fast, "build") as fast_s, _timed(columns, "build") as careful_s:
        decoding_s, batches = _cpu(lambda: [_decode(decoder, body) for body in bodies])
    columns_s = sum(fast_s) + sum(careful_s)
    encode_s, payloads = _cpu(lambda: [encode_batch(batch) for batch in batches])
    append_s, read_s = asyncio.run(
        _through_broker(f"disk://{folder.absolute() / 'broker'}", payloads)
    )
    each = 1e6 / part.records
    return Stages(
        decode=(decoding_s - columns_s) * each,
        columns=columns_s * each,
        encode=encode_s * each,
        append=append_s * each,
        read=read_s * each,
        insert=0.0,
        merges=0.0,
        payload_bytes=sum(map(len, payloads)) / part.records,
    )


def rows(stages: Stages) -> Iterator[Row]:
    """One row per stage."""
    area = "stages, core-µs per record"
    told = {
        "decode": "decode: JSON to values",
        "columns": "columns: values to Arrow",
        "encode": "broker: Arrow IPC, lz4",
        "append": "broker: append and fsync, 4 at once",
        "read": "worker: read, check, join into groups",
        "insert": "store: insert, fsynced",
        "merges": "store: merges until settled",
    }
    for name, what in told.items():
        yield note(area, what, f"{getattr(stages, name):.2f}")
    raw = {field.name: getattr(stages, field.name) for field in fields(stages)}
    what = "all of these"
    yield note(area, what, f"{stages.total:.2f}; {stages.payload_bytes:.0f} B a record", **raw)


def _decode(decoder: NativeDecoder, body: bytes) -> pa.RecordBatch:
    decoded = decoder.decode(body, now_ns=time.time_ns())
    if decoded.batch is None or decoded.rejected:
        raise RuntimeError(f"the corpus was not accepted: {decoded.errors[:3]}")
    return decoded.batch


def _cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    before_s = time.process_time()
    result = work()
    return time.process_time() - before_s, result


@contextmanager
def _timed(module: Any, name: str) -> Iterator[list[float]]:
    """Note the CPU seconds of each call of a module's function for the length of the block."""
    inner = getattr(module, name)
    taken_s: list[float] = []

    def outer(*arguments: Any) -> Any:
        before_s = time.process_time()
        try:
            return inner(*arguments)
        finally:
            taken_s.append(time.process_time() - before_s)

    with mock.patch.object(module, name, outer):
        yield taken_s


async def _through_broker(url: str, payloads: list[bytes]) -> tuple[float, float]:
    """CPU seconds of appending the payloads, four in flight, and of reading them as groups."""
    defaults = Settings()
    broker = open_broker(
        url,
        capacity_bytes=defaults.broker_capacity_bytes,
        segment_bytes=defaults.broker_segment_bytes,
        dedup_window_s=defaults.idempotency_window_s,
        dead_letter_bytes=defaults.dead_letter_bytes,
    )
    async with broker:
        async with await broker.producer() as producer:
            before_s = time.process_time()
            await asyncio.gather(*(_append(producer, payloads[k::4]) for k in range(4)))
            append_s = time.process_time() - before_s
        before_s = time.process_time()
        await _read(broker, len(payloads))
        return append_s, time.process_time() - before_s


async def _append(producer: Producer, payloads: list[bytes]) -> None:
    for payload in payloads:
        message = Message(payload=payload, rows=RECORDS_EACH, received_ns=time.time_ns())
        await producer.append(message)


async def _read(broker: Broker, expected: int) -> None:
    seen = 0
    async with await broker.consumer() as consumer:
        while seen < expected:
            entries = await consumer.read(max_bytes=READ_BYTES, wait_s=1.0)
            if not entries:
                raise RuntimeError(f"the broker gave {seen} of {expected} entries")
            concat([decode_batch(entry.message.payload) for entry in entries])
            await consumer.ack(await consumer.fix(entries))
            seen += len(entries)
