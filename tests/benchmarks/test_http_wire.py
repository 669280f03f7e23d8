"""The load generator's HTTP, and the generator against a real socket."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from itertools import repeat

import pytest

from benchmarks.http_wire import Target, parse_response, request_head, retry_after_s
from benchmarks.loadgen import Generator, Plan, bulk_requests, restamped, single_requests


class TestParseResponse:
    def test_status_and_length(self) -> None:
        """The length covers head and body, whatever the header's case."""
        head = b"HTTP/1.1 202 Accepted\r\ncontent-LENGTH: 5\r\nx: y\r\n\r\n"
        assert parse_response(head + b"hello") == (202, len(head) + 5)

    def test_incomplete_head(self) -> None:
        """Until the head is complete there is no answer."""
        assert parse_response(b"HTTP/1.1 202 Accepted\r\nContent-Le") is None

    def test_no_length(self) -> None:
        """An answer whose end cannot be known is refused, except 204."""
        assert parse_response(b"HTTP/1.1 204 No Content\r\n\r\n") == (204, 27)
        with pytest.raises(ValueError, match="Content-Length"):
            parse_response(b"HTTP/1.1 200 OK\r\n\r\n")


@pytest.mark.parametrize(
    ("line", "expected"),
    [(b"Retry-After: 2\r\n", 2.0), (b"Retry-After: soon\r\n", 0.1), (b"", 0.1)],
)
def test_retry_after(line: bytes, expected: float) -> None:
    """Seconds are taken, anything else is the default."""
    assert retry_after_s(b"HTTP/1.1 429 X\r\n" + line + b"\r\n", 0.1) == expected


def test_restamped_bodies_keep_everything_but_the_time() -> None:
    """The present time replaces the old one in every line."""
    line = b'{"timestamp":"2026-01-01T00:00:00.000000Z","level":"info"}\n'
    (body,) = restamped([memoryview(line * 2)])
    assert bytes(body).count(b',"level":"info"}\n') == 2
    assert len(body) == 2 * len(line)
    assert b"2026-01-01T00:00:00.000000Z" not in bytes(body)


class Handler(http.server.BaseHTTPRequestHandler):
    """Counts what it got; refuses the first request and breaks off the second."""

    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    bodies: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            seen = self.server.seen  # type: ignore[attr-defined]  # set by the fixture
            seen.append(body)
        if len(seen) == 1:
            self.reply(b"503 Busy\r\nRetry-After: 0")
        elif len(seen) == 2:
            self.close_connection = True
        else:
            self.reply(b"202 Accepted")

    def reply(self, status: bytes) -> None:
        self.wfile.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    """A server on loopback whose `seen` lists the bodies it got."""
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def test_every_request_is_answered_once(server: http.server.ThreadingHTTPServer) -> None:
    """Refused and broken-off requests are sent again; each ends with one good answer."""
    target = Target(f"http://127.0.0.1:{server.server_port}/logs")
    bodies = [b"%d" % k * 100_000 for k in range(10)]
    requests = bulk_requests(target, {}, map(memoryview, bodies))
    outcome = Generator(Plan(target, 3), requests).run()
    assert outcome.statuses == {503: 1, 202: 10}
    assert (outcome.closed, len(outcome.latencies_ns), outcome.unfinished) == (1, 10, 0)
    seen = server.seen  # type: ignore[attr-defined]
    assert len(seen) == 12
    assert set(seen) == set(bodies)


def test_time_limit_and_rate(server: http.server.ThreadingHTTPServer) -> None:
    """A paced run sends what its rate allows and ends on time."""
    server.seen.extend([b"", b""])  # type: ignore[attr-defined]
    target = Target(f"http://127.0.0.1:{server.server_port}/logs")
    plan = Plan(target, 2, seconds=0.1, rate_per_s=100.0)
    outcome = Generator(plan, repeat(single_requests(target, {}, [b"x"])[0])).run()
    assert 1 <= outcome.statuses[202] <= 10


def test_request_head() -> None:
    """The head names the path with its query, the length and the given headers."""
    head = request_head(Target("http://localhost:3000/logs?ack=stored"), 7, {"A": "b"})
    assert head.startswith(b"POST /logs?ack=stored HTTP/1.1\r\nHost: localhost:3000\r\n")
    assert b"Content-Length: 7\r\nA: b\r\n\r\n" in head


@pytest.mark.parametrize("url", ["https://x/logs", "3000"])
def test_only_plain_http(url: str) -> None:
    """Anything but http:// is refused."""
    with pytest.raises(ValueError, match="not an http"):
        Target(url)
