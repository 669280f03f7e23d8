"""``logstream migrate`` between real stores, killed on its way."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from logstream.cli import exits, main
from logstream.migrate.child import ChildSource
from logstream.record import batch_of
from logstream.store import open_store
from logstream.testing.store_contract import ALL_TIME, every_page, log
from tests.store.clickhouse_servers import Servers

ROWS = 25_000
_FILL = """
import asyncio, sys
from logstream.record import batch_of
from logstream.store import open_store
from logstream.testing.store_contract import log

async def main(url, rows):
    store = open_store(url)
    await store.start()
    await store.insert(batch_of([log(n % (rows - 5)) for n in range(rows)]), group=1)
    await store.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""
_MESSAGES = """
import asyncio, json, sys
from logstream.store import open_store
from logstream.testing.store_contract import every_page

async def main(url):
    store = open_store(url)
    await store.start()
    print(json.dumps([row.record.message for row in await every_page(store, limit=10_000)]))
    await store.close()

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A ClickHouse server, running for the whole module."""
    servers = Servers(tmp_path_factory.mktemp("clickhouse"))
    yield servers
    servers.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An embedded store with many records, some of them twins."""
    url = f"chdb://{tmp_path_factory.mktemp('source')}/store"
    subprocess.run([sys.executable, "-c", _FILL, url, str(ROWS)], check=True)
    return url


def wanted() -> Counter[str]:
    return Counter(log(n % (ROWS - 5)).message for n in range(ROWS))


def found(url: str) -> Counter[str]:
    """The messages in a store, read by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _MESSAGES, url], capture_output=True, text=True, check=True
    )
    return Counter(json.loads(done.stdout))


def migrate(state: Path, source: str, to: str, *options: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LOGSTREAM_")}
    return subprocess.Popen(
        [
            sys.executable, "-m", "logstream", "migrate", "--from", source, "--to", to,
            "--state", str(state), *options,
        ],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


@pytest.mark.parametrize("to", ["clickhouse", "chdb"])
def test_killed_and_run_again_is_once(
    tmp_path: Path, filled: str, servers: Servers, to: str
) -> None:
    """kill -9 at several moments, then a run to the end: every record is there once."""
    destination = servers.url() if to == "clickhouse" else f"chdb://{tmp_path}/to/store"
    state = tmp_path / "state"
    for batch in ("1", "100000"):
        process = migrate(state, filled, destination, "--batch", batch)
        before = _changed(state)
        while _changed(state) == before and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        process.communicate()
    code, output = finished(migrate(state, filled, destination))

    assert code == exits.OK, output
    assert f"{ROWS:,} in all; 0 refused" in output
    assert found(destination) == wanted()


def _changed(state: Path) -> int:
    return sum(path.stat().st_mtime_ns for path in state.glob("*.state"))


async def test_a_reader_may_say_a_lot(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says beside its answer holds up neither it nor whoever stops in the middle."""
    monkeypatch.setenv("PYTHONVERBOSE", "1")  # more than a pipe holds
    source = ChildSource(filled, ALL_TIME)
    async with asyncio.timeout(60):
        rows = [
            chunk.batch.num_rows async for chunk in source.chunks(b"") if chunk.batch is not None
        ]
        assert sum(rows) == ROWS
        chunks = source.chunks(b"")
        await anext(chunks)
        await chunks.aclose()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("{filled} {filled}", "the same store"),
        ("chdb://{tmp}/none chdb://{tmp}/to", "no store at"),
        ("memory: {filled}", "memory:"),
        ("{filled} http://x", "no store of kind"),
        ("{filled} chdb://{tmp}/to --since now-1d", "no point in time"),
        ("{filled} chdb://{tmp}/to --collection logs", "MongoDB"),
    ],
)
def test_what_cannot_be_copied_is_said(
    tmp_path: Path, filled: str, arguments: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong places are usage errors of one line."""
    source, to, *options = arguments.format(filled=filled, tmp=tmp_path).split()
    state = ["--state", str(tmp_path / "state")]

    assert main(["migrate", "--from", source, "--to", to, *state, *options]) == exits.USAGE
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_an_import_beside_a_running_worker(tmp_path: Path, servers: Servers, filled: str) -> None:
    """Records that a worker writes to the destination meanwhile keep their ids to themselves."""
    url = servers.url()

    async def beside() -> int:
        store = open_store(url)
        await store.start()
        process = migrate(tmp_path / "state", filled, url, "--batch", "1")
        group = time.time_ns() // 1_000_000 << 2
        rounds = 0
        while process.poll() is None:
            await store.insert(batch_of([log(n) for n in range(10)]), group=group + rounds)
            rounds += 1
            await asyncio.sleep(0.05)
        process.communicate()
        rows = await every_page(store, limit=10_000)
        await store.close()
        assert len({row.id for row in rows}) == len(rows)
        return len(rows) - 10 * rounds

    assert asyncio.run(beside()) == ROWS
