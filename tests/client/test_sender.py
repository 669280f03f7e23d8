"""The sender: batches, retries that are stored once, honest counts, no waiting, no raising."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from logstream.client import Connection, Sender, ServerUnreachable
from logstream.client.http import retry_after_s
from logstream.errors import SettingError
from tests.client.stub import Reply, Script, Stub, accept, serving


def first(*replies: Reply) -> Script:
    """These answers in turn, then take everything."""
    return lambda request, n: replies[n - 1] if n <= len(replies) else accept(request, n)


def test_records_arrive_in_order_and_are_counted() -> None:
    """What was sent arrives as NDJSON, in order, in batches of the given size."""
    with serving(Stub()) as stub, Sender(stub.url, batch_records=10, interval_s=60) as sender:
        for n in range(25):
            assert sender.send({"message": f"m{n}", "n": n})
        assert sender.flush()
        assert [line["n"] for request in stub.requests for line in request.lines] == list(range(25))
        assert sender.counts == (0, 25, 0, 0, 0, 0)
    assert all(len(request.lines) <= 10 for request in stub.requests)
    assert stub.requests[0].path == "/logs"
    assert len({request.headers["idempotency-key"] for request in stub.requests}) == len(
        stub.requests
    )


@pytest.mark.parametrize(
    "trouble",
    [
        Reply(None),
        Reply(503, {"error": {"message": "full"}}, {"Retry-After": "0.01"}),
        Reply(429, {}, {"Retry-After": "0.01"}),
        Reply(500, b"not json"),
    ],
)
def test_retry_carries_the_same_key_and_body(trouble: Reply) -> None:
    """A batch that was not answered is sent again as it was, so that it is stored once."""
    with serving(Stub(first(trouble))) as stub, Sender(stub.url) as sender:
        sender.send({"message": "x"})
        assert sender.flush()
        assert sender.counts.accepted == 1
        assert sender.last_error
    one, two = stub.requests
    assert one.headers["idempotency-key"] == two.headers["idempotency-key"]
    assert one.body == two.body


def test_refused_records_are_counted_and_not_sent_again() -> None:
    """What the server refuses is counted with its reason."""
    reply = Reply(202, {"accepted": 1, "rejected": 1, "errors": [{"index": 1, "reason": "bad"}]})
    with serving(Stub(lambda request, n: reply)) as stub, Sender(stub.url) as sender:
        sender.send({"message": "good"})
        sender.send({"message": "bad"})
        assert sender.flush()
        assert (sender.counts.accepted, sender.counts.rejected) == (1, 1)
        assert sender.last_error == "bad"
    assert len(stub.requests) == 1


def test_batch_refused_as_a_whole_is_rejected() -> None:
    """A 400 is final: nothing is tried again."""
    reply = Reply(400, {"error": {"code": "bad_request", "message": "nothing understood"}})
    with serving(Stub(lambda request, n: reply)) as stub, Sender(stub.url) as sender:
        sender.send({"message": "x"})
        assert sender.flush()
        assert sender.counts.rejected == 1
        assert sender.last_error == "nothing understood"


def test_full_queue_drops_and_counts() -> None:
    """With nobody to send to, memory stays bounded, send returns at once and says no."""
    sender = Sender("http://127.0.0.1:9", queue_records=5, interval_s=60, batch_records=100)
    taken = [sender.send({"message": "x"}) for _ in range(8)]
    assert taken == [True] * 5 + [False] * 3
    assert sender.counts.dropped == 3
    assert not sender.close(timeout_s=0.05)
    assert not sender.send({"message": "late"})
    assert sender.counts.dropped == 4


def test_unanswered_records_are_given_up_after_a_time() -> None:
    """Records for which there was never an answer are counted as given up."""
    sender = Sender("http://127.0.0.1:9", retry_s=0.01, interval_s=0.01)
    sender.send({"message": "x"})
    assert sender.flush()
    assert sender.counts.given_up == 1
    sender.close()


def test_an_answer_that_makes_no_sense_ends_nothing() -> None:
    """Records whose answer cannot be read are counted as given up; the next ones are sent."""
    odd = Reply(202, {"accepted": 0, "errors": {"no": "list"}})
    with serving(Stub(first(odd))) as stub, Sender(stub.url, interval_s=0.01) as sender:
        sender.send({"message": "a"})
        assert sender.flush()
        assert sender.last_error.startswith("could not be sent: KeyError")
        sender.send({"message": "b"})
        assert sender.flush()
        counts = sender.counts
    assert (counts.accepted, counts.given_up) == (1, 1)


@pytest.mark.parametrize("key", ["key\n", "a\r\nb", "schlüssel\u20ac"])
def test_keys_that_no_header_can_have_are_refused(key: str) -> None:
    """At once, and not in a thread where nobody would hear of it."""
    with pytest.raises(SettingError, match="access key"):
        Sender("http://localhost:1", api_key=key)


def test_values_json_does_not_know() -> None:
    """Odd values are sent as text; what cannot be written at all is counted, not raised."""
    loop: dict[str, Any] = {}
    loop["self"] = loop
    with serving(Stub()) as stub, Sender(stub.url) as sender:
        assert sender.send({"a": {1}, "nan": float("nan"), "s": "\ud800"})
        assert not sender.send(loop)
        assert sender.flush()
        assert sender.counts.invalid == 1
    (line,) = stub.requests[0].lines
    assert line == {"a": "{1}", "nan": "nan", "s": "?"}


def test_key_is_sent() -> None:
    """An access key goes with every request."""
    with serving(Stub()) as stub, Sender(stub.url, api_key="secret") as sender:
        sender.send({"message": "x"})
        sender.flush()
    assert stub.requests[0].headers["authorization"] == "Bearer secret"


def test_exit_of_the_program_flushes() -> None:
    """A program that just ends still delivers what it logged."""
    source = (
        "import sys; from logstream.client import Sender\n"
        "Sender_ = Sender(sys.argv[1], interval_s=60)\n"
        "Sender_.send({'message': 'last words'})\n"
    )
    with serving(Stub()) as stub:
        subprocess.run([sys.executable, "-c", source, stub.url], check=True, timeout=30)
    assert stub.requests[0].lines == [{"message": "last words"}]


def test_forked_child_begins_afresh() -> None:
    """After fork the child's sender works and the parent's records are sent once."""
    with serving(Stub()) as stub:
        source = (
            "import os, sys; from logstream.client import Sender\n"
            "s = Sender(sys.argv[1], interval_s=60)\n"
            "s.send({'message': 'parent'})\n"
            "pid = os.fork()\n"
            "if pid == 0:\n"
            "    s.send({'message': 'child'}); s.close(); os._exit(0)\n"
            "os.waitpid(pid, 0); s.close()\n"
        )
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", source, stub.url], check=True, timeout=30
        )
    sent = sorted(line["message"] for request in stub.requests for line in request.lines)
    assert sent == ["child", "parent"]


def test_long_answers_are_not_read() -> None:
    """A server cannot fill the application's memory."""
    reply = Reply(200, b"x" * 100_000)
    with serving(Stub(lambda request, n: reply)) as stub:
        connection = Connection(stub.url)
        with pytest.raises(ServerUnreachable, match="more than 1000 bytes"):
            connection.request("GET", "/", max_bytes=1_000)
        connection.close()


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://host:99999", "file:///etc/passwd"])
def test_bad_urls_are_refused(url: str) -> None:
    """Anything but http and https is an error at once."""
    with pytest.raises(SettingError):
        Connection(url)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2", 2.0), ("1e9", 60.0), ("-4", 0.0), ("soon", None), ("", None)]
)
def test_retry_after_is_bounded(text: str, seconds: float | None) -> None:
    """No server can stop us for longer than a minute."""
    assert retry_after_s({"retry-after": text}) == seconds


def test_client_needs_the_standard_library_only() -> None:
    """Importing the client imports nothing from site-packages."""
    source = (
        "import sys; before = set(sys.modules); import logstream.client\n"
        "new = [sys.modules[n] for n in set(sys.modules) - before]\n"
        "bad = [m.__name__ for m in new if 'site-packages' in (getattr(m, '__file__', '') or '')]\n"
        "sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
