"""A MongoDB-protocol server for tests: the one that is named, or FerretDB built with Go.

FerretDB v1 keeps its documents in SQLite files: no indexes worth the name and nothing fast, but
the real protocol, driver and errors. It is built once into `servers_folder` from the module in
``tests/servers/ferretdb``, whose ``go.sum`` pins all of it::

    python -m tests.servers.mongodb             # builds it, or says why it cannot
    python -m tests.servers.mongodb --beside    # begins to, and returns at once
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pymongo import MongoClient

__all__ = ["FerretDB", "NoServer", "build_beside", "built", "given_url", "private_database"]

_SOURCE = Path(__file__).parent / "ferretdb"


class NoServer(Exception):
    """No such server can be had here; the message says why."""


def given_url() -> str | None:
    """The server that the developer named; only databases of our own are made in it."""
    return os.environ.get("LOGSTREAM_TEST_MONGODB_URL") or None


def servers_folder() -> Path:
    """Where built servers are kept: beside the environment that runs the tests."""
    return Path(sys.prefix) / "servers"


def built(*, timeout_s: float = 600) -> Path:
    """The server's program, built now if it was not; that takes minutes when Go's cache is empty.

    Of several processes that need it one builds, and the others wait for it.

    Raises:
        NoServer: there is no Go, or it could not build it.
    """
    program = servers_folder() / f"ferretdb-{_version()}"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        raise NoServer("there is no MongoDB server: set LOGSTREAM_TEST_MONGODB_URL, or install Go")
    program.parent.mkdir(parents=True, exist_ok=True)
    with _alone(program.with_suffix(".lock"), timeout_s):
        if not program.exists():
            _build(go, program, timeout_s)
    return program


def build_beside() -> None:
    """Begin to build it in a process of its own that gets what CPU nobody else wants; `built`
    waits for it."""
    subprocess.Popen(
        ["nice", "-n", "19", sys.executable, "-m", "tests.servers.mongodb"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


@contextmanager
def _alone(lock: Path, timeout_s: float) -> Iterator[None]:
    """No other process is inside; the lock of one that died is free."""
    deadline_s = time.monotonic() + timeout_s
    with lock.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as exc:
                if time.monotonic() > deadline_s:
                    raise _too_slow(timeout_s) from exc
                time.sleep(0.2)
        yield


def _build(go: str, program: Path, timeout_s: float) -> None:
    unfinished = program.with_name(f"{program.name}.{uuid.uuid4().hex}")
    command = [go, "build", "-trimpath", "-mod=readonly", "-tags=ferretdb_no_postgresql",
               "-ldflags=-s -w", "-o", str(unfinished), "."]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=_SOURCE, capture_output=True, text=True, timeout=timeout_s,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise NoServer(f"Go cannot build FerretDB here: {done.stderr.strip()[-300:]}")
        unfinished.replace(program)
    except subprocess.TimeoutExpired as exc:
        raise _too_slow(timeout_s) from exc
    finally:
        unfinished.unlink(missing_ok=True)


def _too_slow(timeout_s: float) -> NoServer:
    return NoServer(
        f"Go was not done with FerretDB after {timeout_s:.0f} s: build it first with "
        "python -m tests.servers.mongodb"
    )


def _version() -> str:
    [line] = [
        each
        for each in (_SOURCE / "go.mod").read_text().splitlines()
        if "FerretDB/FerretDB" in each
    ]
    return line.split()[-1]


class FerretDB:
    """A server of our own on a free loopback port; it can be stopped, killed and started again.

    Args:
        folder: Where its files go; private to it.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    @property
    def url(self) -> str:
        """Without a database."""
        return f"mongodb://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, f"127.0.0.1:{self.port}", str(self._folder)],
                cwd=self._folder, stdout=log, stderr=log,
            )  # fmt: skip
        end_s = time.monotonic() + 30
        while time.monotonic() < end_s and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise NoServer(f"FerretDB did not start: {(self._folder / 'log').read_text()[-300:]}")

    def stop(self, *, kill: bool = False) -> None:
        """Stop it, or kill it, and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self._process.wait(30)
            self._process = None


@contextmanager
def private_database(server_url: str) -> Iterator[str]:
    """The URL of a database that nobody else has, dropped afterwards."""
    name = f"logstream_test_{uuid.uuid4().hex[:16]}"
    head, _, options = server_url.partition("?")
    scheme, _, rest = head.partition("://")
    hosts, _, database = rest.partition("/")
    if "@" in hosts and "authsource=" not in options.lower():
        # Users live in the database that the URL names, which is about to become another.
        options = "&".join(filter(None, [options, f"authSource={database or 'admin'}"]))
    url = f"{scheme}://{hosts}/{name}" + (f"?{options}" if options else "")
    try:
        yield url
    finally:
        with MongoClient[dict[str, object]](server_url, serverSelectionTimeoutMS=5_000) as client:
            client.drop_database(name)


if __name__ == "__main__":
    if sys.argv[1:] == ["--beside"]:
        build_beside()
        sys.exit()
    try:
        print(built(timeout_s=1_200))  # noqa: T201 - a command
    except NoServer as exc:
        sys.exit(f"SKIPPED: {exc}")
