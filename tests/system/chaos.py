"""Kills processes at random under load, then proves that nothing was lost or doubled::

    python -m tests.system.chaos --kills 20            # every broker with every store
    python -m tests.system.chaos --kills 20 redis+clickhouse

The parts run as users run them: ``logstream up`` where the store lives in a process of its own,
else ingestion, two workers (on Redis) and a dashboard apart. Victims are ingestion, workers, the
dashboard and, with its log always synced, Redis; the store's server is not ours to prove. What is
killed is started again at once, as any supervisor would. ``simulate --verify`` is the judge.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from logstream.client import Connection, ServerUnreachable
from logstream.testing.clickhouse_server import ClickHouseServer
from tests.servers.mongodb import FerretDB, NoServer, built
from tests.servers.redis import RedisClusterServers, RedisServer, free_ports, redis_program

__all__ = ["PAIRS", "Report", "run"]

PAIRS = tuple(
    f"{broker}+{store}"
    for broker in ("disk", "redis", "cluster")
    for store in ("chdb", "clickhouse", "mongodb")
)
_LOGSTREAM = (sys.executable, "-m", "logstream")
_READY_S, _STOP_S = 60.0, 40.0
_VERIFIED_WITHIN_S = 600.0
_BETWEEN_S = (0.5, 2.5)
_AGAIN_S = 0.2


class Report:
    """What was done to a pair, and the judge's words."""

    def __init__(self, pair: str, killed: list[str], code: int, output: str) -> None:
        self.pair = pair
        self.killed = killed
        self.ok = code == 0
        self.output = output

    def __str__(self) -> str:
        counts = ", ".join(f"{self.killed.count(name)} {name}" for name in sorted({*self.killed}))
        verdict = self.output.strip().splitlines()[-1] if self.output.strip() else "no answer"
        return f"{self.pair}: killed {counts}: {'ok' if self.ok else 'FAILED'}: {verdict}"


