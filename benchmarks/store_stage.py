"""The store's share of a bulk import, in a process of its own: core-seconds of insert and merges.

    python -m benchmarks.store_stage FOLDER CORPUS RECORDS [--stop-merges]

Inserts the corpus in groups of `GROUP_ROWS` through the store that `logstream up` uses, waits until
its background work has ended, and prints `{"cpu_s": …}`, decoding left out. The difference between
a run with merges and one without is what merges cost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from benchmarks import servers
from benchmarks.corpus import Corpus, read_index
from logstream.record import concat
from logstream.store import MEMORY_BYTES, open_store
from logstream.store.clickhouse.driver import chdb_client
from logstream.wire import NativeDecoder, WireLimits

# What the worker's inserts hold while a bulk import keeps it busy.
GROUP_ROWS = 200_000
BODY_ROWS = 2_000


def measure(corpus: Corpus, folder: Path, *, merges: bool) -> float:
    """Core-seconds of the store's process for inserting the corpus, in a process of its own.

    Raises:
        CalledProcessError: it failed; its error output went to ours.
    """
    command = [
        sys.executable, "-m", "benchmarks.store_stage", str(folder), str(corpus.path),
        str(corpus.records), *([] if merges else ["--stop-merges"]),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=servers.REPOSITORY, check=True, stdout=subprocess.PIPE)
    return float(json.loads(done.stdout)["cpu_s"])


def groups(corpus: Corpus) -> Iterator[pa.RecordBatch]:
    """The corpus decoded and joined into groups."""
    decoder = NativeDecoder(WireLimits())
    batches: list[pa.RecordBatch] = []
    for body in corpus.bodies(BODY_ROWS):
        batch = decoder.decode(bytes(body), now_ns=time.time_ns()).batch
        if batch is None:
            raise RuntimeError("the corpus was not accepted")
        batches.append(batch)
        if sum(each.num_rows for each in batches) >= GROUP_ROWS:
            yield concat(batches)
            batches = []
    if batches:
        yield concat(batches)


async def _insert(corpus: Corpus, folder: Path, *, stop_merges: bool) -> float:
    store = open_store(f"chdb://{folder}")
    await store.start()
    if stop_merges:
        client = chdb_client(folder, memory_bytes=MEMORY_BYTES)()
        client.command("SYSTEM STOP MERGES")
    began_s = time.process_time()
    decoding_s = 0.0
    before_s = time.thread_time()
    for number, group in enumerate(groups(corpus), 1):
        decoding_s += time.thread_time() - before_s
        await store.insert(group, group=number)
        before_s = time.thread_time()
    servers.wait_settled([os.getpid()])
    cpu_s = time.process_time() - began_s - decoding_s
    await store.close()
    return cpu_s


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description="Core-seconds of the store for one import.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("records", type=int)
    parser.add_argument("--stop-merges", action="store_true")
    options = parser.parse_args()
    corpus = read_index(options.corpus).first(options.records)
    folder = options.folder.absolute()
    cpu_s = asyncio.run(_insert(corpus, folder, stop_merges=options.stop_merges))
    print(json.dumps({"cpu_s": cpu_s}))


if __name__ == "__main__":
    main()
