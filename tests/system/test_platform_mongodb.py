"""The platform on MongoDB: ``logstream up --broker disk --store mongodb://…``, and kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from logstream.cli import exits
from tests.store.mongodb_server import MongoServer, mongo_server
from tests.system.test_platform import LOGSTREAM, Platform, _until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A MongoDB server, running for the whole module."""
    yield from mongo_server(tmp_path_factory.mktemp("mongodb"))


def test_up_on_mongodb_loses_and_doubles_nothing(server: MongoServer, tmp_path: Path) -> None:
    """The worker is killed during a run; every acknowledged record is found, once, and counted."""
    platform = Platform(tmp_path, LOGSTREAM_STORE=server.database())
    try:
        simulation = subprocess.Popen(
            [
                *LOGSTREAM, "simulate", "--verify", "--rate", "60", "--seconds", "5", "--batch",
                "10", "--url", platform.ingest, "--dashboard-url", platform.dashboard,
            ],
            env=platform.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        ledgers = platform.data / "simulate"
        _until(lambda: "ack" in "".join(path.read_text() for path in ledgers.glob("*.ledger")))
        for _ in range(2):
            (pid,) = platform.children("store_process")
            os.kill(pid, signal.SIGKILL)
            _until(lambda: bool(set(platform.children("store_process")) - {pid}))  # noqa: B023
        output, _ = simulation.communicate(timeout=120)
        assert simulation.returncode == exits.OK, output
        assert "nothing lost, nothing doubled" in output

        status = platform.run("status", "--url", platform.dashboard, "--output", "json")
        answer = json.loads(status.stdout)
        assert any("MongoDB" in each["message"] for each in answer["warnings"])
        rows = platform.query("* | stats count() n by level")
        assert sum(row["n"] for row in rows) == answer["storage"]["records"] > 0
        assert platform.stop() == exits.OK
    finally:
        if platform.process.poll() is None:
            platform.process.kill()
            platform.process.wait()
