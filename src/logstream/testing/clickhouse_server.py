"""Starting and stopping `clickhouse_http`, the ClickHouse server for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlencode

__all__ = ["ClickHouseServer"]

_STOP_TIMEOUT_S = 30


class ClickHouseServer:
    """A server on a free loopback port and a folder of its own; stop it when done.

    Args:
        folder: What it keeps is here.
        user: Whom it lets in, with ``password``.
        cluster: Name of a cluster that this one server is; empty: none.
        certificate: PEM file with a certificate and its key: TLS; None: plain HTTP.
    """

    def __init__(
        self,
        folder: Path,
        *,
        user: str = "default",
        password: str = "",
        cluster: str = "",
        certificate: Path | None = None,
    ) -> None:
        self._user = user
        self._password = password
        self._tls = certificate is not None
        self._arguments = ["--user", user, "--cluster", cluster]
        if certificate is not None:
            self._arguments += ["--certificate", str(certificate)]
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> None:
        """Start it, again on the same port and folder; returns when it answers.

        Raises:
            RuntimeError: it ended instead.
        """
        command = [sys.executable, "-m", "logstream.testing.clickhouse_http", str(self._folder)]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, in this interpreter
            [*command, "--port", str(self.port), *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "CLICKHOUSE_TEST_PASSWORD": self._password},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server ended with {self._process.wait()}")
        self.port = int(line)

    def stop(self) -> None:
        """End it; does nothing when it has ended."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._end(kill=True)

    def signal(self, number: int) -> None:
        """Send it a signal: one that was stopped with SIGSTOP answers nothing and ends nothing."""
        assert self._process is not None
        self._process.send_signal(number)

    def url(
        self, database: str, *, password: str | None = None, parameters: Sequence[str] = ()
    ) -> str:
        """The store URL of a database here, with parameters such as ``insert=local``."""
        given = self._password if password is None else password
        login = f"{quote(self._user, safe='')}:{quote(given, safe='')}@"
        scheme = "clickhouses" if self._tls else "clickhouse"
        pairs = dict(each.split("=", 1) for each in parameters)
        query = f"?{urlencode(pairs)}" if pairs else ""
        return f"{scheme}://{login}127.0.0.1:{self.port}/{database}{query}"

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        if kill:
            process.kill()
        else:
            process.terminate()
        process.wait(_STOP_TIMEOUT_S)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
