"""The supervisor: what dies is started again, what is told to stop stops in order."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from logstream.cli import exits, lock
from logstream.cli.supervisor import Program, Supervisor
from logstream.errors import SettingError

SLEEP = "import signal, time; print('up', flush=True); time.sleep(60)"


def program(source: str, name: str = "p", stage: int = 0) -> Program:
    """A Python program."""
    return Program(name, (sys.executable, "-c", source), dict(os.environ), stage)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is bound to happen."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 – a file changes, not an event
            await asyncio.sleep(0.01)


async def test_killed_program_is_started_again(tmp_path: Path) -> None:
    """kill -9 is noticed, said, and mended."""
    pids = tmp_path / "pids"
    note = f"import os; open({str(pids)!r}, 'a').write(str(os.getpid()) + '\\n'); {SLEEP}"
    said: list[str] = []
    supervisor = Supervisor([program(note, "store")], tell=said.append)
    supervisor.start()

    def started() -> list[str]:
        return pids.read_text().split() if pids.exists() else []

    await until(lambda: len(started()) == 1)
    os.kill(int(started()[0]), signal.SIGKILL)
    await until(lambda: len(started()) == 2)
    await supervisor.stop(5.0)
    supervisor.close()

    assert f"store (pid {started()[0]}) was killed by SIGKILL, starting again in 0.2 s" in said


async def test_stages_are_stopped_in_order(tmp_path: Path) -> None:
    """A later stage is told to stop only when the earlier ones have ended."""
    order = tmp_path / "order"
    order.write_text("")
    source = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    time.sleep({}); open({!r}, 'a').write({!r}); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); open({!r}, 'a').write('.')\n"
        "time.sleep(60)"
    )
    path = str(order)
    programs = [
        program(source.format(0, path, "b", path), "late", stage=2),
        program(source.format(0.05, path, "a", path), "early", stage=1),
    ]
    supervisor = Supervisor(programs, tell=lambda _: None)
    supervisor.start()
    await until(lambda: order.read_text() == "..")

    assert await supervisor.stop(20.0)
    assert order.read_text() == "..ab"
    supervisor.close()


async def test_what_does_not_stop_is_killed() -> None:
    """A program that ignores SIGTERM does not hold the rest."""
    said: list[str] = []
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    supervisor = Supervisor([program(deaf)], tell=said.append)
    supervisor.start()
    await asyncio.sleep(0.1)

    if not await supervisor.stop(0.05):
        assert "killed" in said[-1]
    supervisor.close()


async def test_wrong_setting_is_not_tried_again() -> None:
    """A program that says its settings are wrong ends everything at once."""
    supervisor = Supervisor([program(f"raise SystemExit({exits.USAGE})")], tell=lambda _: None)
    supervisor.start()
    async with asyncio.timeout(30):
        assert await supervisor.failed() == exits.USAGE
    await supervisor.stop(1.0)
    supervisor.close()


def test_lock_names_its_holder(tmp_path: Path) -> None:
    """A second platform on a folder is refused with the first one's pid; later it may."""
    held = lock.take(tmp_path / "run.pid", patience_s=0)
    with pytest.raises(SettingError, match=f"pid {os.getpid()}"):
        lock.take(tmp_path / "run.pid", patience_s=0)
    os.close(held)
    os.close(lock.take(tmp_path / "run.pid", patience_s=0))


def test_a_holder_that_nobody_has_buried_is_dead(tmp_path: Path) -> None:
    """A supervisor killed a moment ago, still in the process table, is waited for; then the error
    says what holds the folder."""
    file = tmp_path / "data" / "run" / "up.pid"
    file.parent.mkdir(parents=True)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    held = lock.take(file, patience_s=0)
    file.write_text(f"{dead.pid}\n")
    with pytest.raises(SettingError, match=f"that died \\(pid {dead.pid}\\)"):
        lock.take(file, patience_s=0.05)
    os.close(held)
    os.close(lock.take(file, patience_s=0))
    dead.wait()


def test_lock_waits_for_orphans(tmp_path: Path) -> None:
    """While processes of a dead supervisor finish, the next one waits for them."""
    file = tmp_path / "run.pid"
    held = lock.take(file, patience_s=0)
    file.write_text("999999999\n")
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(0.3)"], pass_fds=(held,)
    )
    os.close(held)
    os.close(lock.take(file, patience_s=20.0))
    child.wait()
