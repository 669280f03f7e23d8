"""Bringing files in: every record once, also when interrupted; refusals explained."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import zstandard

from logstream.cli import exits, main
from logstream.cli.importing.source import open_source
from logstream.errors import CorruptData
from logstream.timestamps import parse_timestamp
from tests.client.stub import Reply, Stub, accept, serving

LINES = [f"2026-11-23 10:00:{n % 60:02d} INFO shop.cart: item {n}" for n in range(100)]


def send(url: str, *arguments: str | Path) -> int:
    """Run the command."""
    return main(["send", "--url", url, "--retry", "0.05", *map(str, arguments)])


def messages(stub: Stub) -> list[str]:
    """Messages in the order of the files, each idempotency key counted once."""
    seen: dict[str, list[Any]] = {}
    for request in stub.requests:
        seen.setdefault(request.headers["idempotency-key"], request.lines)
    return sorted((line["message"] for lines in seen.values() for line in lines), key=_number)


def _number(message: str) -> int:
    return int(message.rsplit(maxsplit=1)[-1])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log file of 100 lines."""
    path = tmp_path / "shop.log"
    path.write_text("\n".join(LINES) + "\n")
    return path


def test_file_arrives_whole(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is a record with time, level, service and the file's name."""
    with serving(Stub()) as stub:
        assert send(stub.url, log, "--batch", "30", "--attribute", "env=test") == exits.OK
    assert messages(stub) == [f"item {n}" for n in range(100)]
    line = stub.requests[0].lines[0]
    assert line["level"] == "INFO"
    assert line["service"] == "shop"
    assert line["log.file.name"] == "shop.log"
    assert line["env"] == "test"
    assert line["timestamp"].startswith("2026-11-23T10:00:")
    assert "100 accepted, 0 refused" in capsys.readouterr().out


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_compressed_files(log: Path, compress: Any) -> None:
    """gzip and zstd are recognised by their content, whatever the name."""
    log.write_bytes(compress(log.read_bytes()))
    with serving(Stub()) as stub:
        assert send(stub.url, log) == exits.OK
    assert len(messages(stub)) == 100


def test_damaged_file_sends_what_can_be_read(tmp_path: Path) -> None:
    """The good part of a cut gzip file arrives; the command fails and says so."""
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress("\n".join(LINES * 200).encode(), 0)[:200_000])
    with serving(Stub()) as stub:
        assert send(stub.url, "--format", "levelled", path) == exits.FAILED
    assert len([line for request in stub.requests for line in request.lines]) > 1_000


