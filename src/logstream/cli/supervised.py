"""Which programs the platform consists of, and running them until somebody says stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import click

from logstream.cli import exits
from logstream.cli.process import SOCKET
from logstream.cli.supervisor import Program, Supervisor
from logstream.patience import is_server
from logstream.settings import ENV_PREFIX, Resolved, Settings

__all__ = ["Screen", "environment_of", "ingest_programs", "programs_of", "supervise"]

_LOGSTREAM = (sys.executable, "-m", "logstream")


def environment_of(
    given: Mapping[str, str], resolved: Resolved, ports: Mapping[str, int]
) -> dict[str, str]:
    """The environment in which children come to the same settings.

    By the environment, not by arguments: those are in every process list, keys among them.
    """
    options = {ENV_PREFIX + name.upper(): text for name, text in given.items()}
    numbers = {f"{ENV_PREFIX}{name.upper()}_PORT": str(port) for name, port in ports.items()}
    return {**os.environ, **_file_of(resolved), **options, **numbers}


def _file_of(resolved: Resolved) -> dict[str, str]:
    for source in resolved.sources.values():
        if source.startswith("file ("):
            name = source.removeprefix("file (").removesuffix(")")
            return {ENV_PREFIX + "CONFIG": str(Path(name).absolute())}
    return {}


def ingest_programs(
    settings: Settings,
    environment: Mapping[str, str],
    sock: socket.socket,
    *,
    after: asyncio.Event | None = None,
) -> list[Program]:
    """The ingestion processes; all take connections from one socket, which they inherit."""
    own = {**environment, SOCKET: str(sock.fileno())}
    return [
        Program(f"ingest {i + 1}", (*_LOGSTREAM, "ingest"), own, stage=1, after=after)
        for i in range(settings.ingest_processes)
    ]


def programs_of(
    settings: Settings,
    environment: Mapping[str, str],
    sock: socket.socket,
    simulate_rate: str | None,
    *,
    after: asyncio.Event,
) -> list[Program]:
    """Every program of the platform, in the stages in which they are stopped.

    ``after``: set once the store process has seen that its settings can work; where the store is
    a server, nothing is taken in before.
    """
    store = (sys.executable, "-m", "logstream.cli.store_process")
    late = after if is_server(settings.store_url) else None
    programs = ingest_programs(settings, environment, sock, after=late)
    programs.append(Program("store", store, environment, stage=2))
    if simulate_rate is not None:
        arguments = (*_LOGSTREAM, "simulate", "--quiet", "--drain", "0", "--rate", simulate_rate)
        programs.append(Program("simulator", arguments, environment, stage=0))
    return programs


async def supervise(
    programs: Sequence[Program],
    show: Callable[[Supervisor, Screen], Awaitable[None]],
    settings: Settings,
    *,
    hold: Sequence[int] = (),
) -> int:
    """Run programs until SIGINT or SIGTERM, or until one cannot be kept running; the exit code.

    ``show`` runs beside them; when it raises, everything is stopped and the error goes on. A
    second signal kills everything at once.
    """
    screen = Screen()
    supervisor = Supervisor(programs, tell=screen.say, died=_forget_metrics, hold=hold)
    asked = _asked(supervisor.kill)
    supervisor.start()
    failed = asyncio.create_task(supervisor.failed())
    shown = asyncio.create_task(_as_coroutine(show(supervisor, screen)))
    waiting = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({failed, shown, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if shown.done() and not shown.exception():
            await asyncio.wait({failed, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        shown.cancel()
        if asked.is_set():
            screen.say("stopping: what was acknowledged is being written")
        stages = len({program.stage for program in programs})
        clean = await supervisor.stop(settings.shutdown_timeout_s + stages * settings.drain_delay_s)
        supervisor.close()
        waiting.cancel()
        failed.cancel()
    if asked.is_set():
        screen.say("stopped" if clean else "stopped; what was not written waits in the broker")
        return exits.OK
    with contextlib.suppress(asyncio.CancelledError):
        await shown
    return failed.result() if failed.done() and not failed.cancelled() else exits.FAILED


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable


def _asked(again: Callable[[], None]) -> asyncio.Event:
    """An event set by the first SIGINT or SIGTERM; the next ones call ``again``."""
    event = asyncio.Event()

    def arrived() -> None:
        if event.is_set():
            again()
        event.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, arrived)
    return event


def _forget_metrics(pid: int) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]  # it has no types


class Screen:
    """Lines that stay, and below them, on a terminal, one that is drawn again and again."""

    def __init__(self) -> None:
        self.live = sys.stdout.isatty()

    def say(self, line: str) -> None:
        """A line that stays."""
        click.echo(f"\r\x1b[K{line}" if self.live else line)

    def redraw(self, line: str) -> None:
        """The line that is drawn again; without a terminal it stays like any other."""
        if self.live:
            click.echo(f"\r\x1b[K{line}", nl=False)
        else:
            self.say(line)
