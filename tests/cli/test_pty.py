"""Commands on a real terminal: bars and lines that are drawn again, Ctrl-C once and twice."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from logstream.cli import exits
from tests.cli.pty_process import PtyProcess
from tests.client.stub import Reply, Request, Stub, accept, serving


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The machine's environment without settings, and a data folder."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LOGSTREAM_")}
    return kept | {"LOGSTREAM_DATA_DIR": str(tmp_path / "data")}


def test_send_draws_a_progress_bar(tmp_path: Path, environment: dict[str, str]) -> None:
    """The bar has the file's name and moves; the summary stands below it on a line of its own."""
    path = tmp_path / "shop\x1b[31m.log"
    path.write_text("".join(f"2026-11-23 10:00:00 INFO shop: item {n}\n" for n in range(5_000)))
    half = threading.Event()

    def script(request: Request, number: int) -> Reply:
        if number == 5:
            assert half.wait(60)
        return accept(request, number)

    with (
        serving(Stub(script)) as stub,
        PtyProcess(
            "send", "--url", stub.url, "--batch", "500", "--connections", "1", str(path),
            environment=environment,
        ) as command,
    ):  # fmt: skip
        command.until(r"…\S*shop\\x1b\[31m\.log [━╸╺]+ [\d.]+/[\d.]+ kB [\d:-]+ *\r")
        half.set()
        assert command.wait() == exits.OK
    assert "\x1b[31m.log" not in command.drawn
    assert "\x1b[2K" in command.drawn
    last = command.text.rstrip().splitlines()[-1]
    assert last.startswith("5,000 records sent to")
    assert "5,000 accepted, 0 refused" in last


def test_send_stops_at_ctrl_c(tmp_path: Path, environment: dict[str, str]) -> None:
    """Ctrl-C ends an import at once, though the server does not answer: with a summary of what was
    sent, the cursor shown again, and 130."""
    path = tmp_path / "shop.log"
    path.write_text("".join(f"2026-11-23 10:00:00 INFO shop: item {n}\n" for n in range(5_000)))
    held = threading.Event()

    def script(request: Request, number: int) -> Reply:
        if number > 2:
            held.wait(60)
        return accept(request, number)

    with (
        serving(Stub(script)) as stub,
        PtyProcess(
            "send", "--url", stub.url, "--batch", "100", "--connections", "1", str(path),
            environment=environment,
        ) as command,
    ):  # fmt: skip
        command.until(r"shop\.log ")
        while len(stub.requests) < 3:
            assert command.process.poll() is None
        command.press(b"\x03")
        assert command.wait() == exits.INTERRUPTED
        held.set()
    assert "Traceback" not in command.text
    assert "records sent to" in command.text
    assert command.drawn.rfind("\x1b[?25h") > command.drawn.rfind("\x1b[?25l")


def test_up_draws_one_line_again_and_stops_cleanly(environment: dict[str, str]) -> None:
    """The status is one line drawn over itself; Ctrl-C ends everything with exit code 0."""
    with PtyProcess(
        "up", "--ingest-port", "0", "--dashboard-port", "0", environment=environment
    ) as command:
        command.until(r"(?s)stored since the start.*stored since the start")
        assert "\r\x1b[K" in command.drawn
        drawn = command.drawn
        first, second = drawn.index("records/s"), drawn.rindex("records/s")
        assert "\n" not in drawn[first:second]
        command.press(b"\x03")
        assert command.wait() == exits.OK
    lines = command.text.replace("\r\n", "\n").rstrip().split("\n")
    assert lines[-1].endswith("\rstopped")
    assert "stopping: what was acknowledged is being written" in command.text
    assert "Traceback" not in command.text


def test_a_second_ctrl_c_stops_at_once(environment: dict[str, str]) -> None:
    """While it waits for something that does not end, Ctrl-C again kills everything."""
    with PtyProcess(
        "up", "--ingest-port", "0", "--dashboard-port", "0", "--shutdown-timeout", "10m",
        environment=environment,
    ) as command:  # fmt: skip
        command.until("stored since the start")
        children = children_of(command.process.pid)
        assert len(children) == 2
        for pid in children:
            os.kill(pid, signal.SIGSTOP)  # deaf to everything but a kill
        command.press(b"\x03")
        command.until("stopping")
        command.press(b"\x03")
        assert command.wait() == exits.OK
    assert "Traceback" not in command.text
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def children_of(parent: int) -> list[int]:
    """Pids of a process's children."""
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()]
