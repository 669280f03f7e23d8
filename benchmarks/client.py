"""A keep-alive HTTP client for the questions the benchmarks ask, with times taken at the client."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

PROMETHEUS_LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")

IDLE_S = 10.0
"""Servers close connections that were idle for longer than their header timeout (30 s here)."""


class Client:
    """One connection to a server on loopback. Not for use by several threads at once."""

    def __init__(self, port: int, *, timeout_s: float = 60.0) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        self._used_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def request(
        self, method: str, path: str, body: bytes | None = None, content_type: str = ""
    ) -> tuple[int, bytes]:
        """Status and body of one exchange.

        Raises:
            OSError: the server cannot be reached or broke off.
        """
        headers = {"Content-Type": content_type} if content_type else {}
        try:
            if time.monotonic() - self._used_s > IDLE_S:
                self._connection.close()  # the server may be closing it at this moment
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            answer = response.read()
            self._used_s = time.monotonic()
            return response.status, answer
        except http.client.HTTPException as error:
            self._connection.close()
            raise ConnectionError(f"{method} {path}: {error!r}") from error
        except OSError:
            self._connection.close()
            raise

    def get_json(self, path: str, parameters: Mapping[str, str | int] | None = None) -> Any:
        """The JSON answer of a GET.

        Raises:
            RuntimeError: any status but 200.
        """
        whole = f"{path}?{urlencode(parameters)}" if parameters else path
        status, body = self.request("GET", whole)
        if status != 200:
            raise RuntimeError(f"GET {whole}: {status} {body[:500].decode(errors='replace')}")
        return json.loads(body)

    def post_log(self, log: Mapping[str, object]) -> None:
        """Send one log.

        Raises:
            RuntimeError: it was not accepted.
        """
        status, body = self.request("POST", "/logs", json.dumps(log).encode(), "application/json")
        if status != 202:
            raise RuntimeError(f"POST /logs: {status} {body[:500].decode(errors='replace')}")

    def metrics(self) -> dict[str, float]:
        """`/metrics`, the samples of one name added up over their labels."""
        status, body = self.request("GET", "/metrics")
        if status != 200:
            raise RuntimeError(f"GET /metrics: {status}")
        return parse_metrics(body.decode())


def parse_metrics(text: str) -> dict[str, float]:
    """Prometheus text as name → value, the samples of one name added up over their labels."""
    totals: dict[str, float] = {}
    for line in text.splitlines():
        found = PROMETHEUS_LINE.match(line)
        if found:
            totals[found[1]] = totals.get(found[1], 0.0) + float(found[3])
    return totals


def wait_ready(port: int, *, timeout_s: float, alive: Any) -> None:
    """Wait until `/ready` answers 200; `alive()` says whether the server still runs.

    Raises:
        TimeoutError: it does not within `timeout_s`.
        RuntimeError: the server ended.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if not alive():
            raise RuntimeError("the server ended before it was ready")
        try:
            with Client(port, timeout_s=5) as client:
                if client.request("GET", "/ready")[0] == 200:
                    return
        except OSError:
            pass  # not listening yet: what this loop waits for
        time.sleep(0.05)
    raise TimeoutError(f"not ready on port {port} within {timeout_s:.0f} s")
