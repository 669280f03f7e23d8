"""A real HTTP server on a thread that answers as a script says and remembers what it was sent."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple


class Request(NamedTuple):
    """What arrived; ``lines`` is the body as NDJSON."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines() if line]


class Reply(NamedTuple):
    """``None`` as status: hang up without an answer."""

    status: int | None
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})


Script = Callable[[Request, int], Reply]


class Stub:
    """``requests`` in order of arrival; ``script`` is asked for each answer."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or accept
        self.requests: list[Request] = []
        self.lock = threading.Lock()
        self.url = ""


def accept(request: Request, number: int) -> Reply:
    """Take everything."""
    count = len(request.lines)
    return Reply(202, {"accepted": count, "rejected": 0, "errors": [], "ack": "durable"})


@contextmanager
def serving(stub: Stub) -> Iterator[Stub]:
    """Serve on a free port of loopback; ``stub.url`` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            headers = {key.lower(): value for key, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            with stub.lock:
                stub.requests.append(request)
                number = len(stub.requests)
            reply = stub.script(request, number)
            if reply.status is None:
                self.close_connection = True
                return
            content = (
                reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            )
            self.send_response(reply.status)
            for key, value in {"Content-Length": str(len(content)), **reply.headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815 – the name the server looks for

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
