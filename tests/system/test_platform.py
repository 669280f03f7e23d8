"""The real platform, started by its command: what people do with it, and kill -9 in between."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logstream.cli import exits
from logstream.client import Connection

START_S, STOP_S = 60.0, 30.0
SAMPLES = Path(os.environ.get("LOGSTREAM_SAMPLE_DATA", "../shared/data")) / "loghub"
LOGSTREAM = (sys.executable, "-m", "logstream")


class Platform:
    """A running ``logstream up`` and commands that talk to it; ``settings`` by variable name."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.data = folder / "data"
        self.log = folder / "up.log"
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("LOGSTREAM_")
        } | {"LOGSTREAM_DATA_DIR": str(self.data), "LOGSTREAM_RETENTION": "40y", **settings}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*LOGSTREAM, "up", "--ingest-port", "0", "--dashboard-port", "0"],
                env=self.environment, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.dashboard = self._said(r"dashboard +(http://\S+)")
        self.ingest = self._said(r"ingestion API +(http://\S+)")

    def _said(self, pattern: str) -> str:
        """What the log says, as soon as it does."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(pattern, self.log.read_text())
            if found:
                return found[1]
            time.sleep(0.05)
        raise AssertionError(f"never said {pattern}:\n{self.log.read_text()}")

    def children(self, words: str) -> list[int]:
        """Pids of our processes whose command line has these words."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                command = stat.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it ended meanwhile
                continue
            if parent == self.process.pid and words in command:
                found.append(int(stat.parent.name))
        return found

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command, run to its end."""
        return subprocess.run(
            [*LOGSTREAM, *arguments], env=self.environment, capture_output=True, text=True,
            timeout=90, check=False,
        )  # fmt: skip

    def query(self, query: str, *options: str) -> list[dict[str, Any]]:
        """The rows that ``logstream query`` finds."""
        done = self.run(
            "query", "--url", self.dashboard, "--from", "now-39y", "--to", "now+1h",
            "--output", "ndjson", *options, query,
        )  # fmt: skip
        assert done.returncode == exits.OK, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def query_until(self, query: str, rows: int) -> list[dict[str, Any]]:
        """The same, waiting until so many rows are there."""
        deadline = time.monotonic() + START_S
        while True:
            found = self.query(query, "--all")
            if len(found) >= rows or time.monotonic() > deadline:
                return found

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform for all tests of this file."""
    platform = Platform(tmp_path_factory.mktemp("platform"))
    yield platform
    if platform.process.poll() is None:
        platform.process.kill()
        platform.process.wait()


def test_posted_record_can_be_found(platform: Platform) -> None:
    """What was acknowledged is found by search, with its level and attributes."""
    connection = Connection(platform.ingest)
    body = json.dumps({"level": "warn", "message": "hello platform", "service": "t", "n": 7})
    answer = connection.request(
        "POST", "/logs", body=body.encode(), headers={"Content-Type": "application/json"}
    )
    connection.close()

    assert answer.status == 202
    assert answer.json()["accepted"] == 1
    (row,) = platform.query_until('"hello platform"', 1)
    assert (row["level"], row["service"], row["attributes"]) == (
        "warn", "t", {"n": "7", "logstream.timestamp": "received"},
    )  # fmt: skip


