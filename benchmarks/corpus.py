"""A deterministic corpus of mixed service logs as NDJSON, about 260 bytes a record.

    python -m benchmarks.corpus RECORDS FILE [--start 2026-01-01T00:00:00Z]

Record k is stamped k × 37 µs after the start. The records are made in chunks of 10 000, each from
its own seed, so that the content does not depend on how many processes write it, and a short corpus
is a prefix of a long one.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import mmap
import multiprocessing
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from random import Random

SEED = 42
CHUNK_RECORDS = 10_000
STEP_US = 37
SERVICES = (
    "checkout", "payments", "auth", "catalog", "cart",
    "search", "shipping", "gateway", "email", "inventory",
)  # fmt: skip
REGIONS = ("eu", "us", "ap")
STATUSES = (200, 200, 200, 404, 500)

Message = Callable[[int, int, int, str], str]
"""(id below 10^7, milliseconds below 5 000, spare 32 random bits, service) -> message text."""

TEMPLATES: tuple[tuple[float, str, Message], ...] = (
    (40, "info", lambda i, ms, x, svc: f"GET /api/v1/items/{i} 200 {ms}ms"),
    (10, "info", lambda i, ms, x, svc: f"user u{i % 10**5} logged in from {_address(x)}"),
    (5, "warn", lambda i, ms, x, svc: f"slow query took {ms}ms on table orders where id={i}"),
    (2, "error", lambda i, ms, x, svc: f"payment gateway timeout after {ms}ms for order {i}"),
    (15, "info", lambda i, ms, x, svc: f"cache hit ratio {i % 1001 / 1000} for shard {x & 63}"),
    (10, "debug", lambda i, ms, x, svc: f"kafka consumer lag partition={x & 63} offset={i}"),
    (1, "error", lambda i, ms, x, svc: (
        "java.lang.NullPointerException: Cannot invoke method on null at "
        f"com.shop.{svc}.Handler.handle(Handler.java:{x & 63})")),
    (12, "info", lambda i, ms, x, svc: (
        f"published event OrderCreated id={i} to topic orders-{x & 63}")),
    (4, "warn", lambda i, ms, x, svc: f"retrying request {i} attempt {x & 63} of 5"),
    (0.1, "fatal", lambda i, ms, x, svc: (
        f"out of memory: killed process {i} ({svc}) total-vm:{ms}kB")),
)  # fmt: skip
_CUMULATIVE_WEIGHTS = tuple(accumulate(weight for weight, _, _ in TEMPLATES))


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus file: `offsets[k]` is where record `k × stride` begins, its last item the size."""

    path: Path
    records: int
    start: dt.datetime
    offsets: array[int]
    stride: int

    @property
    def size_bytes(self) -> int:
        """Bytes of NDJSON in the file."""
        return self.offsets[-1]

    @property
    def end(self) -> dt.datetime:
        """One step after the last record's timestamp."""
        return self.start + dt.timedelta(microseconds=self.records * STEP_US)

    def first(self, records: int) -> Corpus:
        """The corpus's beginning, in the same file.

        Raises:
            ValueError: it is shorter than that, or `records` is not a multiple of the stride.
        """
        if records > self.records or records % self.stride:
            raise ValueError(f"cannot take {records} of {self.records} records")
        offsets = self.offsets[: records // self.stride + 1]
        return replace(self, records=records, offsets=offsets)

    def bodies(self, records_each: int) -> Iterator[memoryview]:
        """The file cut into bodies of `records_each` records, without copying.

        Raises:
            ValueError: `records_each` is not a multiple of the index's stride.
        """
        if records_each % self.stride:
            raise ValueError(f"bodies must hold a multiple of {self.stride} records")
        with self.path.open("rb") as file:
            whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        starts = self.offsets[:-1][:: records_each // self.stride]
        for begin, end in zip(starts, [*starts[1:], self.size_bytes], strict=True):
            yield whole[begin:end]


def _address(bits: int) -> str:
    return f"10.{bits >> 8 & 255}.{bits >> 16 & 255}.{bits >> 24}"


def record_lines(chunk: int, start: dt.datetime, records: int = CHUNK_RECORDS) -> list[str]:
    """The first `records` lines of chunk number `chunk`, each with its newline."""
    rnd = Random(SEED * 1_000_003 + chunk)
    templates = rnd.choices(TEMPLATES, cum_weights=_CUMULATIVE_WEIGHTS, k=CHUNK_RECORDS)
    services = rnd.choices(SERVICES, k=CHUNK_RECORDS)
    regions = rnd.choices(REGIONS, k=CHUNK_RECORDS)
    statuses = rnd.choices(STATUSES, k=CHUNK_RECORDS)
    ids, times, spare, more = (array("I", rnd.randbytes(4 * CHUNK_RECORDS)) for _ in range(4))
    traces = rnd.randbytes(16 * CHUNK_RECORDS).hex()
    step = dt.timedelta(microseconds=STEP_US)
    at = start.replace(tzinfo=None) + step * (chunk * CHUNK_RECORDS)
    stamps = [(at + step * k).isoformat(timespec="microseconds") for k in range(records)]
    return [
        f'{{"timestamp":"{stamps[k]}Z","level":"{level}","service":"{service}","message":"'
        f"{message(ids[k] % 10**7, times[k] % 5000, spare[k], service)}"
        f'","trace_id":"{traces[32 * k : 32 * k + 32]}","attributes":{{"host":'
        f'"node-{more[k] % 40:02d}","region":"{region}","status":{status},'
        f'"duration_ms":{(more[k] >> 8) % 10**6 / 1000}}}}}\n'
        for k, (_, level, message), service, region, status in zip(
            range(records), templates, services, regions, statuses, strict=False
        )
    ]


def single_logs(count: int, start: dt.datetime) -> list[bytes]:
    """`count` one-log bodies in the shape that both compared APIs take (attributes: `metadata`)."""
    chunks = -(-count // CHUNK_RECORDS)
    bodies = []
    for line in [line for c in range(chunks) for line in record_lines(c, start)][:count]:
        record = json.loads(line)
        log = {name: record[name] for name in ("level", "message", "service", "timestamp")}
        metadata = {"trace_id": record["trace_id"], **record["attributes"]}
        bodies.append(json.dumps({**log, "metadata": metadata}, separators=(",", ":")).encode())
    return bodies


def _encode_chunk(work: tuple[int, dt.datetime, int, int]) -> tuple[bytes, list[int]]:
    chunk, start, records, stride = work
    lines = record_lines(chunk, start, records)
    pieces = ["".join(lines[k : k + stride]).encode("ascii") for k in range(0, records, stride)]
    return b"".join(pieces), [len(piece) for piece in pieces]


def write(path: Path, records: int, start: dt.datetime, *, stride: int = 100) -> Corpus:
    """Write `records` records to `path`, using every core.

    Spawns processes: only for a main module that guards itself by `__name__`.
    """
    chunks = range(-(-records // CHUNK_RECORDS))
    work = (
        (chunk, start, min(CHUNK_RECORDS, records - chunk * CHUNK_RECORDS), stride)
        for chunk in chunks
    )
    offsets = array("Q", [0])
    with path.open("wb") as file, multiprocessing.get_context("spawn").Pool() as pool:
        for encoded, sizes in pool.imap(_encode_chunk, work, chunksize=4):
            file.write(encoded)
            offsets.extend(list(accumulate(sizes, initial=offsets[-1]))[1:])
    return Corpus(path, records, start, offsets, stride)


def save_index(corpus: Corpus) -> None:
    """Write beside the corpus what `read_index` reads."""
    index = {
        "records": corpus.records,
        "start": corpus.start.isoformat(),
        "stride": corpus.stride,
        "offsets": list(corpus.offsets),
    }
    _index_of(corpus.path).write_text(json.dumps(index))


def read_index(path: Path) -> Corpus:
    """The corpus whose index was saved beside `path`.

    Raises:
        FileNotFoundError: there is none.
    """
    index = json.loads(_index_of(path).read_text())
    start = dt.datetime.fromisoformat(index["start"])
    offsets = array("Q", index["offsets"])
    return Corpus(path, index["records"], start, offsets, index["stride"])


def _index_of(path: Path) -> Path:
    return path.with_suffix(".index.json")


def ensure(folder: Path, records: int, start: dt.datetime) -> Corpus:
    """The corpus of `records` records from `start`, written to `folder` unless it is there.

    Raises:
        CalledProcessError: it cannot be written.
    """
    path = folder / f"corpus-{records}-{start:%Y%m%dT%H%M%S}.ndjson"
    if not _index_of(path).exists():
        folder.mkdir(parents=True, exist_ok=True)
        # A process of its own: `write` spawns others, which would import the caller's main module.
        command = [sys.executable, "-m", "benchmarks.corpus", str(records), str(path)]
        repository = Path(__file__).parent.parent
        subprocess.run([*command, "--start", start.isoformat()], check=True, cwd=repository)
    return read_index(path)


def main() -> None:
    """Write a corpus from the command line."""
    parser = argparse.ArgumentParser(description="Write the benchmark corpus as NDJSON.")
    parser.add_argument("records", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--start", help="RFC 3339 time of the first record (default: an hour ago)")
    options = parser.parse_args()
    hour_ago = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=1)
    start = dt.datetime.fromisoformat(options.start) if options.start else hour_ago
    save_index(write(options.file, options.records, start.astimezone(dt.UTC)))


if __name__ == "__main__":
    main()
