"""An HTTP load generator that costs a few microseconds a request: one thread, epoll, raw sockets.

    python -m benchmarks.loadgen --url http://127.0.0.1:3000/logs --connections 64 --seconds 10

Keep-alive HTTP/1.1, one request in flight per connection, requests built beforehand, answers read
only as far as status and Content-Length. Without `--rate` each connection sends its next request
as soon as it has its answer; with it, requests start on a fixed schedule and latency counts from
the scheduled moment, so that a server's pause is charged to every request it delayed. A 429 or 503
is retried after its Retry-After. The result is one JSON object on standard output.
"""

from __future__ import annotations

import argparse
import datetime as dt
import heapq
import json
import resource
import select
import socket
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from benchmarks import corpus
from benchmarks.http_wire import Target, parse_response, request_head, retry_after_s
from benchmarks.stats import summarise

Request = tuple[bytes, memoryview | None]
"""Head (or a whole small request) and the body that follows, if kept apart to avoid a copy."""

RECEIVE_BYTES: Final = 65_536
# A bulk body of 2 000 records is 520 kB: with this much room most leave in one or two sends.
SEND_BUFFER_BYTES: Final = 4 << 20
# Heads repeat until their Date changes: looking one up is three times cheaper than reading it.
HEADS_REMEMBERED: Final = 10_000
RETRY_DEFAULT_S: Final = 0.1
# Long enough for any fsync stall worth measuring; a server silent for longer counts as failed.
SILENCE_LIMIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to send: `rate_per_s` counts requests; None means as fast as answers come."""

    target: Target
    connections: int
    seconds: float | None = None
    rate_per_s: float | None = None


@dataclass(slots=True)
class Outcome:
    """What came back; latencies in nanoseconds, only of answers below 400."""

    statuses: Counter[int]
    closed: int
    latencies_ns: array[int]
    first_byte_unix_ns: int = 0
    elapsed_s: float = 0.0
    cpu_s: float = 0.0
    unfinished: int = 0


class Connection:
    """One keep-alive connection and the request it is busy with."""

    __slots__ = ("fd", "received", "request", "sock", "started_ns", "unsent")

    def __init__(self, target: Target) -> None:
        self.sock = socket.create_connection((target.host, target.port), timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        # BBR, where it is the default, paces loopback with timers that cost 2 µs a request.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        self.sock.setblocking(False)
        self.fd = self.sock.fileno()
        self.request: Request | None = None
        self.received = b""
        self.started_ns = 0
        self.unsent: list[memoryview] = []

    def start(self, request: Request, started_ns: int) -> bool:
        """Send what the socket takes; False when some of it must wait for room."""
        self.request = request
        self.started_ns = started_ns
        head, body = request
        if body is None:
            sent = self.sock.send(head)
            if sent == len(head):
                return True
            self.unsent = [memoryview(head)[sent:]]
            return False
        self.unsent = [memoryview(head), body]
        return self.resume()

    def resume(self) -> bool:
        """Send more of the request; True once all of it has left."""
        while self.unsent:
            try:
                sent = self.sock.sendmsg(self.unsent)
            except BlockingIOError:
                return False
            while self.unsent and sent >= len(self.unsent[0]):
                sent -= len(self.unsent.pop(0))
            if sent:
                self.unsent[0] = self.unsent[0][sent:]
        return True


class Generator:
    """Sends `requests` by `plan` and tallies the answers."""

    def __init__(self, plan: Plan, requests: Iterable[Request]) -> None:
        self._plan = plan
        self._requests = iter(requests)
        self._epoll = select.epoll()
        self._open_now: dict[int, Connection] = {}
        self._busy: dict[int, Connection] = {}
        self._idle: list[Connection] = []
        self._sleeping: list[tuple[int, int, Connection]] = []
        self._exhausted = False
        self._heads: dict[bytes, tuple[int, int]] = {}
        self._sent = 0
        self._interval_ns = 1e9 / plan.rate_per_s if plan.rate_per_s else 0.0
        self._start_ns = 0
        self._deadline_ns = 0
        self.outcome = Outcome(Counter(), 0, array("Q"))

    def run(self) -> Outcome:
        """Send until the time or the requests run out, then wait for the last answers."""
        for _ in range(self._plan.connections):
            self._open()
        cpu_before_s = time.process_time()
        self.outcome.first_byte_unix_ns = time.time_ns()
        self._start_ns = time.perf_counter_ns()
        seconds = self._plan.seconds
        self._deadline_ns = self._start_ns + int((seconds or 1e9) * 1e9)
        try:
            self._loop()
        finally:
            self._close()
        self.outcome.elapsed_s = (time.perf_counter_ns() - self._start_ns) / 1e9
        self.outcome.cpu_s = time.process_time() - cpu_before_s
        self.outcome.unfinished = len(self._busy)
        return self.outcome

    def _loop(self) -> None:
        clock = time.perf_counter_ns
        heard_ns = clock()
        while True:
            now = clock()
            if now >= self._deadline_ns:
                self._exhausted = True
                self._sleeping.clear()
            self._wake(now)
            self._dispatch(now)
            if self._exhausted and not self._busy and not self._sleeping:
                return
            events = self._epoll.poll(self._wait_s(clock()))
            if events:
                heard_ns = clock()
            elif self._busy and clock() - heard_ns > SILENCE_LIMIT_S * 1e9:
                return
            for fd, mask in events:
                connection = self._busy.get(fd)
                if connection is None:  # an idle keep-alive connection that the server closed
                    self._replace_idle(fd)
                elif mask & ~select.EPOLLOUT:
                    self._receive(connection)
                elif connection.resume():
                    self._epoll.modify(fd, select.EPOLLIN)

    def _wait_s(self, now: int) -> float:
        until = self._deadline_ns if not self._exhausted else now + 1_000_000_000
        if self._sleeping:
            until = min(until, self._sleeping[0][0])
        if self._idle and not self._exhausted:
            until = min(until, self._start_ns + int(self._sent * self._interval_ns))
        return min(max(until - now, 0) / 1e9, 1.0)

    def _dispatch(self, now: int) -> None:
        while self._idle and not self._exhausted:
            due_ns = self._start_ns + int(self._sent * self._interval_ns)
            if self._interval_ns and due_ns > now:
                return
            request = next(self._requests, None)
            if request is None:
                self._exhausted = True
                return
            self._send(self._idle.pop(), request, due_ns if self._interval_ns else None)

    def _send(self, connection: Connection, request: Request, started_ns: int | None) -> None:
        self._sent += 1
        self._busy[connection.fd] = connection
        try:
            done = connection.start(request, started_ns or time.perf_counter_ns())
        except OSError:
            self._lost(connection)
            return
        if not done:
            self._epoll.modify(connection.fd, select.EPOLLIN | select.EPOLLOUT)

    def _receive(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(RECEIVE_BYTES)
        except OSError:
            data = b""
        if not data:
            self._lost(connection)
            return
        if connection.received:
            data = connection.received + data
            connection.received = b""
        head = data[: data.find(b"\r\n\r\n")]
        parsed = self._heads.get(head) or self._parse(head, data)
        if parsed is None or len(data) < parsed[1]:
            connection.received = data
            return
        self._answered(connection, parsed[0], data)

    def _parse(self, head: bytes, data: bytes) -> tuple[int, int] | None:
        parsed = parse_response(data)
        if parsed is not None and len(self._heads) < HEADS_REMEMBERED:
            self._heads[head] = parsed
        return parsed

    def _answered(self, connection: Connection, status: int, data: bytes) -> None:
        now = time.perf_counter_ns()
        self.outcome.statuses[status] += 1
        if connection.unsent:  # refused before the whole body was read: this stream is spoilt
            self._discard(connection)
            connection = self._replaced(connection)
        if status in (429, 503):
            wake_ns = now + int(retry_after_s(data, RETRY_DEFAULT_S) * 1e9)
            self._busy.pop(connection.fd, None)
            heapq.heappush(self._sleeping, (wake_ns, connection.fd, connection))
            return
        if status < 400:
            self.outcome.latencies_ns.append(now - connection.started_ns)
        if not self._interval_ns and not self._exhausted and now < self._deadline_ns:
            request = next(self._requests, None)
            if request is not None:
                self._send(connection, request, None)
                return
            self._exhausted = True
        self._busy.pop(connection.fd, None)
        self._idle.append(connection)

    def _wake(self, now: int) -> None:
        while self._sleeping and self._sleeping[0][0] <= now:
            _, _, connection = heapq.heappop(self._sleeping)
            assert connection.request is not None
            self._send(connection, connection.request, connection.started_ns)

    def _open(self) -> Connection:
        connection = Connection(self._plan.target)
        self._epoll.register(connection.fd, select.EPOLLIN)
        self._open_now[connection.fd] = connection
        self._idle.append(connection)
        return connection

    def _close(self) -> None:
        for connection in self._open_now.values():
            connection.sock.close()
        self._epoll.close()

    def _discard(self, connection: Connection) -> None:
        self._busy.pop(connection.fd, None)
        del self._open_now[connection.fd]
        self._epoll.unregister(connection.fd)
        connection.sock.close()

    def _replaced(self, connection: Connection) -> Connection:
        fresh = self._open()
        self._idle.remove(fresh)
        fresh.request, fresh.started_ns = connection.request, connection.started_ns
        return fresh

    def _replace_idle(self, fd: int) -> None:
        for connection in [c for c in self._idle if c.fd == fd]:
            self._idle.remove(connection)
            self._discard(connection)
            self._open()

    def _lost(self, connection: Connection) -> None:
        """Count a connection that broke with a request in flight, and send that request again."""
        self.outcome.closed += 1
        self._discard(connection)
        if self._exhausted and self._plan.seconds is not None:
            return
        wake_ns = time.perf_counter_ns() + int(RETRY_DEFAULT_S * 1e9)
        try:
            fresh = self._replaced(connection)
        except OSError as error:
            raise SystemExit(f"the server is gone: {error}") from error
        heapq.heappush(self._sleeping, (wake_ns, fresh.fd, fresh))


def single_requests(target: Target, headers: dict[str, str], bodies: list[bytes]) -> list[Request]:
    """One whole request per body."""
    return [(request_head(target, len(body), headers) + body, None) for body in bodies]


def bulk_requests(
    target: Target, headers: dict[str, str], bodies: Iterable[memoryview]
) -> Iterator[Request]:
    """Head and body apart, so that the corpus is sent from the page cache without a copy."""
    for body in bodies:
        yield request_head(target, len(body), headers), body


def restamped(bodies: Iterable[memoryview]) -> Iterator[memoryview]:
    """The bodies with the present time in every record, taken when each body is asked for."""
    opening, size = b'{"timestamp":"', len(b'{"timestamp":"2026-01-01T00:00:00.000000Z')
    for body in bodies:
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        start = opening + now.encode("ascii") + b"Z"
        rest = (line[size:] for line in bytes(body).splitlines(keepends=True))
        yield memoryview(start + start.join(rest))


def report(outcome: Outcome, records_each: int) -> dict[str, object]:
    """The outcome as plain JSON values."""
    answered = sum(outcome.statuses.values())
    good = len(outcome.latencies_ns)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "requests": good,
        "records": good * records_each,
        "statuses": {str(status): count for status, count in outcome.statuses.items()},
        "closed": outcome.closed,
        "unfinished": outcome.unfinished,
        "elapsed_s": outcome.elapsed_s,
        "requests_per_s": good / outcome.elapsed_s if outcome.elapsed_s else 0.0,
        "records_per_s": good * records_each / outcome.elapsed_s if outcome.elapsed_s else 0.0,
        "first_byte_unix_ns": outcome.first_byte_unix_ns,
        "latency": asdict(summarise(outcome.latencies_ns)),
        "generator_cpu_s": outcome.cpu_s,
        "generator_us_per_request": outcome.cpu_s * 1e6 / answered if answered else 0.0,
        "generator_peak_mb": peak_kib / 1024,
    }


def _parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Send logs over HTTP and time the answers.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, help="stop after this long")
    parser.add_argument("--mode", choices=("single", "bulk"), default="single")
    parser.add_argument("--corpus", type=Path, help="NDJSON corpus with an index beside it (bulk)")
    parser.add_argument("--records-per-request", type=int, default=2000)
    parser.add_argument("--requests", type=int, help="stop after this many requests")
    parser.add_argument("--rate", type=float, help="records per second (default: no limit)")
    parser.add_argument("--header", action="append", default=[], metavar="NAME: VALUE")
    parser.add_argument("--distinct", type=int, default=2000, help="different bodies (single)")
    parser.add_argument("--live", action="store_true", help="stamp records with the present time")
    parser.add_argument("--loop", action="store_true", help="repeat the corpus (bulk)")
    return parser.parse_args(arguments)


def _requests(options: argparse.Namespace, target: Target) -> tuple[Iterable[Request], int]:
    headers = dict(header.split(": ", 1) for header in options.header)
    if options.mode == "single":
        now = dt.datetime.now(dt.UTC)
        bodies = corpus.single_logs(options.distinct, now)
        headers = {"Content-Type": "application/json"} | headers
        return cycle(single_requests(target, headers, bodies)), 1
    if options.corpus is None:
        raise SystemExit("--mode bulk needs --corpus")
    headers = {"Content-Type": "application/x-ndjson"} | headers
    views = corpus.read_index(options.corpus).bodies(options.records_per_request)
    cut = list(views)
    views = cycle(cut) if options.loop else iter(cut)
    if options.live:
        views = restamped(views)
    return bulk_requests(target, headers, views), options.records_per_request


def main(arguments: list[str] | None = None) -> None:
    """Run one load and print its result."""
    options = _parse_arguments(arguments)
    target = Target(options.url)
    requests, records_each = _requests(options, target)
    if options.requests is not None:
        requests = islice(requests, options.requests)
    elif options.seconds is None and (options.mode == "single" or options.loop):
        raise SystemExit("give --seconds or --requests")
    rate_per_s = options.rate / records_each if options.rate else None
    plan = Plan(target, options.connections, options.seconds, rate_per_s)
    outcome = Generator(plan, requests).run()
    json.dump(report(outcome, records_each), sys.stdout)
    print()


if __name__ == "__main__":
    main()
