"""A real process is killed while it inserts into MongoDB; a replay leaves every row once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.store.mongodb_server import MongoServer, mongo_server

_ROWS = 150

_WRITER = """
import asyncio, sys
from logstream.record import batch_of
from logstream.store import open_store
from logstream.store.mongodb import insert as mongodb_insert
from logstream.testing.store_contract import logs

async def main():
    mongodb_insert.CHUNK_ROWS = 15
    store = open_store(sys.argv[1])
    await store.start()
    batch = batch_of(logs(int(sys.argv[2])))
    for group in range(1, 1000):
        print("start", group, flush=True)
        await store.insert(batch, group=group)
        print("done", group, flush=True)

asyncio.run(main())
"""

_REPLAY = """
import asyncio, sys
from logstream.query import Everything, parse
from logstream.record import batch_of
from logstream.store import open_store
from logstream.testing.store_contract import ALL_TIME, logs

async def main():
    store = open_store(sys.argv[1])
    await store.start()
    batch = batch_of(logs(int(sys.argv[2])))
    await store.insert(batch, group=int(sys.argv[3]), verify=True)
    seen = [b.num_rows async for b in store.export(Everything(), ALL_TIME)]
    count = await store.table(parse("* | stats count() n"), ALL_TIME)
    again = await store.insert(batch, group=int(sys.argv[3]), verify=True)
    print(sum(seen), count.rows[0][0], again.present)
    await store.close()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A MongoDB server, running for the whole module."""
    yield from mongo_server(tmp_path_factory.mktemp("mongodb"))


@pytest.mark.parametrize("kill_after_ms", [0, 30, 90])
def test_killed_while_inserting(server: MongoServer, kill_after_ms: int) -> None:
    """Groups that were done stay, the one that was under way is completed, none is doubled."""
    url = server.database()
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, url, str(_ROWS)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    for line in writer.stdout:
        if line == "start 3\n":
            break
    time.sleep(kill_after_ms / 1000)
    os.kill(writer.pid, signal.SIGKILL)
    rest = writer.stdout.read().splitlines()
    writer.stdout.close()
    writer.wait()
    started = max([3, *(int(line.split()[1]) for line in rest if line.startswith("start "))])
    done = subprocess.run(
        [sys.executable, "-c", _REPLAY, url, str(_ROWS), str(started)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    expected = _ROWS * started
    assert done.stdout.split() == [str(expected), str(expected), str(_ROWS)], done.stderr[-500:]