def test_refusals_are_explained(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Records refused for their age lead to the setting that lets them in."""
    errors = [
        {"index": i, "reason": f"timestamp 2005-01-0{i + 1} is older than accepted (from 2026)"}
        for i in range(3)
    ]
    reply = Reply(202, {"accepted": 97, "rejected": 3, "errors": errors})
    with serving(Stub(lambda request, n: reply)) as stub:
        assert send(stub.url, log) == exits.NEGATIVE
    out = capsys.readouterr().out
    assert "97 accepted, 3 refused" in out
    assert "3 × timestamp 2005-01-01 is older" in out
    assert "retention" in out


def test_nobody_there(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that does not answer is an exit code of its own."""
    assert send("http://127.0.0.1:9", log) == exits.UNREACHABLE
    assert "no answer from http://127.0.0.1:9" in capsys.readouterr().err


def test_interrupted_import_continues_exactly_once(log: Path, tmp_path: Path) -> None:
    """A batch whose answer was lost is sent again with its key and body; the rest follows."""
    state = tmp_path / "state.json"
    options = (log, "--batch", "30", "--connections", "1", "--resume", state)
    with serving(Stub(lambda request, n: accept(request, n) if n != 2 else Reply(None))) as stub:
        stub.script = lambda request, n: accept(request, n) if n < 2 else Reply(None)
        assert send(stub.url, *options) == exits.UNREACHABLE
        before = list(stub.requests)
        stub.script = accept
        with log.open("a") as file:
            file.write("2026-11-23 11:00:00 INFO shop.cart: item 100\n")
        assert send(stub.url, *options) == exits.OK
        assert send(stub.url, *options) == exits.OK
    again = [
        request for request in stub.requests[len(before) :]
        if request.headers["idempotency-key"] in {b.headers["idempotency-key"] for b in before}
    ]  # fmt: skip
    assert again
    bodies = {request.headers["idempotency-key"]: request.body for request in before}
    assert all(request.body == bodies[request.headers["idempotency-key"]] for request in again)
    assert messages(stub) == [f"item {n}" for n in range(101)]


def test_other_file_under_the_same_name_is_begun_anew(log: Path, tmp_path: Path) -> None:
    """A rotated log is not skipped because its name was seen before."""
    state = tmp_path / "state.json"
    with serving(Stub()) as stub:
        assert send(stub.url, log, "--resume", state) == exits.OK
        log.rename(tmp_path / "shop.log.1")
        log.write_text("2026-11-23 12:00:00 INFO shop.cart: item 100\n")
        assert send(stub.url, log, "--resume", state) == exits.OK
    assert messages(stub)[-1] == "item 100"


def test_shift_to_now(log: Path) -> None:
    """The newest record gets the present time and distances stay."""
    with serving(Stub()) as stub:
        assert send(stub.url, log, "--shift-to-now") == exits.OK
    times = [parse_timestamp(line["timestamp"]) or 0 for line in stub.requests[0].lines]
    assert max(times) - min(times) == 59 * 10**9
    assert max(times) > (parse_timestamp("2026-11-23T10:01:00Z") or 0)


def test_standard_input(log: Path) -> None:
    """- reads what comes, detects its format, and needs no end to send what is there."""
    with serving(Stub()) as stub, log.open("rb") as file:
        command = [sys.executable, "-m", "logstream", "send", "--url", stub.url, "-"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL)  # fmt: skip
        assert process.stdin is not None
        arrived = threading.Event()

        def script(request: Any, n: int) -> Reply:
            arrived.set()
            return accept(request, n)

        stub.script = script
        process.stdin.write(file.read())
        process.stdin.flush()
        assert arrived.wait(30)
        process.stdin.close()
        assert process.wait(30) == exits.OK
    assert len(messages(stub)) == 100


def test_bytes_that_are_no_text_do_not_stop_an_import(tmp_path: Path) -> None:
    """Invalid UTF-8, NUL bytes, a byte-order mark and Windows line ends are all survived."""
    path = tmp_path / "odd.log"
    path.write_bytes(b"\xef\xbb\xbffirst 1\r\nsec\xffond 2\nnul\x00 3\n")
    with serving(Stub()) as stub:
        assert send(stub.url, path) == exits.OK
    assert messages(stub) == ["first 1", "sec\ufffdond 2", "nul\x00 3"]


def test_utf_16_is_refused_with_the_cure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What PowerShell writes is no garbage in the store but an error that says what to do."""
    path = tmp_path / "power shell.log"
    path.write_text("hello\n", encoding="utf-16")
    assert send("http://127.0.0.1:9", path) == exits.USAGE
    assert f"iconv -f UTF-16 -t UTF-8 '{path}'" in capsys.readouterr().err


def test_a_file_that_was_cut_is_begun_anew(tmp_path: Path) -> None:
    """Cut by a log rotation and written again, it is read from its start, and equal lines are not
    taken for those sent before."""
    path, state = tmp_path / "app.log", tmp_path / "state"
    with serving(Stub(accept)) as stub:
        for content in ("one\ntwo\n", "one\ntwo\nthree\n", "one\n", "one\ntwo\n"):
            path.write_text(content)
            assert send(stub.url, path, "--resume", state) == exits.OK
    sent = [[json.loads(line)["message"] for line in r.body.splitlines()] for r in stub.requests]
    assert sent == [["one", "two"], ["three"], ["one"], ["two"]]
    keys = [request.headers["idempotency-key"] for request in stub.requests]
    assert len(set(keys)) == 4


def test_a_state_that_cannot_be_written_is_said(
    tmp_path: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is sent; an empty file is a state in which nothing was begun."""
    with serving(Stub(accept)) as stub:
        assert send(stub.url, log, "--resume", tmp_path / "none" / "state") == exits.USAGE
        assert "cannot be written: No such file or directory" in capsys.readouterr().err
        assert not stub.requests
        empty = tmp_path / "empty"
        empty.touch()
        assert send(stub.url, log, "--resume", empty) == exits.OK


@pytest.mark.parametrize("content", [bytes(range(256)) * 20, "hello\n".encode("utf-16-le") * 9])
def test_what_is_no_text_is_refused_unless_said_to_be(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture or an archive given by mistake does not become records of rubbish."""
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    assert send("http://127.0.0.1:9", path) == exits.USAGE
    assert "does not look like text" in capsys.readouterr().err
    with serving(Stub(accept)) as stub:
        assert send(stub.url, path, "--format", "plain") == exits.OK
        assert stub.requests


def test_offsets_lead_to_the_same_lines(log: Path) -> None:
    """Reading from any line's offset gives the rest of the lines, compressed or not."""
    raw = log.read_bytes()
    for content in (raw, gzip.compress(raw), zstandard.compress(raw)):
        log.write_bytes(content)
        source = open_source(str(log))
        lines = [line for line in source.lines() if line is not None]
        middle = lines[50]
        assert list(source.lines(middle.start)) == lines[50:]
        assert list(source.lines(middle.start, middle.end)) == [middle]
        assert list(source.lines()) == lines
        source.close()


def test_state_of_something_else_is_refused(log: Path, tmp_path: Path) -> None:
    """A file that is no state is not overwritten."""
    state = tmp_path / "precious.txt"
    state.write_text("my notes")
    assert send("http://127.0.0.1:9", log, "--resume", state) == exits.FAILED
    assert state.read_text() == "my notes"


@pytest.mark.parametrize(
    "arguments",
    [["missing.log"], ["-", "--shift-to-now"], ["-", "--resume", "s"], ["--attribute", "x", "-"],
     ["--timezone", "Mars/Base", "-"], ["--url", "gopher://x", "-"], []],
)  # fmt: skip
def test_wrong_usage(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot work is said before anything is read."""
    monkeypatch.chdir(tmp_path)
    with Path(os.devnull).open("rb") as null:
        saved = os.dup(0)
        os.dup2(null.fileno(), 0)
        try:
            assert main(["send", *arguments]) == exits.USAGE
        finally:
            os.dup2(saved, 0)
            os.close(saved)


def test_truncated_zstd_is_damage(tmp_path: Path, log: Path) -> None:
    """A damaged compressed file is an error, not a short file."""
    path = tmp_path / "broken.zst"
    path.write_bytes(zstandard.compress(log.read_bytes())[:-10] + b"garbage!!!")
    source = open_source(str(path))
    with pytest.raises(CorruptData):
        list(source.lines())
    source.close()
