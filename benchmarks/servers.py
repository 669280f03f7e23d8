"""Starts and stops the servers that are measured: private folders, free loopback ports, by pid."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import proc
from benchmarks.client import wait_ready

PEER_FOLDER = Path(__file__).parent / "peers" / "express-bullmq"
REPOSITORY = Path(__file__).parent.parent
LOGSTREAM = Path(sys.executable).parent / "logstream"
READY_S = 60.0
STOP_S = 30.0


class Unavailable(Exception):
    """Something that a row needs is not on this machine; the row is skipped with this reason."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: `pids` are the roots of its process trees."""

    name: str
    port: int
    pids: tuple[int, ...]
    dashboard_port: int = 0

    @property
    def logs_url(self) -> str:
        """Where logs are posted."""
        return f"http://127.0.0.1:{self.port}/logs"


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(sock.getsockname()[1]) for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


@contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for the length of the block, its output in `log`; stop it and what it left."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end; after `STOP_S` kill it and everything it started."""
    below = [stat.pid for stat in proc.tree(process.pid)][1:]
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in below:
        if any(stat.pid == pid for stat in proc.tree(pid)) and _same_session(pid, process.pid):
            os.kill(pid, signal.SIGKILL)


def _same_session(pid: int, session: int) -> bool:
    try:
        return os.getsid(pid) == session
    except ProcessLookupError:
        return False


@contextmanager
def express_peer(folder: Path) -> Iterator[Server]:
    """The Express + zod + BullMQ API on a Redis of its own.

    Raises:
        Unavailable: Node, npm or redis-server is missing, or the packages cannot be installed.
    """
    for program in ("node", "npm", "redis-server"):
        if not shutil.which(program):
            raise Unavailable(f"{program} is not installed")
    _install_peer()
    port, redis_port = free_ports(2)
    redis_command = [
        "redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--dir", str(folder),
        "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--maxmemory-policy", "noeviction",
    ]  # fmt: skip
    env = {"NODE_ENV": "production", "PORT": str(port), "REDIS_PORT": str(redis_port)}
    with (
        running(redis_command, folder / "redis.log") as redis,
        running(["node", "server.js"], folder / "node.log", cwd=PEER_FOLDER, env=env) as node,
    ):
        _wait(port, node, folder / "node.log")
        yield Server("Express + zod + BullMQ", port, (node.pid, redis.pid))


def _install_peer() -> None:
    if (PEER_FOLDER / "node_modules" / ".package-lock.json").exists():
        return
    done = subprocess.run(
        ["npm", "ci", "--omit=dev", "--no-progress"],
        cwd=PEER_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unavailable(f"npm ci failed: {done.stderr.strip()[-300:]}")


@contextmanager
def trivial_rsgi(folder: Path) -> Iterator[Server]:
    """An application that only answers, on the server that LogStream uses."""
    (port,) = free_ports(1)
    command = [
        str(Path(sys.executable).parent / "granian"), "--interface", "rsgi",
        "--host", "127.0.0.1", "--port", str(port), "--no-ws",
        "--loop", "uvloop", "--log-level", "warning", "benchmarks.trivial_rsgi:app",
    ]  # fmt: skip
    with running(command, folder / "trivial.log", cwd=REPOSITORY) as process:
        _wait(port, process, folder / "trivial.log")
        yield Server("trivial RSGI", port, (process.pid,))


@contextmanager
def logstream_up(data: Path, *extra: str) -> Iterator[Server]:
    """The whole platform on the data folder `data`.

    Raises:
        Unavailable: the `logstream` command is not installed in this environment.
    """
    ingest_port, dashboard_port = free_ports(2)
    command = [
        "up", "--data-dir", str(data), "--ingest-port", str(ingest_port),
        "--dashboard-port", str(dashboard_port), *extra,
    ]  # fmt: skip
    with _logstream(command, data) as process:
        _wait(ingest_port, process, _log_of(data))
        _wait(dashboard_port, process, _log_of(data))
        yield Server("LogStream", ingest_port, (process.pid,), dashboard_port)


@contextmanager
def logstream_ingest(data: Path, *extra: str) -> Iterator[Server]:
    """Ingestion alone, the store and the worker stopped.

    Raises:
        Unavailable: the `logstream` command is not installed in this environment.
    """
    (port,) = free_ports(1)
    command = ["ingest", "--data-dir", str(data), "--ingest-port", str(port), *extra]
    with _logstream(command, data) as process:
        _wait(port, process, _log_of(data))
        yield Server("LogStream, store stopped", port, (process.pid,))


def _log_of(data: Path) -> Path:
    return data.parent / f"{data.name}.log"


@contextmanager
def _logstream(arguments: Sequence[str], data: Path) -> Iterator[subprocess.Popen[bytes]]:
    if not LOGSTREAM.exists():
        raise Unavailable("the logstream command is not installed in this environment")
    data.parent.mkdir(parents=True, exist_ok=True)
    with running([LOGSTREAM, *arguments], _log_of(data)) as process:
        yield process


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        wait_ready(port, timeout_s=READY_S, alive=lambda: process.poll() is None)
    except (RuntimeError, TimeoutError) as error:
        tail = log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{error}; its log ends:\n{tail}") from error


@contextmanager
def workspace(keep_under: Path | None) -> Iterator[Path]:
    """A private folder for the servers' data, removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix="logstream-bench-", dir=keep_under))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def wait_settled(pids: Sequence[int], *, timeout_s: float = 300.0) -> float:
    """Wait until the trees are idle; returns the Unix time in seconds when they became so.

    Idle means two seconds in a row with under 5 % of one core: nothing is being merged.

    Raises:
        TimeoutError: still busy after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    quiet_since: float | None = None
    before = proc.cpu_s(pids)
    while time.monotonic() < deadline:
        time.sleep(0.5)
        now = proc.cpu_s(pids)
        busy = now - before > 0.5 * 0.05
        before = now
        if busy:
            quiet_since = None
        elif quiet_since is None:
            quiet_since = time.time() - 0.5
        elif time.time() - quiet_since >= 2.0:
            return quiet_since
    raise TimeoutError(f"still busy after {timeout_s:.0f} s")
