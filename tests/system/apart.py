"""The parts of the platform as processes of their own, and a sender that never gives up."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from logstream.client import Connection, ServerUnreachable
from logstream.query import parse
from logstream.store import open_store
from logstream.store.base import Cursor
from logstream.testing.store_contract import ALL_TIME

__all__ = ["Part", "Sender", "free_port", "settled", "until"]

_START_S = 60.0


class Part:
    """One ``logstream COMMAND``; its log is in ``log``."""

    def __init__(self, folder: Path, command: str, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{command}.log"
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("LOGSTREAM_")
        } | {f"LOGSTREAM_{name.upper()}": value for name, value in settings.items()}
        self.environment.setdefault("LOGSTREAM_DATA_DIR", str(folder / "data"))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "logstream", command],
                env=self.environment, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def terminate(self) -> int:
        """SIGTERM; the exit code, once it has left."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_START_S)

    def kill(self) -> None:
        """End it if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Sender:
    """Posts numbered records, each until it is acknowledged, through any restart."""

    def __init__(self, port: int) -> None:
        self.acknowledged: list[str] = []
        self._url = f"http://127.0.0.1:{port}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Send no more; returns when the last one is acknowledged."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection = Connection(self._url, timeout_s=5.0)
        number = 0
        while not self._stop.is_set():
            headers = {"Content-Type": "application/json", "Idempotency-Key": f"sent-{number}"}
            body = f'{{"message":"sent-{number}","service":"sender"}}'.encode()
            if _accepted(connection, body, headers):
                self.acknowledged.append(f"sent-{number}")
                number += 1
            else:
                time.sleep(0.02)
        connection.close()


def _accepted(connection: Connection, body: bytes, headers: dict[str, str]) -> bool:
    try:
        return connection.request("POST", "/logs", body=body, headers=headers).status == 202
    except ServerUnreachable:
        return False


async def settled(store_url: str, wanted: Counter[str]) -> Counter[str]:
    """The messages in the store, as soon as all that are wanted are there, or after a while."""
    store = open_store(store_url)
    await store.start()
    deadline_s = time.monotonic() + _START_S
    try:
        while True:
            found: Counter[str] = Counter()
            cursor: Cursor | None = None
            more = True
            while more:
                page = await store.search(
                    parse("service:sender").filter,
                    ALL_TIME,
                    limit=5_000,
                    cursor=cursor,
                    count=False,
                )
                found.update(row.record.message for row in page.records)
                cursor = page.next_cursor
                more = cursor is not None
            if not wanted - found or time.monotonic() > deadline_s:
                return found
    finally:
        await store.close()


def until(condition: object, what: str = "it") -> None:
    """Wait for something that is bound to happen; ``condition`` is called."""
    assert callable(condition)
    deadline_s = time.monotonic() + _START_S
    while not condition():
        assert time.monotonic() < deadline_s, f"{what} never happened"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