def test_kill_9_loses_and_doubles_nothing(platform: Platform) -> None:
    """Both kinds of process are killed during a run; every acknowledged record is there once."""
    simulation = subprocess.Popen(
        [
            *LOGSTREAM, "simulate", "--verify", "--rate", "500", "--seconds", "8", "--batch", "10",
            "--url", platform.ingest, "--dashboard-url", platform.dashboard,
        ],
        env=platform.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    ledgers = platform.data / "simulate"
    _until(lambda: "ack" in "".join(path.read_text() for path in ledgers.glob("*.ledger")))
    for words in (" ingest", "store_process", " ingest"):
        (pid,) = platform.children(words)
        os.kill(pid, signal.SIGKILL)
        _until(lambda: bool(set(platform.children(words)) - {pid}))  # noqa: B023 – called at once
    output, _ = simulation.communicate(timeout=120)

    assert simulation.returncode == exits.OK, output
    assert "nothing lost, nothing doubled" in output
    assert "was killed by SIGKILL, starting again" in platform.log.read_text()


def test_sent_file_can_be_queried(platform: Platform) -> None:
    """A real log of 2017 is sent, and its lines are found with time, level and logger."""
    if not SAMPLES.is_dir():
        pytest.skip("sample data is not here")
    done = platform.run("send", "--url", platform.ingest, str(SAMPLES / "Spark.log"))
    assert done.returncode == exits.OK, done.stderr
    assert "2,000 accepted, 0 refused" in done.stdout
    found = platform.query_until("service:Spark", 2_000)

    assert len(found) == 2_000
    rows = platform.query('"Registered signal handlers"')
    assert {row["timestamp"] for row in rows} == {"2017-06-09T20:10:40Z"}
    assert {row["level"] for row in rows} == {"info"}
    table = platform.query("service:Spark | stats count() n by level")
    assert sum(row["n"] for row in table) == 2_000


def test_second_platform_on_the_same_folder_is_refused(platform: Platform) -> None:
    """The error names the process that is there."""
    done = platform.run("up", "--ingest-port", "0", "--dashboard-port", "0")

    assert done.returncode == exits.USAGE
    assert f"pid {platform.process.pid}" in done.stderr


def test_port_in_use_names_the_setting(platform: Platform, tmp_path: Path) -> None:
    """Somebody else's port is an error before anything starts."""
    port = platform.ingest.rpartition(":")[2]
    done = platform.run("up", "--data-dir", str(tmp_path / "other"), "--ingest-port", port)

    assert done.returncode == exits.USAGE
    assert f"ingest_port {port}" in done.stderr


def test_status_shows_the_pipeline(platform: Platform) -> None:
    """People see what waits and what is stored; programs get JSON."""
    table = platform.run("status", "--url", platform.dashboard)
    assert table.returncode == exits.OK, table.stderr
    assert "storage" in table.stdout
    as_json = platform.run("status", "--url", platform.dashboard, "--output", "json")
    assert json.loads(as_json.stdout)["queue"]["capacity_bytes"] > 0


def test_bad_query_is_explained(platform: Platform) -> None:
    """A wrong query is a usage error that says where and what was expected."""
    done = platform.run("query", "--url", platform.dashboard, "* | stat count()")

    assert done.returncode == exits.USAGE
    assert "line 1 column" in done.stderr


def test_tail_shows_what_arrives(platform: Platform) -> None:
    """A record posted while somebody follows is shown at once."""
    tail = subprocess.Popen(
        [*LOGSTREAM, "tail", "--url", platform.dashboard, "--output", "ndjson", "tailed"],
        env=platform.environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    connection = Connection(platform.ingest)
    body = b'{"message":"tailed"}'
    connection.request("POST", "/logs", body=body, headers={"Content-Type": "application/json"})
    connection.close()
    assert tail.stdout is not None
    line = tail.stdout.readline()
    tail.kill()
    tail.communicate()

    assert line, platform.log.read_text()[-2_000:]
    assert json.loads(line)["message"] == "tailed"


def test_tail_survives_a_restart_of_the_dashboard(
    platform: Platform, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """kill -9 of the process behind a tail loses and doubles none of its lines, and is told."""
    said = tmp_path / "said"
    with said.open("wb") as errors:
        tail = subprocess.Popen(
            [*LOGSTREAM, "tail", "--url", platform.dashboard, "--output", "ndjson",
             "--backfill", "0", "restarted"],
            env=platform.environment, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
    assert tail.stdout is not None
    connection = Connection(platform.ingest)

    def post(number: int) -> None:
        body = json.dumps({"message": "restarted", "n": number}).encode()
        assert connection.request("POST", "/logs", body=body).status == 202

    def tails_open() -> int:
        status = platform.run("status", "--url", platform.dashboard, "--output", "json")
        return int(json.loads(status.stdout)["tails"]["open"])

    shown: list[int] = []
    request.addfinalizer(tail.kill)

    def show(count: int) -> None:
        assert tail.stdout is not None
        shown.extend(
            int(json.loads(tail.stdout.readline())["attributes"]["n"]) for _ in range(count)
        )

    _until(lambda: tails_open() == 1)
    for number in range(3):
        post(number)
    show(3)
    for start in (3, 6):
        (pid,) = platform.children("store_process")
        os.kill(pid, signal.SIGKILL)
        for number in range(start, start + 3):
            post(number)
        show(3)
    tail.kill()
    tail.communicate()
    connection.close()

    assert shown == list(range(9))
    assert "; trying again" in said.read_text()
    assert said.read_text().count("connected again") == 2


def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    """After kill -9 of the supervisor everything ends by itself, and the folder is free again."""
    platform = Platform(tmp_path)
    children = platform.children("logstream")
    platform.process.kill()
    platform.process.wait()

    assert len(children) == 2
    _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))


def test_sigterm_stops_everything_in_time(tmp_path: Path) -> None:
    """SIGTERM ends all processes with exit code 0, and what was accepted is in the store."""
    platform = Platform(tmp_path)
    children = platform.children("logstream")

    assert platform.stop() == exits.OK
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert platform.log.read_text().endswith("stopped\n")


def _until(condition: Any) -> None:
    """Wait for something that is bound to happen."""
    deadline = time.monotonic() + START_S
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)
