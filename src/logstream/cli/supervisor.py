"""Starts processes, starts them again when they die, stops them in order.

Children are started by exec and share nothing but two file descriptors: a *lifeline*, a pipe
whose end tells them that the supervisor is gone, however it went, and whatever else the caller
wants them to hold. They are not in the terminal's process group: Ctrl-C reaches the supervisor
only, which then stops them one after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from logstream.cli import exits
from logstream.cli.process import LIFELINE
from logstream.patience import unless

__all__ = ["Program", "Supervisor"]

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 30.0
_STEADY_S = 30.0
"""A process that ran as long as this begins anew with short pauses when it dies."""
_TRIES = 5
"""A process that dies so often before it was ever ready will not do better the next time."""


class Program(NamedTuple):
    """One process to keep running.

    ``stage``: lower ones are stopped first. ``after``: started only once this is set.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    stage: int
    after: asyncio.Event | None = None


class _Child:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: asyncio.subprocess.Process | None = None
        self.was_ready = False


class Supervisor:
    """Keeps programs running until `stop`. Used on one event loop.

    Args:
        tell: Is given one line for each thing that a person should know.
        died: Is given the pid of each process that ended by itself.
        hold: File descriptors that children inherit beside the lifeline.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        tell: Callable[[str], None],
        died: Callable[[int], None] = lambda _: None,
        hold: Sequence[int] = (),
    ) -> None:
        self._children = [_Child(program) for program in programs]
        self._tell, self._died = tell, died
        self._hold = tuple(hold)
        self._lifeline, self._lifeline_writer = os.pipe()
        self._stopping = asyncio.Event()
        self._failed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start every program."""
        self._tasks = [asyncio.create_task(self._keep(child)) for child in self._children]

    async def failed(self) -> int:
        """Wait until a program cannot be kept running; the exit code it stands for."""
        return await asyncio.shield(self._failed)

    def ready(self) -> None:
        """Everything was seen working: from now on whatever dies is started again for ever."""
        for child in self._children:
            child.was_ready = True

    async def stop(self, timeout_s: float) -> bool:
        """End all programs, stage by stage; false if one had to be killed.

        What has not ended in time is killed, which loses nothing that was acknowledged.
        """
        self._stopping.set()
        deadline_s = time.monotonic() + timeout_s
        stages = sorted({child.program.stage for child in self._children})
        clean = True
        for index, stage in enumerate(stages):
            # An early stage must leave time for those behind it.
            left_s = max(deadline_s - time.monotonic(), 0.0) / min(len(stages) - index, 2)
            members = [child for child in self._children if child.program.stage == stage]
            ended = await asyncio.gather(*(self._end(child, left_s) for child in members))
            clean = clean and all(ended)
        await asyncio.gather(*self._tasks)
        return clean

    def kill(self) -> None:
        """End everything at once."""
        self._stopping.set()
        for child in self._children:
            _signal(child.process, signal.SIGKILL)

    def close(self) -> None:
        """Let go of the lifeline: children that still run see its end."""
        for number in (self._lifeline, self._lifeline_writer):
            with contextlib.suppress(OSError):
                os.close(number)

    async def _end(self, child: _Child, timeout_s: float) -> bool:
        process = child.process
        if process is None or process.returncode is not None:
            return True
        _signal(process, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), timeout_s)
        except TimeoutError:
            self._tell(f"{child.program.name} did not end in time and was killed")
            _signal(process, signal.SIGKILL)
            await process.wait()
            return False
        return True

    async def _keep(self, child: _Child) -> None:
        pause_s, tries = _FIRST_PAUSE_S, 0
        if child.program.after is not None:
            await unless(self._stopping, child.program.after.wait())
        while not self._stopping.is_set():
            began_s = time.monotonic()
            child.process = await self._spawn(child.program)
            if self._stopping.is_set():
                _signal(child.process, signal.SIGTERM)
            code = await child.process.wait()
            self._died(child.process.pid)
            if self._stopping.is_set():
                return
            if time.monotonic() - began_s >= _STEADY_S:
                pause_s, tries = _FIRST_PAUSE_S, 0
            tries += 1
            if code == exits.USAGE or (tries >= _TRIES and not child.was_ready):
                self._give_up(child, code)
                return
            self._tell(
                f"{child.program.name} (pid {child.process.pid}) {_ending(code)}, "
                f"starting again in {pause_s:g} s"
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _give_up(self, child: _Child, code: int) -> None:
        self._tell(f"{child.program.name} {_ending(code)} and cannot be kept running")
        if not self._failed.done():
            self._failed.set_result(code if code == exits.USAGE else exits.FAILED)

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *program.arguments,
            env={**program.environment, LIFELINE: str(self._lifeline)},
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(self._lifeline, *self._hold),
            process_group=0,
        )


def _signal(process: asyncio.subprocess.Process | None, number: signal.Signals) -> None:
    if process is not None and process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)


def _ending(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
