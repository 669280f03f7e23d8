"""The command line itself: settings as options, clear errors, documented exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from logstream import settings
from logstream.access import check_exposure
from logstream.cli import exits, main
from logstream.cli.group import COMMANDS
from logstream.cli.options import url_of
from logstream.cli.process import check_port, listen
from logstream.cli.pulse import Pulse, read
from logstream.cli.tail import Event, events_of
from logstream.errors import SettingError
from logstream.settings import Settings
from tests.client.stub import Reply, Stub, serving

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine's own environment gets in."""
    for row in settings.rows():
        monkeypatch.delenv(row.env, raising=False)


def test_every_command_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command has help, and a line in the documentation."""
    text = DOCS.read_text()
    for name in COMMANDS:
        assert main([name, "--help"]) == exits.OK
        assert f"`logstream {name}" in text
    assert "--retention" in capsys.readouterr().out


def test_every_exit_code_is_documented() -> None:
    """The table of exit codes is complete."""
    documented = set(map(int, re.findall(r"^\| (\d+) \|", DOCS.read_text(), re.MULTILINE)))
    assert documented == {
        exits.OK, exits.NEGATIVE, exits.USAGE, exits.UNREACHABLE, exits.FAILED, exits.INTERRUPTED,
    }  # fmt: skip


def test_config_shows_values_and_sources(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Command line, environment, file and default are told apart; secrets are not shown."""
    file = tmp_path / "logstream.toml"
    file.write_text('flush_rows = 7\nretention = "5d"\n')
    monkeypatch.setenv("LOGSTREAM_RETENTION", "6d")
    monkeypatch.setenv("LOGSTREAM_API_KEYS", "hush")
    options = ["--config", str(file), "--max-body", "1MiB", "--insecure", "--output", "json"]
    assert main(["config", *options]) == exits.OK
    out = capsys.readouterr().out
    shown = {each["name"]: (each["value"], each["source"]) for each in json.loads(out)}

    assert "hush" not in out
    assert shown["api_keys"][0] == "(set)"
    assert shown["max_body"] == ("1MiB", "command line")
    assert shown["insecure"] == ("true", "command line")
    assert shown["retention"] == ("6d", "environment (LOGSTREAM_RETENTION)")
    assert shown["flush_rows"] == ("7", f"file ({file})")
    assert shown["log_level"] == ("info", "default")
    assert set(shown) == {row.name for row in settings.rows()}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["config", "--retention", "soon"], exits.USAGE, "retention cannot be 'soon'"),
        (["nonsense"], exits.USAGE, "No such command"),
        (["quer", "x"], exits.USAGE, "Did you mean 'query'?"),
        (["up", "--simulate=fast"], exits.USAGE, "rate above 0"),
        (["up", "--ingest-host", "0.0.0.0"], exits.USAGE, "LOGSTREAM_API_KEYS"),
        (["up", "--broker", "memory:"], exits.USAGE, "memory:"),
        (["query", "--url", "http://127.0.0.1:9", "x"], exits.UNREACHABLE, "no answer from"),
        (["simulate", "--verify-only"], exits.USAGE, "--ledger"),
    ],
)
def test_errors_are_one_clear_line(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong and what to do about it, never a traceback."""
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_output_that_nobody_reads_any_more_is_no_failure() -> None:
    """`logstream … | head` ends quietly, with exit code 0."""
    command = subprocess.Popen(
        [sys.executable, "-m", "logstream", "config"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert command.stdout is not None
    command.stdout.close()
    _, error = command.communicate(timeout=60)
    assert (command.returncode, error) == (exits.OK, b"")


def test_query_follows_cursors(capsys: pytest.CaptureFixture[str]) -> None:
    """--limit beyond a page and --all ask page after page."""
    pages = {"": ([1, 2], "a"), "a": ([3, 4], "b"), "b": ([5], None)}

    def script(request: object, n: int) -> Reply:
        path = stub.requests[n - 1].path
        cursor = re.search(r"cursor=(\w+)", path)
        numbers, following = pages[cursor[1] if cursor else ""]
        return Reply(200, {"records": [{"n": n} for n in numbers], "next_cursor": following})

    with serving(Stub(script)) as stub:
        assert main(["query", "--url", stub.url, "--all", "--output", "ndjson", "x"]) == exits.OK
    shown = [json.loads(line)["n"] for line in capsys.readouterr().out.splitlines()]
    assert shown == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("query", "hint"),
    [("level=error", "level:error"), ("a status>=500", "status:>=500"), ("(x==1 OR y)", "x:1")],
)
def test_nothing_found_is_said(query: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """People learn of an empty answer, and how fields are asked for; programs get just nothing."""
    empty = Reply(200, {"records": [], "next_cursor": None})
    with serving(Stub(lambda request, n: empty)) as stub:
        assert main(["query", "--url", stub.url, query]) == exits.OK
        shown = capsys.readouterr()
        assert not shown.out
        assert shown.err.startswith("nothing found from now-1h to now\n")
        assert f"of a field ask {hint}\n" in shown.err
        assert main(["query", "--url", stub.url, "--output", "ndjson", query]) == exits.OK
        assert capsys.readouterr().err == ""
        assert main(["query", "--url", stub.url, "level:>=warn"]) == exits.OK
        assert "hint" not in capsys.readouterr().err


def test_the_wrong_port_is_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    """A 404 that no dashboard gave leads to the port."""
    lost = Reply(404, {"error": {"code": "not_found", "message": "nothing here"}})
    with serving(Stub(lambda request, n: lost)) as stub:
        assert main(["query", "--url", stub.url, "x"]) == exits.FAILED
    assert "is this the dashboard's port (3001 by default)?" in capsys.readouterr().err


def test_what_the_server_does_not_understand_is_wrong_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A time that is none is the command line's fault, though the server found it."""
    bad = Reply(400, {"error": {"code": "bad_request", "message": "from cannot be 'soon'"}})
    with serving(Stub(lambda request, n: bad)) as stub:
        assert main(["query", "--url", stub.url, "--from", "soon", "x"]) == exits.USAGE
    assert "from cannot be 'soon'" in capsys.readouterr().err


def test_query_error_is_shown_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    """Line, column, what was expected and the suggestion reach the person."""
    error = {"code": "bad_query", "message": "unknown pipe", "line": 1, "column": 5,
             "expected": ["stats"], "hint": 'did you mean "stats"?'}  # fmt: skip
    with serving(Stub(lambda request, n: Reply(400, {"error": error}))) as stub:
        assert main(["query", "--url", stub.url, "* | stat"]) == exits.USAGE
    shown = capsys.readouterr().err
    assert "line 1 column 5: unknown pipe" in shown
    assert "expected: stats" in shown
    assert 'did you mean "stats"?' in shown


def test_access_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of LOGSTREAM_API_KEYS is sent."""
    monkeypatch.setenv("LOGSTREAM_API_KEYS", "one,two")
    with serving(Stub(lambda request, n: Reply(200, {"records": []}))) as stub:
        assert main(["query", "--url", stub.url, "x"]) == exits.OK
    assert stub.requests[0].headers["authorization"] == "Bearer one"


def test_server_sent_events_in_any_pieces() -> None:
    """Events are the same however the stream is cut; comments and unfinished ones are not any."""
    stream = b": hi\n\nid: 7\nevent: rows\ndata: {\ndata: }\n\nretry: 5\n\ndata: x\r\n\r\ndata: cut"
    whole = [Event("rows", "{\n}", "7"), Event("message", "x", "7")]
    assert list(events_of([stream])) == whole
    assert list(events_of(stream[i : i + 3] for i in range(0, len(stream), 3))) == whole


def test_ports_in_use_are_named() -> None:
    """The error names the setting and the option."""
    with listen("ingest", "127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"ingest_port {port}") as error:
            check_port("ingest", "127.0.0.1", port)
    assert "--ingest-port" in error.value.hint


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_exposure_needs_keys(host: str) -> None:
    """Beyond loopback nobody listens without keys, unless told to."""
    with pytest.raises(SettingError):
        check_exposure(Settings(), host=host, setting="ingest_host")
    check_exposure(Settings(api_keys=("k",)), host=host, setting="ingest_host")
    check_exposure(Settings(insecure=True), host=host, setting="ingest_host")
    check_exposure(Settings(), host="127.0.0.1", setting="ingest_host")


def test_urls_of_addresses() -> None:
    """Addresses that mean any become ones that can be opened."""
    assert url_of("0.0.0.0", 1) == "http://127.0.0.1:1"
    assert url_of("::1", 2) == "http://[::1]:2"


def test_pulse_line() -> None:
    """Rate and median are those since the reading before."""
    bucket = "logstream_searchable_seconds_bucket"
    pulse = Pulse()
    pulse.line(read([("logstream_records_accepted_total", {}, 100.0), (bucket, {"le": "1"}, 5.0),
                     (bucket, {"le": "+Inf"}, 5.0)], 0.0))  # fmt: skip
    line = pulse.line(read([
        ("logstream_records_accepted_total", {}, 1_100.0),
        ("logstream_records_accepted_total", {}, 1_000.0),
        ("logstream_broker_records", {}, 5.0),
        (bucket, {"le": "1"}, 15.0), (bucket, {"le": "2"}, 15.0), (bucket, {"le": "+Inf"}, 15.0),
    ], 2.0))  # fmt: skip

    assert line.startswith("1,000 records/s")
    assert "5 waiting" in line
    assert "searchable after 500 ms" in line
