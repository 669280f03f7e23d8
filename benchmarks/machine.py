"""What the figures were measured on: machine, kernel and the versions of everything involved."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "logstream",
    "chdb",
    "chdb-core",
    "clickhouse-connect",
    "granian",
    "httptools",
    "msgspec",
    "pyarrow",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine, its load before the run, and the versions by name."""

    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    filesystem: str
    load_before: float
    versions: dict[str, str]

    def to_json(self) -> dict[str, object]:
        """As plain JSON values."""
        return asdict(self)

    def describe(self) -> str:
        """Two lines for people."""
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"{self.cpu}, {self.cores} cores, {self.memory_gib:.0f} GiB, Linux {self.kernel}, "
            f"{self.filesystem}; load before the run {self.load_before:.2f}\n{versions}"
        )


def describe_machine(data_folder: Path) -> Machine:
    """This machine, with the file system that `data_folder` is on."""
    return Machine(
        cpu=_field("/proc/cpuinfo", "model name") or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=int((_field("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) / (1 << 20),
        kernel=platform.release(),
        filesystem=_filesystem(data_folder),
        load_before=os.getloadavg()[0],
        versions=_versions(),
    )


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _filesystem(folder: Path) -> str:
    """The type of the file system with the longest mount point above `folder`."""
    target = str(folder.resolve())
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, found, *_ = line.split()
        inside = target == mount or target.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, found
    return kind


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    for name, command in (("Node", ["node", "--version"]), ("Redis", ["redis-server", "-v"])):
        if shutil.which(command[0]):
            said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            found[name] = said.split("v=")[-1].split()[0].lstrip("v")
    return found
