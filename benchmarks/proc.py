"""CPU time and memory of process trees, read from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Stat:
    """One line of `/proc/…/stat`: CPU times in clock ticks, those of reaped children apart."""

    pid: int
    name: str
    parent: int
    own_ticks: int
    reaped_ticks: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a tree in bytes. Shared pages count once in `pss`, once per process in `rss`."""

    pss: int
    rss: int


def parse_stat(line: str) -> Stat:
    """Read one stat line; the name may hold spaces and parentheses."""
    opening, closing = line.index("("), line.rindex(")")
    fields = line[closing + 2 :].split()
    own, reaped = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return Stat(int(line[:opening]), line[opening + 1 : closing], int(fields[1]), own, reaped)


def parse_rollup(text: str) -> Memory:
    """Read a `smaps_rollup` file."""
    values = {}
    for line in text.splitlines()[1:]:
        name, _, rest = line.partition(":")
        values[name] = int(rest.split()[0]) * 1024
    return Memory(values.get("Pss", 0), values.get("Rss", 0))


def descendants(root: int, stats: Iterable[Stat]) -> list[Stat]:
    """`root` and everything below it, parents before children."""
    by_pid = {stat.pid: stat for stat in stats}
    children: dict[int, list[int]] = defaultdict(list)
    for stat in by_pid.values():
        children[stat.parent].append(stat.pid)
    found: list[Stat] = []
    queue = [root]
    for pid in queue:
        if pid in by_pid:
            found.append(by_pid[pid])
            queue.extend(children[pid])
    return found


def tree(root: int) -> list[Stat]:
    """The live processes of `root`'s tree now; empty when it has ended."""
    stats = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            text = _read(entry / "stat")
            if text:
                stats.append(parse_stat(text))
    return descendants(root, stats)


def cpu_s(roots: Iterable[int]) -> float:
    """CPU seconds used so far by the trees of `roots`, user and system, ended children included."""
    ticks = sum(stat.own_ticks + stat.reaped_ticks for root in roots for stat in tree(root))
    return ticks / TICKS_PER_S


def memory_of(pid: int) -> Memory:
    """Memory of one process; zero when it has ended."""
    text = _read(PROC / str(pid) / "smaps_rollup")
    return parse_rollup(text) if text else Memory(0, 0)


def memory(roots: Iterable[int]) -> Memory:
    """Memory of the trees of `roots` now."""
    found = [memory_of(stat.pid) for root in roots for stat in tree(root)]
    return Memory(sum(m.pss for m in found), sum(m.rss for m in found))


def command_line(pid: int) -> str:
    """The command of `pid`, its arguments joined by spaces; empty when it has ended."""
    return _read(PROC / str(pid) / "cmdline").replace("\0", " ").strip()


def process_cpu_s(roots: Iterable[int]) -> dict[int, float]:
    """CPU seconds so far of each live process in the trees of `roots`, by pid."""
    stats = (stat for root in roots for stat in tree(root))
    return {stat.pid: stat.own_ticks / TICKS_PER_S for stat in stats}


def _read(path: Path) -> str:
    """The file's text; empty when its process has ended meanwhile."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
