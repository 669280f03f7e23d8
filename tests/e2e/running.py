"""A real platform for the browser to look at, and what is sent to it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LOGSTREAM = (sys.executable, "-m", "logstream")
START_S, STOP_S = 60.0, 30.0


class Platform:
    """A running ``logstream up`` on free ports, its data in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "up.log"
        self._ports = ("0", "0")
        self._environment = {
            key: value for key, value in os.environ.items() if not key.startswith("LOGSTREAM_")
        } | {"LOGSTREAM_DATA_DIR": str(folder / "data"), "LOGSTREAM_MAX_ATTRIBUTES": "3000"}
        self._start()

    def _start(self) -> None:
        ingest, dashboard = self._ports
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [*LOGSTREAM, "up", "--ingest-port", ingest, "--dashboard-port", dashboard],
                env=self._environment, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.url = self._said(r"dashboard +(http://\S+)")
        self.ingest = self._said(r"ingestion API +(http://\S+)")
        self._ports = (self.ingest.rpartition(":")[2], self.url.rpartition(":")[2])

    @contextmanager
    def away(self) -> Iterator[None]:
        """Stopped while the block runs, then there again at the same addresses."""
        _stop(self._process)
        yield
        self._start()

    def _said(self, pattern: str) -> str:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := re.search(pattern, self._log.read_text()):
                return found[1]
            time.sleep(0.05)
        raise AssertionError(f"never said {pattern}:\n{self._log.read_text()}")

    def send(self, records: Sequence[Mapping[str, object]]) -> None:
        """Send records; they can be found when this returns."""
        request = urllib.request.Request(
            f"{self.ingest}/logs?ack=stored",
            data=json.dumps(records).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = json.load(answer)
        assert told["accepted"] == len(records), told
        assert told["ack"] == "stored", told

    def ask(self, path: str) -> Any:
        """What the dashboard's API answers."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    @contextmanager
    def traffic(self, per_s: int, *, batch: int = 100) -> Iterator[None]:
        """Simulated traffic while the block runs."""
        sender = subprocess.Popen(
            [*LOGSTREAM, "simulate", "--rate", str(per_s), "--batch", str(batch), "--quiet",
             "--scenario", "steady", "--url", self.ingest],
            env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield
        finally:
            _stop(sender)

    def close(self) -> None:
        _stop(self._process)


class Wire:
    """A TCP proxy to ``url`` that can be cut: connections end, new ones are refused."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").rpartition(":")
        self._target = (host, int(port))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._accept_from(self._listener)

    def _accept_from(self, listener: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:  # it was cut
                return
            far = socket.create_connection(self._target)
            with self._lock:
                self._open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(1 << 16):
                sink.sendall(piece)
        except OSError:  # the other direction ended it
            pass
        finally:
            for end in (source, sink):
                with self._lock:
                    self._open.discard(end)
                _shut(end)

    def cut(self) -> None:
        """End everything and refuse what comes."""
        _shut(self._listener)
        with self._lock:
            ends = list(self._open)
        for end in ends:
            _shut(end)

    def mend(self) -> None:
        """Take connections again, at the same address."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._accept_from(self._listener)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):  # the other side was quicker
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