class _Part:
    """One process of ours, started again whenever it ends, as any supervisor would."""

    def __init__(
        self, name: str, arguments: tuple[str, ...], environment: dict[str, str], log: Path
    ) -> None:
        self.name = name
        self._arguments = arguments
        self._environment = environment
        self._log = log
        self._stopping = threading.Event()
        self._process = self._started()
        self._keeper = threading.Thread(target=self._keep, name=f"keep {name}")
        self._keeper.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _started(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [*_LOGSTREAM, *self._arguments],
                env=self._environment, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def _keep(self) -> None:
        while True:
            self._process.wait()
            if self._stopping.wait(_AGAIN_S):
                return
            self._process = self._started()

    def kill(self) -> None:
        self._process.kill()

    def stop(self) -> None:
        self._stopping.set()
        self._process.terminate()
        self._keeper.join(_STOP_S)
        if self._keeper.is_alive():
            self._process.kill()
            self._keeper.join()


Victims = dict[str, Callable[[], None]]


def run(pair: str, *, kills: int, rate: int, seed: int) -> Report:
    """Kill ``kills`` times while ``rate`` records a second arrive.

    Raises:
        NoServer: a server that the pair needs cannot be had here.
    """
    rnd = random.Random(seed)
    broker, _, store = pair.partition("+")
    killed: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="logstream-chaos-")))
        victims: Victims = {}
        environment = _environment(folder)
        environment["LOGSTREAM_STORE"] = stack.enter_context(_store(store, folder))
        environment["LOGSTREAM_BROKER"] = stack.enter_context(_broker(broker, victims))
        ingest, dashboard = free_ports(2)
        environment |= {
            "LOGSTREAM_INGEST_PORT": str(ingest), "LOGSTREAM_DASHBOARD_PORT": str(dashboard),
        }  # fmt: skip
        apart = bool(environment["LOGSTREAM_STORE"])
        workers = 1 if broker == "disk" else 2
        stack.enter_context(_parts(folder, environment, victims, workers if apart else 0))
        for port, path in ((ingest, "/ready"), (dashboard, "/health")):
            _until_ready(port, path)
        simulation = subprocess.Popen(
            [
                *_LOGSTREAM, "simulate", "--verify", "--rate", str(rate), "--batch", "20",
                "--seconds", str(int(kills * sum(_BETWEEN_S) / 2) + 5), "--verify-timeout", "180",
                "--url", f"http://127.0.0.1:{ingest}",
                "--dashboard-url", f"http://127.0.0.1:{dashboard}",
            ],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        time.sleep(1.0)
        for _ in range(kills):
            time.sleep(rnd.uniform(*_BETWEEN_S))
            name = rnd.choice(sorted(victims))
            victims[name]()
            killed.append(name.rstrip("0123456789"))
        try:
            output, _ = simulation.communicate(timeout=_VERIFIED_WITHIN_S)
        except subprocess.TimeoutExpired:
            simulation.kill()
            output, _ = simulation.communicate()
        return Report(pair, killed, simulation.returncode, output)


def _environment(folder: Path) -> dict[str, str]:
    ours = {key: value for key, value in os.environ.items() if not key.startswith("LOGSTREAM_")}
    return ours | {"LOGSTREAM_DATA_DIR": str(folder / "data")}


@contextmanager
def _store(kind: str, folder: Path) -> Iterator[str]:
    """Its URL; empty for the embedded one."""
    if kind == "chdb":
        yield ""
    elif kind == "clickhouse":
        server = ClickHouseServer(folder / "clickhouse")
        server.start()
        try:
            yield server.url("logstream")
        finally:
            server.stop()
    else:
        ferret = FerretDB(built(), folder / "ferretdb")
        ferret.start()
        try:
            yield f"{ferret.url}/logstream"
        finally:
            ferret.stop()


@contextmanager
def _broker(kind: str, victims: Victims) -> Iterator[str]:
    """Its URL; empty for the embedded one."""
    if kind == "disk":
        yield ""
        return
    if redis_program() is None:
        raise NoServer("there is no redis-server")
    servers = RedisClusterServers() if kind == "cluster" else RedisServer()
    servers.start()
    each = servers.servers if isinstance(servers, RedisClusterServers) else [servers]

    def again(server: RedisServer) -> Callable[[], None]:
        def kill() -> None:
            server.kill()
            server.start(wait=False)

        return kill

    victims |= {f"redis{n}": again(server) for n, server in enumerate(each)}
    try:
        yield servers.url
    finally:
        servers.close()


@contextmanager
def _parts(
    folder: Path, environment: dict[str, str], victims: Victims, workers: int
) -> Iterator[None]:
    """The platform: whole when there are no ``workers`` apart."""
    if not workers:
        up = _Part("up", ("up",), environment, folder / "up.log")
        for name, words in (("ingest", " ingest"), ("store", "store_process")):
            victims[name] = lambda words=words: _kill_child(up.pid, words)  # type: ignore[misc]
        try:
            yield
        finally:
            up.stop()
        return
    names = ["ingest", "dashboard", *(f"worker{n}" for n in range(workers))]
    parts = [
        _Part(name, (name.rstrip("0123456789"),), environment, folder / f"{name}.log")
        for name in names
    ]
    victims |= {part.name: part.kill for part in parts}
    try:
        yield
    finally:
        for part in parts:
            part.stop()


def _kill_child(parent: int, words: str) -> None:
    """The supervisor's child with these words; none when it is just being started again."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            above = int(stat.read_text().rpartition(")")[2].split()[1])
            command = stat.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it ended meanwhile
            continue
        if above == parent and words in command:
            os.kill(int(stat.parent.name), signal.SIGKILL)


def _until_ready(port: int, path: str) -> None:
    connection = Connection(f"http://127.0.0.1:{port}", timeout_s=2.0)
    deadline_s = time.monotonic() + _READY_S
    while time.monotonic() < deadline_s:
        try:
            if connection.request("GET", path).status == 200:
                connection.close()
                return
        except ServerUnreachable:
            pass
        time.sleep(0.1)
    raise AssertionError(f"nothing is ready on port {port}")


def main() -> int:
    """The command; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("pairs", nargs="*", default=PAIRS, metavar="BROKER+STORE")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    failed = False
    for pair in asked.pairs:
        try:
            report = run(pair, kills=asked.kills, rate=asked.rate, seed=asked.seed)
        except NoServer as exc:
            print(f"{pair}: SKIPPED: {exc}", flush=True)  # noqa: T201 - a command
            continue
        print(report, flush=True)  # noqa: T201
        if not report.ok:
            print(report.output)  # noqa: T201
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
