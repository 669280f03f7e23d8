"""Numbers of processes that run elsewhere, as a dashboard adds them up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from logstream.dashboard.history import sample_now
from logstream.dashboard.peers import Peers
from logstream.errors import SettingError
from logstream.settings import load

NAME = "logstream_records_accepted_total"


class Process:
    """What one process says of itself."""

    def __init__(self) -> None:
        self.accepted = 0
        self.keys: list[str | None] = []
        self.status = 200
        self.url = ""


@contextmanager
def process() -> Iterator[Process]:
    """A process that answers on a free port of loopback."""
    said = Process()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said.keys.append(self.headers.get("authorization"))
            body = f"# TYPE logstream_records_accepted counter\n{NAME} {said.accepted}.0\n".encode()
            self.send_response(said.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    said.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield said
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def total(peers: Peers) -> float:
    return sample_now(1, peers).total(NAME) - sample_now(1).total(NAME)


def test_numbers_are_added_up_and_kept() -> None:
    """All peers count; one that is gone or refuses keeps what it last said."""
    with process() as one, process() as other:
        peers = Peers([one.url, other.url.replace("127.0.0.1", "localhost")], api_key="key")
        assert total(peers) == 0
        one.accepted, other.accepted = 3, 4
        peers.refresh()
        assert total(peers) == 7
        one.accepted, other.accepted, other.status = 5, 9, 503
        peers.refresh()
        assert total(peers) == 9
        assert set(one.keys) == {"Bearer key"}
    peers.refresh()
    assert total(peers) == 9


def test_one_that_does_not_answer_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A peer that is away is one line of the log, not one every few seconds."""
    with process() as gone:
        url = gone.url
    peers = Peers([url, "http://no.such.host.invalid:1"])
    with caplog.at_level(logging.WARNING, "logstream.dashboard.peers"):
        peers.refresh()
        peers.refresh()
    assert len(caplog.messages) == 2
    assert total(peers) == 0


@pytest.mark.parametrize("text", ["ingest:3000", "http://user:secret@host", "http://a,b"])
def test_what_is_no_url_is_refused_at_the_start(text: str) -> None:
    """The setting takes URLs without a password."""
    with pytest.raises(SettingError, match="metrics_urls"):
        load(environ={"LOGSTREAM_METRICS_URLS": text})
