"""Real Redis servers for tests: started on free loopback ports, in private folders, and stopped.

Nothing but what was started here is ever touched.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["RedisClusterServers", "RedisServer", "redis_program"]

_START_S = 60.0
_SLOTS = 16_384
_IN_MEMORY = Path("/dev/shm")


def redis_program() -> str | None:
    """``redis-server``: the one ``LOGSTREAM_TEST_REDIS_SERVER`` names, or the system's."""
    return os.environ.get("LOGSTREAM_TEST_REDIS_SERVER") or shutil.which("redis-server")


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class RedisServer:
    """One server. Its data survive `kill` and `start`; `close` ends and removes all.

    Args:
        options: More of redis-server's command line.
        in_memory: Whether its folder is one in memory, where fsync costs nothing: what kill -9
            can do to it is the same.
    """

    def __init__(self, options: Sequence[str] = (), *, in_memory: bool = True) -> None:
        parent = _IN_MEMORY if in_memory and _IN_MEMORY.is_dir() else None
        self.folder = Path(tempfile.mkdtemp(prefix="logstream-redis-", dir=parent))
        self.port, self._bus_port = free_ports(2)
        self._options = [*options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *, wait: bool = True) -> None:
        program = redis_program()
        assert program is not None
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    program, "--port", str(self.port), "--bind", "127.0.0.1",
                    "--dir", str(self.folder), "--save", "", "--appendonly", "yes",
                    "--appendfsync", "always", "--daemonize", "no",
                    "--cluster-port", str(self._bus_port), *self._options,
                ],
                stdout=log, stderr=log,
            )  # fmt: skip
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        deadline_s = time.monotonic() + _START_S
        while True:
            try:
                if self.ask("PING") == "PONG":
                    return
            except OSError:
                pass
            if time.monotonic() > deadline_s:
                raise AssertionError((self.folder / "log").read_text(errors="replace"))
            time.sleep(0.01)

    def ask(self, *words: object) -> str:
        """The first line that answers a command, without its type."""
        body = b"".join(
            b"$%d\r\n%s\r\n" % (len(word), word) for word in (str(w).encode() for w in words)
        )
        with socket.create_connection(("127.0.0.1", self.port), timeout=_START_S) as connection:
            connection.sendall(b"*%d\r\n%s" % (len(words), body))
            with connection.makefile("rb") as answers:
                line = answers.readline().decode().strip()
                if line.startswith("$") and line != "$-1":
                    return answers.read(int(line[1:])).decode()
                return line.lstrip("+:")

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class RedisClusterServers:
    """A Redis Cluster of masters, each with its share of the slots and, if asked for, a replica.

    Attributes:
        servers: The masters as it was built.
        replicas: The replica of each, in the same order.
    """

    def __init__(self, masters: int = 3, *, replicated: bool = False) -> None:
        options = (
            "--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
            "--repl-diskless-sync-delay", "0",
        )  # fmt: skip
        self.servers = [RedisServer(options) for _ in range(masters)]
        self.replicas = [RedisServer(options) for _ in range(masters if replicated else 0)]

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{server.port}" for server in self.servers)
        return f"redis+cluster://{places}"

    def start(self) -> None:
        for server in (*self.servers, *self.replicas):
            server.start()
        share = _SLOTS // len(self.servers) + 1
        first, *others = self.servers
        for number, server in enumerate(self.servers):
            low = number * share
            high = min(low + share, _SLOTS) - 1
            assert server.ask("CLUSTER", "ADDSLOTSRANGE", low, high) == "OK"
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for server in (*others, *self.replicas):
            first.ask("CLUSTER", "MEET", "127.0.0.1", server.port, server._bus_port)
        self._until(self._whole, self.servers)
        for master, replica in zip(self.servers, self.replicas, strict=False):
            self._follow(replica, master.ask("CLUSTER", "MYID"))
        self._until(lambda each: "master_link_status:up" in each.ask("INFO"), self.replicas)

    def _follow(self, replica: RedisServer, master: str) -> None:
        self._until(lambda each: master in each.ask("CLUSTER", "NODES"), [replica])
        assert replica.ask("CLUSTER", "REPLICATE", master) == "OK"

    def _until(self, is_so: Callable[[RedisServer], bool], each: Sequence[RedisServer]) -> None:
        deadline_s = time.monotonic() + _START_S
        while not all(map(is_so, each)):
            assert time.monotonic() < deadline_s, "the cluster did not come together"
            time.sleep(0.02)

    def _whole(self, server: RedisServer) -> bool:
        info = server.ask("CLUSTER", "INFO")
        nodes = len(self.servers) + len(self.replicas)
        return "cluster_state:ok" in info and f"cluster_known_nodes:{nodes}" in info

    def flush(self) -> None:
        for server in self.servers:
            server.ask("FLUSHALL")

    def close(self) -> None:
        for server in (*self.servers, *self.replicas):
            server.close()
