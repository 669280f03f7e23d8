"""/proc parsing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import proc

STAT = "{pid} ({name}) S {parent} 1 1 0 -1 4194560 10 20 0 0 7 5 3 2 20 0 1 0 100 1000 50"


def stat(pid: int, parent: int, name: str = "python") -> proc.Stat:
    return proc.parse_stat(STAT.format(pid=pid, parent=parent, name=name))


def test_stat_line_with_parentheses_in_the_name() -> None:
    """A process may name itself anything; the times are found all the same."""
    assert stat(12, 3, "odd) (name") == proc.Stat(12, "odd) (name", 3, 12, 5)


def test_descendants_are_the_whole_tree() -> None:
    """Children of children count, unrelated processes do not."""
    found = proc.descendants(2, [stat(5, 3), stat(3, 2), stat(2, 1), stat(4, 1)])
    assert [process.pid for process in found] == [2, 3, 5]


def test_descendants_of_an_ended_process() -> None:
    """A root that has ended has no tree."""
    assert proc.descendants(9, [stat(2, 1)]) == []


def test_rollup_is_in_bytes() -> None:
    """The kernel's kB are 1 024 bytes."""
    text = (
        "55d0-7fff ---p 00000000 00:00 0 [rollup]\nRss:    200 kB\nPss:    150 kB\nShared: 1 kB\n"
    )
    assert proc.parse_rollup(text) == proc.Memory(150 * 1024, 200 * 1024)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_own_process_is_found() -> None:
    """The running test finds itself, its memory and its CPU time."""
    assert os.getpid() in {process.pid for process in proc.tree(os.getpid())}
    assert proc.memory([os.getpid()]).pss > 0
    assert proc.process_cpu_s([os.getpid()])[os.getpid()] > 0
